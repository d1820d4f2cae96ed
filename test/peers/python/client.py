"""pynostr as a client; see test/peers/README.md for what it says."""

import json
import sys

from pynostr.event import Event
from pynostr.key import PrivateKey, PublicKey


def check(line):
    given = json.loads(line)
    event = Event.from_dict(given)
    if event.id != given["id"] or not event.verify():
        return "invalid"
    # it writes no nevent, nprofile or naddr
    return f"valid {PublicKey.from_hex(event.pubkey).bech32()} {event.bech32()} - - -"


key = PrivateKey()
made = 0


def make(line):
    global made
    content = json.loads(line)
    tags = [["t", content], ["longer name", "", str(made)]]
    event = Event(content, pubkey=key.public_key.hex(), created_at=1700000000 + made, kind=made, tags=tags)
    event.sign(key.hex())
    made += 1
    return json.dumps(event.to_dict())


answer = {"check": check, "make": make}[sys.argv[1]]
sys.stdin.reconfigure(newline="\n", encoding="utf-8")
for text in sys.stdin:
    print(answer(text))
