//! The negentropy crate behind the lines of drive.c.
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use std::error::Error;
use std::io::{self, BufRead, Write};

type Session = Negentropy<'static, NegentropyStorageVector>;

fn unhex(s: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    (0..s.len())
        .step_by(2)
        .map(|i| Ok(u8::from_str_radix(s.get(i..i + 2).ok_or("odd")?, 16)?))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut s = String::with_capacity(2 * bytes.len());
    for b in bytes {
        s.push(DIGITS[(b >> 4) as usize] as char);
        s.push(DIGITS[(b & 15) as usize] as char);
    }
    s
}

struct Peer {
    storage: NegentropyStorageVector,
    session: Option<Session>,
    client: bool,
    frame: u64,
}

impl Peer {
    fn message(&mut self, text: &str, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
        let query = unhex(text)?;
        let session = self.session.as_mut().ok_or("not sealed")?;
        if !self.client {
            writeln!(out, "msg {}", hex(&session.reconcile(&query)?))?;
            return Ok(());
        }
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let next = session.reconcile_with_ids(&query, &mut have, &mut need)?;
        for id in &have {
            writeln!(out, "have {}", hex(id.as_bytes()))?;
        }
        for id in &need {
            writeln!(out, "need {}", hex(id.as_bytes()))?;
        }
        match next {
            Some(msg) => writeln!(out, "msg {}", hex(&msg))?,
            None => writeln!(out, "done")?,
        }
        Ok(())
    }

    fn line(&mut self, line: &str, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["start", role, frame] => {
                self.storage = NegentropyStorageVector::new();
                self.session = None;
                self.client = role == "client";
                self.frame = frame.parse()?;
            }
            ["item", timestamp, id] => {
                self.storage.insert(timestamp.parse()?, Id::from_slice(&unhex(id)?)?)?;
            }
            ["seal"] => {
                let mut storage = std::mem::take(&mut self.storage);
                storage.seal()?;
                let session = self.session.insert(Negentropy::owned(storage, self.frame)?);
                if self.client {
                    writeln!(out, "msg {}", hex(&session.initiate()?))?;
                }
            }
            ["msg", text] => self.message(text, out)?,
            _ => return Err("what?".into()),
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut peer = Peer {
        storage: NegentropyStorageVector::new(),
        session: None,
        client: false,
        frame: 0,
    };
    for line in io::stdin().lock().lines() {
        if let Err(e) = peer.line(&line?, &mut out) {
            writeln!(out, "error {e}")?;
        }
        out.flush()?;
    }
    Ok(())
}
