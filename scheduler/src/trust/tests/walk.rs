//! Every rule of the table, called over the wire by every role.

use super::{Farm, job};
use crate::trust::skim::Protos;
use crate::trust::table::{About, RULES, Rule, Who};
use bytes::{Buf, BufMut};
use platefarm_model::trust::Role;
use platefarm_model::{Code, Secret};
use platefarm_proto::convert::from_status;
use platefarm_proto::{DESCRIPTORS, v1};
use prost::encoding::{WireType, encode_key, encode_varint};
use std::time::Duration;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Bytes as they are: what a client of another make could send.
#[derive(Clone, Copy)]
pub(super) struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        *self
    }
    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining()).to_vec()))
    }
}

/// Calls a method with any bytes and any word; the code of what it was
/// refused for, if it was.
pub(super) async fn call(
    channel: &Channel,
    method: &str,
    word: Option<&str>,
    question: Vec<u8>,
) -> Option<Code> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(question);
    request.set_timeout(Duration::from_secs(20));
    if let Some(word) = word {
        request.metadata_mut().insert("authorization", word.parse().unwrap());
    }
    let path = format!("/{method}").parse().unwrap();
    match client.server_streaming(request, path, Raw).await {
        // What the handler says is not asked here: only whether it was reached.
        Ok(_) => None,
        Err(status) => Some(from_status(&status).code),
    }
}

fn bearer(word: &Secret) -> String {
    format!("Bearer {}", word.expose())
}

/// Whether a token's role is enough, by the words of the table read anew.
fn may(role: Role, who: Who) -> bool {
    use Role::{Admin, Operator, Submitter, Viewer, Worker};
    let people: &[Role] = match who {
        Who::Anybody | Who::Known => return true,
        Who::Role(Worker) => return role == Worker,
        Who::WorkerOr(_) if role == Worker => return true,
        Who::Role(needed) | Who::WorkerOr(needed) => match needed {
            Viewer => &[Viewer, Submitter, Operator, Admin],
            Submitter => &[Submitter, Operator, Admin],
            Operator => &[Operator, Admin],
            Admin => &[Admin],
            Worker => unreachable!(),
        },
    };
    people.contains(&role)
}

/// A question that names this job or show where the rule looks for it.
fn question(rule: &Rule, job: u64, show: &str) -> Vec<u8> {
    let protos = Protos::read(&[DESCRIPTORS]).unwrap();
    let (place, leaf) = match rule.about {
        About::Job(place) => {
            let mut leaf = Vec::new();
            encode_varint(job, &mut leaf);
            (place, leaf)
        }
        About::Show(place) => {
            let mut leaf = Vec::new();
            encode_varint(show.len() as u64, &mut leaf);
            leaf.extend_from_slice(show.as_bytes());
            (place, leaf)
        }
        About::Farm | About::Worker(_) | About::Caller => return Vec::new(),
    };
    let input = &protos.method(rule.method).unwrap().input;
    let way = protos.way(input, place).unwrap();
    let mut bytes = leaf;
    for (depth, field) in way.iter().enumerate().rev() {
        let innermost = depth + 1 == way.len();
        let wire = match (innermost, rule.about) {
            (true, About::Job(_)) => WireType::Varint,
            _ => WireType::LengthDelimited,
        };
        let mut outer = Vec::new();
        encode_key(field.number() as u32, wire, &mut outer);
        if !innermost {
            encode_varint(bytes.len() as u64, &mut outer);
        }
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    bytes
}

#[tokio::test]
async fn every_method_is_open_to_the_roles_of_the_table_and_to_no_other() {
    let farm = Farm::start().await;
    let channel = farm.channel().await;
    for role in Role::ALL {
        let (_, word) = farm.token(role, &[]).await;
        for rule in RULES {
            let refused = call(&channel, rule.method, Some(&bearer(&word)), vec![]).await;
            let expected = may(role, rule.who);
            assert_eq!(
                refused != Some(Code::NotAllowed),
                expected,
                "{role} {}: {refused:?}",
                rule.method
            );
            assert!(
                !matches!(
                    refused,
                    Some(Code::BadToken | Code::NotAuthenticated | Code::OutsideShow)
                ),
                "{role} {}: {refused:?}",
                rule.method
            );
        }
    }
    for rule in RULES {
        let refused = call(&channel, rule.method, None, vec![]).await;
        let expected = (rule.who != Who::Anybody).then_some(Code::NotAuthenticated);
        // After so many nobody listens to this address for a while; that is as good.
        let ok = refused == expected || (expected.is_some() && refused == Some(Code::TooMuch));
        assert!(ok, "nobody {}: {refused:?}", rule.method);
    }
}

#[tokio::test]
async fn every_method_keeps_a_token_within_its_shows() {
    let farm = Farm::start().await;
    let mut admin = farm.farm(&farm.admin).await;
    let mut submit = async |show| {
        let answer: v1::SubmitJobResponse =
            admin.submit_job(job(show, "n")).await.unwrap().into_inner();
        answer.job
    };
    let (mine, other) = (submit("atlas").await, submit("zeus").await);
    let channel = farm.channel().await;
    // The highest role: only the show stands in the way.
    let (_, word) = farm.token(Role::Admin, &["atlas"]).await;
    let word = bearer(&word);
    for rule in RULES.iter().filter(|rule| may(Role::Admin, rule.who)) {
        let foreign = question(rule, other, "zeus");
        let refused = call(&channel, rule.method, Some(&word), foreign).await;
        match rule.about {
            About::Caller => assert_ne!(refused, Some(Code::OutsideShow), "{}", rule.method),
            _ => assert_eq!(refused, Some(Code::OutsideShow), "{}", rule.method),
        }
        if matches!(rule.about, About::Job(_) | About::Show(_)) {
            let own = question(rule, mine, "atlas");
            let refused = call(&channel, rule.method, Some(&word), own).await;
            assert_ne!(refused, Some(Code::OutsideShow), "{}", rule.method);
        }
    }
    // One of the methods was to forget the job.
    let mine = submit("atlas").await;
    // Lists are cut to what the caller sees.
    let (_, word) = farm.token(Role::Viewer, &["atlas"]).await;
    let list = v1::ListJobsRequest::default();
    let seen = farm.farm(&word).await.list_jobs(list).await.unwrap().into_inner();
    assert_eq!(seen.jobs.iter().map(|j| j.id).collect::<Vec<_>>(), [mine]);
    // Nothing happened to the other's job.
    let still = admin.get_job(v1::GetJobRequest { job: other }).await.unwrap().into_inner();
    assert_eq!(still.job.unwrap().phase(), v1::Phase::Pending);
}
