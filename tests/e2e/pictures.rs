//! Whether the pictures are right, by others' word: the motion clip's noise-free
//! truth, LibRaw's reading of the colour chart, OpenEXR's own reading of our files.
