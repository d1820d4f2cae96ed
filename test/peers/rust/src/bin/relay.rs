//! A relay made of nostr-relay-builder, in memory, loopback only, with NIP-77;
//! with the argument "auth" it takes events after NIP-42 only.
//! Prints "listening PORT" and runs until its standard input ends.

use std::io::Read;

use nostr_relay_builder::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = MemoryDatabase::with_opts(MemoryDatabaseOptions {
        events: true,
        max_events: None,
    });
    let mut builder = RelayBuilder::default()
        .database(database)
        .max_filter_limit(500)
        .rate_limit(RateLimit {
            max_reqs: 500,
            notes_per_minute: u32::MAX,
        });
    if std::env::args().any(|a| a == "auth") {
        builder = builder.nip42(RelayBuilderNip42 {
            mode: RelayBuilderNip42Mode::Write,
        });
    }
    let relay = LocalRelay::new(builder);
    relay.run().await?;
    let url = relay.url().await.to_string();
    println!("listening {}", url.trim_end_matches('/').rsplit(':').next().unwrap_or(""));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
