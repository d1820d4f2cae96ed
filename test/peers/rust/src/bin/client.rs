//! The nostr crate as a client; see test/peers/README.md for what it says.

use std::io::BufRead;

use nostr::nips::nip01::Coordinate;
use nostr::nips::nip19::{Nip19Coordinate, Nip19Event, Nip19Profile, ToBech32};
use nostr::prelude::*;

type Error = Box<dyn std::error::Error>;

const HINT: &str = "wss://relay.example.org";

fn names(event: &Event) -> Result<String, Error> {
    let hint = RelayUrl::parse(HINT)?;
    let nevent = Nip19Event::new(event.id)
        .author(event.pubkey)
        .kind(event.kind)
        .relays([hint.clone()]);
    let address = Coordinate::new(Kind::LongFormTextNote, event.pubkey).identifier("a b");
    Ok(format!(
        "{} {} {} {} {}",
        event.pubkey.to_bech32()?,
        event.id.to_bech32()?,
        nevent.to_bech32()?,
        Nip19Profile::new(event.pubkey, [hint.clone()]).to_bech32()?,
        Nip19Coordinate::new(address, [hint]).to_bech32()?
    ))
}

fn check() -> Result<(), Error> {
    for line in std::io::stdin().lock().lines() {
        match Event::from_json(line?) {
            Ok(event) if event.verify().is_ok() => println!("valid {}", names(&event)?),
            _ => println!("invalid"),
        }
    }
    Ok(())
}

fn make() -> Result<(), Error> {
    let keys = Keys::generate();
    for (n, content) in std::io::stdin().lock().lines().enumerate() {
        let content: String = serde_json::from_str(&content?)?;
        let tags = [
            Tag::custom(TagKind::custom("t"), [content.clone()]),
            Tag::custom(TagKind::custom("longer name"), [String::new(), n.to_string()]),
        ];
        let event = EventBuilder::new(Kind::from(n as u16), content)
            .tags(tags)
            .custom_created_at(Timestamp::from(1_700_000_000 + n as u64))
            .sign_with_keys(&keys)?;
        println!("{}", event.as_json());
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    match std::env::args().nth(1).as_deref() {
        Some("check") => check(),
        Some("make") => make(),
        _ => Err("usage: client check|make".into()),
    }
}
