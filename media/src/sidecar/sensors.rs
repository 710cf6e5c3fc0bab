//! Photosite pitches, from the makers' data sheets: the active size of the
//! sensor over its photosites. Exports name the sensor and not its pitch, and
//! matchmoving needs it. Only for recordings of sensor data, where a column of
//! the file is a column of photosites.

/// Maker, what the sensor's or camera's name contains, sensor width in
/// millimetres, photosites across that width.
const SENSORS: &[(&str, &str, f64, f64)] = &[
    // RED: DSMC2 and V-RAPTOR technical specifications.
    ("RED", "RAPTOR 8K VV", 40.96, 8192.0),
    ("RED", "MONSTRO 8K VV", 40.96, 8192.0),
    ("RED", "HELIUM 8K S35", 29.90, 8192.0),
    ("RED", "GEMINI 5K S35", 30.72, 5120.0),
    ("RED", "DRAGON 6K S35", 30.72, 6144.0),
    ("RED", "KOMODO 6K S35", 27.03, 6144.0),
    // Sony: VENICE (MPC-3610), 36.2 mm by 24.1 mm, 6048 by 4032.
    ("Sony", "MPC-3610", 36.2, 6048.0),
    // Blackmagic Design: URSA Mini Pro 12K, 27.03 mm by 14.25 mm, 12288 by 6480.
    ("Blackmagic Design", "URSA Mini Pro 12K", 27.03, 12288.0),
];

/// Pitch in micrometres, where the sensor is known.
pub(super) fn pitch_um(make: &str, sensor: &str) -> Option<f64> {
    let known = SENSORS.iter().find(|(maker, name, ..)| *maker == make && sensor.contains(name));
    known.map(|(_, _, millimetres, photosites)| {
        // Data sheets give two decimals of a millimetre: a nanometre of pitch at best.
        (millimetres * 1e6 / photosites).round() / 1e3
    })
}
