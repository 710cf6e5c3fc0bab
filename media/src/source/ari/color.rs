//! ARRIRAW's numbers to scene-linear ACES2065-1.
//!
//! What is published: sensor values are 16 bits linear with black at 256 and
//! 18 % grey, at exposure index EI, at 0.01 * 400 / EI of full scale above it;
//! white-balanced values become ACES2065-1 by a matrix that depends on the
//! white's temperature (Academy, aces-dev, IDT.ARRI.Alexa-v3-raw-EI*-CCT*, of
//! ARRI's 13 November 2013 parameters; the scale is also that of ARRI's LogC3).
//!
//! What is not: how 12 bits stand for 16. That is in SMPTE RDD 30, which is
//! sold. Public is that the coding is logarithmic in steps, linear at the
//! bottom, without loss of range. One coding fits those words and 12 bits
//! exactly: 1024 codes for the values below 1024, then 512 codes for each
//! doubling, 1024 + 6 * 512 = 4096. That one is used, and every clip says so.

use platefarm_model::color::{Matrix3, diagonal, mul};
use platefarm_model::raw::Levels;
use std::sync::Arc;

/// Sensor value that no light gives, of 65535.
pub(in crate::source) const BLACK: f64 = 256.0;
/// Full scale.
const WHITE: f64 = 65535.0;

/// Temperature in kelvin, and white-balanced camera RGB to ACES2065-1.
#[rustfmt::skip]
const MATRICES: [(f64, [f64; 9]); 17] = [
    (2000.0, [0.794897107149328, 0.0446747191883904, 0.160428173662281, -0.0202960643604225, 1.07798071745591, -0.0576846530954834, 0.0121453532812099, -0.384828599780413, 1.3726832464992]),
    (2100.0, [0.792199685571551, 0.0486646155685969, 0.159135698859852, -0.0104922582769094, 1.06636021834339, -0.0558679600664835, 0.0168245412005789, -0.382242661698203, 1.36541812049762]),
    (2200.0, [0.789938657534851, 0.0530207383194212, 0.157040604145727, -0.00209169193457648, 1.05777777531815, -0.0556860833835758, 0.020442022387559, -0.377958889482918, 1.35751686709536]),
    (2400.0, [0.786508596485043, 0.0620523427771499, 0.151439060737807, 0.0115369760347086, 1.04692946888192, -0.0584664449166256, 0.0255540396157172, -0.367168074180491, 1.34161403456477]),
    (2600.0, [0.784282425393155, 0.0708653982051438, 0.144852176401701, 0.0221220318446803, 1.04163080601817, -0.0637528378628531, 0.0289164864621629, -0.355788751363901, 1.32687226490174]),
    (2900.0, [0.782718884835416, 0.0830219543811372, 0.134259160783447, 0.0342476248756054, 1.03981089974009, -0.0740585246156907, 0.0322043829165682, -0.340046190982439, 1.30784180806587]),
    (3200.0, [0.782790297238693, 0.0937232565747179, 0.123486446186589, 0.0434306086492209, 1.04223613314737, -0.0856667417965932, 0.0343854007454525, -0.326686897154773, 1.29230149640932]),
    (3500.0, [0.784064908152809, 0.10305977074015, 0.112875321107041, 0.0506901089918928, 1.04701644132161, -0.0977065503134989, 0.0359866418000151, -0.315606593030238, 1.27961995123022]),
    (3900.0, [0.787079941134249, 0.113685941871022, 0.0992341169947286, 0.0583726024256764, 1.05532979070457, -0.113702393130244, 0.0376260980590314, -0.303743415591469, 1.26611731753244]),
    (4300.0, [0.785818661040416, 0.128108236487693, 0.0860731024718911, 0.0624282645231129, 1.06054238792606, -0.122970652449168, 0.0390345456225916, -0.303019979023257, 1.26398543340067]),
    (4700.0, [0.788969413513044, 0.137209469164831, 0.0738211173221253, 0.0677121832378011, 1.06923214788195, -0.136944331119749, 0.0403140523987221, -0.294560413052941, 1.25424636065422]),
    (5100.0, [0.793040979079864, 0.144786685847665, 0.0621723350724709, 0.0722278454450305, 1.0783170220376, -0.150544867482628, 0.0414171296741046, -0.287641317142828, 1.24622418746872]),
    (5600.0, [0.7988568404866, 0.152588521772288, 0.048554637741112, 0.0770158157317898, 1.08970778432091, -0.166723600052704, 0.0426049283386533, -0.280736426622673, 1.23813149828402]),
    (6500.0, [0.809931384483192, 0.162740560901002, 0.0273280546158063, 0.0837308955997526, 1.10866655599266, -0.192397451592416, 0.0441664298980037, -0.272037991798666, 1.22787156190066]),
    (7500.0, [0.821930076628498, 0.171790752888039, 0.00627917048346317, 0.0895220617501059, 1.12853132338089, -0.218053385130993, 0.0458508922292679, -0.265380393299368, 1.2195295010701]),
    (9000.0, [0.837608965550782, 0.180630417021868, -0.0182393825726498, 0.0956392372162965, 1.15255388516256, -0.248193122378861, 0.0475382091154562, -0.259447853730707, 1.21190964461525]),
    (11000.0, [0.85415841761627, 0.18830616058631, -0.0424645782025801, 0.1011065757364, 1.17694879878061, -0.278055374517015, 0.0491118667532789, -0.25503968938492, 1.20592782263164]),
];

/// Linear value of each 12-bit code.
pub(in crate::source) fn linearization() -> Vec<u16> {
    (0..4096_u32)
        .map(|code| match code >> 9 {
            0 | 1 => code as u16,
            doubling => ((512 + (code & 511)) << (doubling - 1)) as u16,
        })
        .collect()
}

/// Levels of every ARRIRAW picture.
pub(in crate::source) fn levels() -> Levels {
    Levels { linearization: Arc::from(linearization()), ..Levels::flat(BLACK as f32, WHITE as f32) }
}

/// White-balanced camera RGB, black-free, to ACES2065-1 at a white of `kelvin`; between two published
/// temperatures linear in their reciprocals, beyond the ends the last one.
pub(in crate::source) fn matrix(kelvin: f64) -> Matrix3 {
    let behind = MATRICES.partition_point(|(k, _)| *k <= kelvin).clamp(1, MATRICES.len() - 1);
    let ((below, a), (above, b)) = (MATRICES[behind - 1], MATRICES[behind]);
    let weight = ((1.0 / kelvin - 1.0 / below) / (1.0 / above - 1.0 / below)).clamp(0.0, 1.0);
    std::array::from_fn(|r| {
        std::array::from_fn(|c| {
            let i = 3 * r + c;
            a[i] + (b[i] - a[i]) * weight
        })
    })
}

/// Scene light of a full-scale sample at an exposure index: 18 % grey becomes 0.18.
pub(in crate::source) fn exposure(index: f64) -> f64 {
    (WHITE - BLACK) / WHITE * 0.18 / (0.01 * 400.0 / index)
}

/// White-balanced camera RGB of which 1 is full scale to scene-referred ACES2065-1. The exposure is in
/// the matrix, whose rows sum to it (35.86 at EI 800, times the green factor), and not in the white
/// level: 1 stays the sensor's clipping point, which debayering and clipping rely on.
pub(in crate::source) fn camera_to_aces(kelvin: f64, exposure_index: f64, green: f64) -> Matrix3 {
    mul(&matrix(kelvin), &diagonal([exposure(exposure_index) * green; 3]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::color::apply;

    #[test]
    fn every_code_has_a_value_and_no_value_is_skipped_by_more_than_its_step() {
        let table = linearization();
        assert_eq!(table.len(), 4096);
        assert_eq!((table[0], table[256], table[1023], table[1024]), (0, 256, 1023, 1024));
        assert_eq!((table[1535], table[1536], table[4095]), (2046, 2048, 65472));
        assert!(table.windows(2).all(|w| w[0] < w[1]));
        // Precision is between 9 and 10 bits from 512 on: that is what makes it logarithmic.
        for pair in table.windows(2).skip(1024) {
            let step = f64::from(pair[1] - pair[0]) / f64::from(pair[0]);
            assert!((1.0 / 1024.0..=1.0 / 512.0).contains(&step), "{pair:?}");
        }
    }

    #[test]
    fn matrices_keep_neutrals_and_are_the_published_ones() {
        for kelvin in [1500.0, 2000.0, 3333.0, 5600.0, 8000.0, 11_000.0, 20_000.0] {
            let white = apply(&matrix(kelvin), [1.0; 3]);
            assert!(white.iter().all(|v| (v - 1.0).abs() < 1e-12), "{kelvin}: {white:?}");
        }
        // IDT.ARRI.Alexa-v3-raw-EI800-CCT5600.a1.v2.
        let ctl = matrix(5600.0);
        assert!((ctl[0][0] - 7.988_568_404_866e-1).abs() < 1e-12);
        assert!((ctl[2][1] + 2.807_364_266_226_7e-1).abs() < 1e-12);
        assert_eq!(matrix(900.0), matrix(2000.0));
        let between = matrix(2.0 / (1.0 / 5100.0 + 1.0 / 5600.0));
        let middle = (matrix(5100.0)[0][2] + matrix(5600.0)[0][2]) / 2.0;
        assert!((between[0][2] - middle).abs() < 1e-12);
    }

    /// The same IDT: (v - 256/65535) * 0.18 / (0.01 * 400/EI), v of full scale 1. At EI 800 a grey card
    /// gives 0.005 above black.
    #[test]
    fn a_grey_card_is_eighteen_percent() {
        for ei in [160.0, 800.0, 3200.0] {
            let card = 256.0 / 65535.0 + 0.01 * 400.0 / ei;
            let level = (card * 65535.0 - BLACK) / (WHITE - BLACK);
            let aces = apply(&camera_to_aces(5600.0, ei, 1.0), [level; 3]);
            assert!(aces.iter().all(|v| (v - 0.18).abs() < 1e-12), "EI {ei}: {aces:?}");
        }
        assert!((exposure(800.0) - 35.859_372).abs() < 1e-5);
    }
}
