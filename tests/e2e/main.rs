//! End to end, on the real binary: what a person types, what comes out, and
//! what is left when it is killed at the worst moment.

mod amf;
mod bad_input;
mod book;
mod browser;
mod bulk;
mod cable;
mod cameras;
mod capacity;
mod chaos;
mod claims;
mod color;
mod damage;
mod dashboard;
mod day;
mod deeds;
mod deploy;
mod doctor;
mod editlists;
mod events;
mod farm;
mod forged;
mod framing;
mod gate;
mod harness;
mod large;
mod media;
mod outage;
mod pictures;
#[path = "../../scheduler/src/store/postgres.rs"]
mod postgres;
mod pull;
mod python;
mod release;
mod render;
mod s3;
mod seals;
mod served;
mod steer;
mod traces;
mod traps;
mod trust;
mod turnover;
