//! The TIFF, EXIF and DNG tags by number and name: one table, used to look
//! values up, to print them, and to name them in errors.

macro_rules! tags {
    ($($constant:ident $number:literal $name:literal;)*) => {
        $(pub(super) const $constant: u16 = $number;)*

        const NAMES: &[(u16, &str)] = &[$(($number, $name),)*];
    };
}

// TIFF 6.0, TIFF/EP, EXIF 2.3, DNG 1.7.1 and CinemaDNG 1.1. The table ascends.
tags! {
    NEW_SUBFILE_TYPE 254 "NewSubFileType";
    IMAGE_WIDTH 256 "ImageWidth";
    IMAGE_LENGTH 257 "ImageLength";
    BITS_PER_SAMPLE 258 "BitsPerSample";
    COMPRESSION 259 "Compression";
    PHOTOMETRIC 262 "PhotometricInterpretation";
    FILL_ORDER 266 "FillOrder";
    MAKE 271 "Make";
    MODEL 272 "Model";
    STRIP_OFFSETS 273 "StripOffsets";
    ORIENTATION 274 "Orientation";
    SAMPLES_PER_PIXEL 277 "SamplesPerPixel";
    ROWS_PER_STRIP 278 "RowsPerStrip";
    STRIP_BYTE_COUNTS 279 "StripByteCounts";
    PLANAR_CONFIGURATION 284 "PlanarConfiguration";
    PREDICTOR 317 "Predictor";
    TILE_WIDTH 322 "TileWidth";
    TILE_LENGTH 323 "TileLength";
    TILE_OFFSETS 324 "TileOffsets";
    TILE_BYTE_COUNTS 325 "TileByteCounts";
    SUB_IFDS 330 "SubIFDs";
    SAMPLE_FORMAT 339 "SampleFormat";
    CFA_REPEAT_PATTERN_DIM 33421 "CFARepeatPatternDim";
    CFA_PATTERN 33422 "CFAPattern";
    EXPOSURE_TIME 33434 "ExposureTime";
    F_NUMBER 33437 "FNumber";
    EXIF_IFD 34665 "ExifIFD";
    ISO_SPEED_RATINGS 34855 "ISOSpeedRatings";
    DATE_TIME_ORIGINAL 36867 "DateTimeOriginal";
    SUBJECT_DISTANCE 37382 "SubjectDistance";
    FOCAL_LENGTH 37386 "FocalLength";
    BODY_SERIAL_NUMBER 42033 "BodySerialNumber";
    LENS_MAKE 42035 "LensMake";
    LENS_MODEL 42036 "LensModel";
    LENS_SERIAL_NUMBER 42037 "LensSerialNumber";
    UNIQUE_CAMERA_MODEL 50708 "UniqueCameraModel";
    CFA_PLANE_COLOR 50710 "CFAPlaneColor";
    CFA_LAYOUT 50711 "CFALayout";
    LINEARIZATION_TABLE 50712 "LinearizationTable";
    BLACK_LEVEL_REPEAT_DIM 50713 "BlackLevelRepeatDim";
    BLACK_LEVEL 50714 "BlackLevel";
    BLACK_LEVEL_DELTA_H 50715 "BlackLevelDeltaH";
    BLACK_LEVEL_DELTA_V 50716 "BlackLevelDeltaV";
    WHITE_LEVEL 50717 "WhiteLevel";
    DEFAULT_SCALE 50718 "DefaultScale";
    DEFAULT_CROP_ORIGIN 50719 "DefaultCropOrigin";
    DEFAULT_CROP_SIZE 50720 "DefaultCropSize";
    COLOR_MATRIX_1 50721 "ColorMatrix1";
    COLOR_MATRIX_2 50722 "ColorMatrix2";
    CAMERA_CALIBRATION_1 50723 "CameraCalibration1";
    CAMERA_CALIBRATION_2 50724 "CameraCalibration2";
    ANALOG_BALANCE 50727 "AnalogBalance";
    AS_SHOT_NEUTRAL 50728 "AsShotNeutral";
    AS_SHOT_WHITE_XY 50729 "AsShotWhiteXY";
    BASELINE_EXPOSURE 50730 "BaselineExposure";
    CAMERA_SERIAL_NUMBER 50735 "CameraSerialNumber";
    LENS_INFO 50736 "LensInfo";
    CALIBRATION_ILLUMINANT_1 50778 "CalibrationIlluminant1";
    CALIBRATION_ILLUMINANT_2 50779 "CalibrationIlluminant2";
    ACTIVE_AREA 50829 "ActiveArea";
    MASKED_AREAS 50830 "MaskedAreas";
    CAMERA_CALIBRATION_SIGNATURE 50931 "CameraCalibrationSignature";
    PROFILE_CALIBRATION_SIGNATURE 50932 "ProfileCalibrationSignature";
    FORWARD_MATRIX_1 50964 "ForwardMatrix1";
    FORWARD_MATRIX_2 50965 "ForwardMatrix2";
    ROW_INTERLEAVE_FACTOR 50975 "RowInterleaveFactor";
    OPCODE_LIST_1 51008 "OpcodeList1";
    OPCODE_LIST_2 51009 "OpcodeList2";
    OPCODE_LIST_3 51022 "OpcodeList3";
    TIME_CODES 51043 "TimeCodes";
    FRAME_RATE 51044 "FrameRate";
    T_STOP 51058 "TStop";
    REEL_NAME 51081 "ReelName";
    CAMERA_LABEL 51105 "CameraLabel";
    CALIBRATION_ILLUMINANT_3 52529 "CalibrationIlluminant3";
    CAMERA_CALIBRATION_3 52530 "CameraCalibration3";
    COLOR_MATRIX_3 52531 "ColorMatrix3";
    FORWARD_MATRIX_3 52532 "ForwardMatrix3";
    ILLUMINANT_DATA_1 52533 "IlluminantData1";
    ILLUMINANT_DATA_2 52534 "IlluminantData2";
    ILLUMINANT_DATA_3 52535 "IlluminantData3";
    COLUMN_INTERLEAVE_FACTOR 52547 "ColumnInterleaveFactor";
}

/// Tags that are only shown, never used.
const SHOWN: &[(u16, &str)] = &[
    (255, "SubfileType"),
    (270, "ImageDescription"),
    (282, "XResolution"),
    (283, "YResolution"),
    (296, "ResolutionUnit"),
    (305, "Software"),
    (306, "DateTime"),
    (315, "Artist"),
    (700, "XMP"),
    (33432, "Copyright"),
    (34850, "ExposureProgram"),
    (36864, "ExifVersion"),
    (36868, "DateTimeDigitized"),
    (37377, "ShutterSpeedValue"),
    (37378, "ApertureValue"),
    (37380, "ExposureBiasValue"),
    (37393, "ImageNumber"),
    (37398, "TIFF/EPStandardID"),
    (50706, "DNGVersion"),
    (50707, "DNGBackwardVersion"),
    (50709, "LocalizedCameraModel"),
    (50731, "BaselineNoise"),
    (50732, "BaselineSharpness"),
    (50733, "BayerGreenSplit"),
    (50734, "LinearResponseLimit"),
    (50738, "AntiAliasStrength"),
    (50739, "ShadowScale"),
    (50740, "DNGPrivateData"),
    (50780, "BestQualityScale"),
    (50781, "RawDataUniqueID"),
    (50827, "OriginalRawFileName"),
    (50936, "ProfileName"),
    (50941, "ProfileEmbedPolicy"),
    (50942, "ProfileCopyright"),
    (51041, "NoiseProfile"),
    (51125, "DefaultUserCrop"),
];

/// Name of a tag, `Tag50000` when it has none here.
pub(super) fn name(tag: u16) -> String {
    NAMES
        .iter()
        .chain(SHOWN)
        .find(|(number, _)| *number == tag)
        .map_or_else(|| format!("Tag{tag}"), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_stands_twice() {
        assert!(NAMES.windows(2).all(|w| w[0].0 < w[1].0), "the table ascends");
        assert_eq!(name(ACTIVE_AREA), "ActiveArea");
        assert_eq!(name(50000), "Tag50000");
    }
}
