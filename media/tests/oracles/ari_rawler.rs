//! What rawler (LGPL-2.1, dnglab) reads out of ARRIRAW files: run apart from this
//! repository, never linked. The files are those of `Fixture::new` in
//! `media/src/source/ari/tests.rs`; that test holds the checksums of both.
//!
//!     cargo new ari_rawler && cd ari_rawler
//!     cargo add rawler@0.8.0 --no-default-features && cargo add crc32fast
//!     cp .../ari_rawler.rs src/main.rs && cargo run -- FILE.ari...

fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("a file");
        let source = rawler::rawsource::RawSource::new(path.as_ref()).expect("a file");
        let parameters = rawler::decoders::RawDecodeParams::default();
        let image = rawler::decode(&source, &parameters).expect("rawler reads it");
        let rawler::RawImageData::Integer(samples) = image.data else { panic!("whole numbers") };
        let words: Vec<u8> = samples.iter().flat_map(|v| v.to_le_bytes()).collect();
        println!(
            "{path}: {}x{}, file {}, samples {}, pattern {}",
            image.width,
            image.height,
            crc32fast::hash(&bytes),
            crc32fast::hash(&words),
            image.camera.cfa.name
        );
    }
}
