//! A way from a worker to its scheduler that can be cut: what comes meanwhile
//! goes nowhere, and nobody is told, as with a cable that is pulled. One kind is
//! a relay that any machine can run; the other is the kernel's own network,
//! where we may make one.

use crate::farm::Farm;
use crate::harness::{Running, World};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A relay, and the network that leads to it where that is one of its own.
pub(crate) struct Cable {
    url: String,
    holds: Arc<AtomicBool>,
    network: Option<Network>,
}

impl Cable {
    /// A relay that holds what comes while it is cut.
    pub(crate) fn relay(address: &str) -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into(), address, None)
    }

    /// A network namespace with one link, which is taken down; or why there can be none here.
    pub(crate) fn link(address: &str) -> Result<Self, String> {
        let network = Network::new()?;
        Ok(Self::at(network.near, address, Some(network)))
    }

    fn at(near: IpAddr, address: &str, network: Option<Network>) -> Self {
        let listener = TcpListener::bind((near, 0)).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (holds, address) = (Arc::new(AtomicBool::new(false)), address.to_owned());
        let shared = Arc::clone(&holds);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&address) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let ends = (from.try_clone(), to.try_clone());
                    let (Ok(from), Ok(to)) = ends else { continue };
                    let holds = Arc::clone(&shared);
                    std::thread::spawn(move || carry(from, to, &holds));
                }
            }
        });
        Self { url, holds, network }
    }

    /// Cuts it, or mends it.
    pub(crate) fn cut(&self, cut: bool) {
        match &self.network {
            Some(network) => network.link(if cut { "down" } else { "up" }),
            None => self.holds.store(cut, Ordering::SeqCst),
        }
    }

    /// Starts a worker at its far end.
    pub(crate) fn worker(&self, world: &World, name: &str) -> Running {
        let command = world.platefarm(&Farm::worker_args(name, &self.url));
        Running::of(match &self.network {
            Some(network) => network.inside(&command),
            None => command,
        })
    }
}

/// Carries bytes while the relay is whole; what was under way when it was cut is held.
fn carry(mut from: TcpStream, mut to: TcpStream, holds: &AtomicBool) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while holds.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// A network namespace with one link to this one; gone with the test.
struct Network {
    name: String,
    near: IpAddr,
}

impl Network {
    fn new() -> Result<Self, String> {
        // Of 198.18.0.0/15, which is for tests (RFC 2544): a pair for each process.
        let id = std::process::id();
        let pair = (id % 0x4000) * 4;
        let [_, _, third, fourth] = pair.to_be_bytes();
        let near = Ipv4Addr::new(198, 18, third, fourth + 1);
        let far = Ipv4Addr::new(198, 18, third, fourth + 2);
        let network = Self { name: format!("pf{id}"), near: near.into() };
        let (name, peer) = (&network.name, format!("pf{id}p"));
        for words in [
            format!("netns add {name}"),
            format!("link add {name} type veth peer name {peer} netns {name}"),
            format!("addr add {near}/30 dev {name}"),
            format!("link set {name} up"),
            format!("-n {name} addr add {far}/30 dev {peer}"),
            format!("-n {name} link set {peer} up"),
            format!("-n {name} link set lo up"),
        ] {
            ip(&words)?;
        }
        Ok(network)
    }

    fn link(&self, state: &str) {
        ip(&format!("link set {} {state}", self.name)).expect("the link goes up and down");
    }

    /// The same command, in this network.
    fn inside(&self, command: &Command) -> Command {
        let mut within = Command::new("ip");
        within.args(["netns", "exec", &self.name]).arg(command.get_program());
        within.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => within.env(name, value),
                None => within.env_remove(name),
            };
        }
        within
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // The link goes with one of its ends; it may never have been made.
        drop(ip(&format!("netns del {}", self.name)));
        drop(ip(&format!("link del {}", self.name)));
    }
}

/// Has `ip` do something, or says why it did not.
fn ip(args: &str) -> Result<(), String> {
    let said = match Command::new("ip").args(args.split(' ')).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(format!("`ip {args}`: {said}"))
}
