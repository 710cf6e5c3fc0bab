//! Tests of the planner: passes, halos and bands.

use super::*;
use crate::twin::pictures;
use crate::twin::recipes::{identity, layout, mosaic};
use platefarm_model::raw::{Bayer, Packing, Rect};

fn framed(scale: [f64; 2], offset: [f64; 2], size: [u32; 2]) -> PlateRecipe {
    let mut recipe = identity(layout(64, 48, Packing::Msb12, Bayer::Rggb));
    let [width, height] = recipe.framing.source_size;
    recipe.framing = Framing {
        source_size: [width, height],
        size,
        scale,
        offset,
        content: [0, 0, size[0], size[1]],
        pixel_aspect: 1.0,
        filter: None,
        antiring: false,
    };
    recipe
}

#[test]
fn only_what_the_framing_looks_at_is_made() {
    // The 8 columns from 21 on, at scale 1, by whole pixels: an even start, and the halo.
    let plan = Plan::new(&framed([1.0; 2], [-21.0, -30.0], [8, 6])).unwrap();
    let crop = mosaic(&mut framed([1.0; 2], [0.0; 2], [1, 1])).crop;
    assert_eq!(plan.columns, (crop.x + 21) & !1..(crop.x + 29).next_multiple_of(2));
    assert_eq!(plan.input_columns(), plan.columns.start - 2..plan.columns.end + 2);
    let band = plan.band(0..6);
    assert_eq!(band.rows, crop.y + 30..crop.y + 36);
    assert_eq!(band.input_rows, crop.y + 28..crop.y + 38);
    // A picture that has all its colours has no halo and no pattern.
    let (_, recipe) = pictures::all().into_iter().find(|(name, _)| name.ends_with("cut")).unwrap();
    let plan = Plan::new(&recipe).unwrap();
    let crop = recipe.layout.rgb().unwrap().crop;
    assert_eq!(plan.input_columns(), crop.x + 3..crop.x + 10);
    assert_eq!(plan.band(0..4).input_rows, crop.y + 5..crop.y + 9);
}

#[test]
fn recipes_that_make_no_sense_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut PlateRecipe), place: &str| {
        let mut recipe = framed([0.5, 0.5], [0.0; 2], [32, 24]);
        change(&mut recipe);
        let fault = Plan::new(&recipe).unwrap_err();
        assert_eq!(fault.code, Code::BadRecipe, "{fault}");
        assert_eq!(fault.place.as_deref(), Some(place), "{fault}");
    };
    refused(&|r| r.framing.source_size[0] += 1, "framing.source_size");
    refused(&|r| r.framing.size[1] = 0, "framing.size");
    refused(&|r| r.framing.content[2] = 33, "framing.content");
    refused(&|r| r.framing.content = [5, 5, 5, 6], "framing.content");
    refused(&|r| r.framing.scale[0] = 0.0, "framing.scale");
    refused(&|r| r.framing.scale[0] = -300.0, "framing.scale");
    refused(&|r| r.framing.scale[1] = f64::NAN, "framing.scale");
    refused(&|r| r.framing.offset[0] = f64::INFINITY, "framing.offset");
    refused(&|r| mosaic(r).camera_to_aces[1][1] = f64::NAN, "layout");
    for gain in [0.0, -1.5, f32::NAN, f32::INFINITY] {
        refused(&|r| mosaic(r).white_balance[2] = gain, "layout.white_balance");
    }
    refused(&|r| mosaic(r).levels.white = [0.0; 4], "levels");
    let mut narrow = framed([1.0; 2], [0.0; 2], [1, 1]);
    let layout = mosaic(&mut narrow);
    layout.active = Rect::of_size(1, 8);
    layout.crop = Rect::of_size(1, 8);
    narrow.framing.source_size = [1, 8];
    assert_eq!(Plan::new(&narrow).unwrap_err().place.as_deref(), Some("layout.active"));
    let mut outside = framed([1.0; 2], [0.0; 2], [1, 1]);
    mosaic(&mut outside).active.width = 10_000;
    assert_eq!(Plan::new(&outside).unwrap_err().code, Code::BadStructure);
}
