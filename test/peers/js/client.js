// nostr-tools as a client; see test/peers/README.md for what it says.
import { createInterface } from 'node:readline';
import { finalizeEvent, generateSecretKey, getEventHash, validateEvent, verifyEvent } from 'nostr-tools/pure';
import { naddrEncode, neventEncode, noteEncode, nprofileEncode, npubEncode } from 'nostr-tools/nip19';

const relays = ['wss://relay.example.org'];

function check(line) {
	const event = JSON.parse(line);
	if (!validateEvent(event) || getEventHash(event) !== event.id || !verifyEvent(event)) return 'invalid';
	const { id, pubkey, kind } = event;
	return [
		'valid',
		npubEncode(pubkey),
		noteEncode(id),
		neventEncode({ id, relays, author: pubkey, kind }),
		nprofileEncode({ pubkey, relays }),
		naddrEncode({ pubkey, kind: 30023, identifier: 'a b', relays }),
	].join(' ');
}

const key = generateSecretKey();
let n = 0;
function make(line) {
	const content = JSON.parse(line);
	const tags = [
		['t', content],
		['longer name', '', String(n)],
	];
	return JSON.stringify(finalizeEvent({ kind: n, created_at: 1700000000 + n++, tags, content }, key));
}

const answer = { check, make }[process.argv[2]];
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) console.log(answer(line));
