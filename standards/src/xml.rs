//! What the XML standards share: bounded, strict reading and escaped writing.
