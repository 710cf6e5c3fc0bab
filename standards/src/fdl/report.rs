//! The numbers of an applied template as JSON, under the names that the
//! Committee's documents and test cases use.

use super::geometry::Geometry;
use super::model::{Point, Size, WholeSize};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
struct Report {
    scale_factor: f64,
    scaled_bounding_box: Size,
    content_translation: Point,
    anamorphic_squeeze: f64,
    canvas_dimensions: WholeSize,
    effective_dimensions: WholeSize,
    effective_anchor_point: Point,
    framing_dimensions: Size,
    framing_anchor_point: Point,
    protection_dimensions: Option<Size>,
    protection_anchor_point: Option<Point>,
}

impl Serialize for Geometry {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let whole = |[width, height]: [u32; 2]| WholeSize { width, height };
        Report {
            scale_factor: self.scale_factor,
            scaled_bounding_box: self.scaled_bounding_box.into(),
            content_translation: self.content_translation.into(),
            anamorphic_squeeze: self.anamorphic_squeeze,
            canvas_dimensions: whole(self.canvas_dimensions),
            effective_dimensions: whole(self.effective_dimensions),
            effective_anchor_point: self.effective_anchor_point.into(),
            framing_dimensions: self.framing_dimensions.into(),
            framing_anchor_point: self.framing_anchor_point.into(),
            protection_dimensions: self.protection.map(|(size, _)| size.into()),
            protection_anchor_point: self.protection.map(|(_, anchor)| anchor.into()),
        }
        .serialize(to)
    }
}
