//! The outputs of ACES 1 that the reference set does not have, against what
//! OpenColorIO 2.6.0 makes of the same pixels (`tests/oracles/aces1_outputs.py`).

use platefarm_model::color::chain::Link;
use platefarm_model::color::output::Eotf;
use platefarm_model::color::output1::outputs1;
use platefarm_shaders::color::Plan;
use std::path::Path;

/// In the order of the fixture; the light of code 1, and how far light over it
/// may differ. OpenColorIO's splines of HDR are fitted.
const OUTPUTS: &[(&str, Eotf, f64, f64)] = &[
    ("ACES 1.3 SDR sRGB D60 simulated", Eotf::Srgb, 1.0, 5e-5),
    ("ACES 1.3 SDR Rec.2020 P3 limited BT.1886", Eotf::Bt1886, 1.0, 5e-5),
    ("ACES 1.3 SDR Rec.2020 Rec.709 limited BT.1886", Eotf::Bt1886, 1.0, 5e-5),
    ("ACES 1.3 SDR Rec.2020 BT.1886", Eotf::Bt1886, 1.0, 5e-5),
    ("ACES 1.3 cinema P3-D65 Rec.709 limited", Eotf::Gamma26, 1.0, 5e-5),
    ("ACES 1.3 cinema P3-D65 D60 simulated", Eotf::Gamma26, 1.0, 5e-5),
    ("ACES 1.3 cinema P3-D60", Eotf::Gamma26, 1.0, 5e-5),
    ("ACES 1.3 cinema P3-DCI D60 simulated", Eotf::Gamma26, 1.0, 5e-5),
    ("ACES 1.3 cinema P3-DCI D65 simulated", Eotf::Gamma26, 1.0, 5e-5),
    ("ACES 1.3 HDR 2000 P3-D65 PQ", Eotf::Pq, 20.0, 1e-3),
    ("ACES 1.3 HDR 4000 P3-D65 PQ", Eotf::Pq, 40.0, 1e-3),
    ("ACES 1.3 cinema DCDM", Eotf::Gamma26, 1.0, 5e-5),
    ("ACES 1.3 cinema DCDM P3-D60 limited", Eotf::Gamma26, 1.0, 5e-5),
];

fn pixels(path: &str) -> Vec<[f32; 3]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let floats: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    floats.as_chunks().0.to_vec()
}

#[test]
fn the_other_outputs_of_aces_1_say_what_opencolorio_says() {
    let scene = pixels("../model/tests/fixtures/color/grid_scene.f32");
    let all = pixels("tests/fixtures/aces1_outputs.f32");
    assert_eq!(all.len(), OUTPUTS.len() * scene.len());
    for ((name, eotf, peak, bound), expected) in OUTPUTS.iter().zip(all.chunks(scene.len())) {
        let output = outputs1().iter().find(|output| output.name == *name).unwrap();
        let mut runs = [0, 1, 2].map(|i| scene.iter().map(|p| p[i]).collect::<Vec<f32>>());
        let [r, g, b] = &mut runs;
        Plan::new(&output.chain()).run([r, g, b]);
        let Some(Link::Encode(transfer)) = eotf.encode().pop() else { panic!("{name}") };
        let light = |code: f32| transfer.decode(f64::from(code).clamp(0.0, 1.0)) / peak;
        let (mut worst, mut asked) = (0.0_f64, 0);
        for (i, expected) in expected.iter().enumerate() {
            // Far beyond the peak OpenColorIO's limits go their own way.
            let input = scene[i];
            if input.iter().any(|v| v.abs() >= 1000.0) || expected.iter().any(|v| *v < -1e-3) {
                continue;
            }
            asked += 1;
            for c in 0..3 {
                let off = (light(runs[c][i]) - light(expected[c])).abs();
                assert!(
                    off <= *bound,
                    "{name}: {input:?} gives {:?}, not {expected:?}: {off:e}",
                    [0, 1, 2].map(|c| runs[c][i])
                );
                worst = worst.max(off);
            }
        }
        println!("{name}: {worst:e} of the peak at most, {asked} pixels");
        assert!(asked > 100, "{name}: {asked} pixels");
    }
}
