// What a client built on nostr-tools finds of an author on a relay, one event
// a line: those that the library has verified, and how it classes their kinds.
//   node fetch.js URL PUBKEY    "replaceable {...}", "addressable {...}"
import { Relay, useWebSocketImplementation } from 'nostr-tools/relay';
import { RelayDiscovery, RelayList, RelayMonitorAnnouncement, Metadata, classifyKind } from 'nostr-tools/kinds';
import { verifyEvent } from 'nostr-tools/pure';
import WebSocket from 'ws';

useWebSocketImplementation(WebSocket);
const [, , url, author] = process.argv;
const relay = await Relay.connect(url);
const kinds = [Metadata, RelayList, RelayMonitorAnnouncement, RelayDiscovery];
await new Promise((resolve) => {
	relay.subscribe([{ kinds, authors: [author] }], {
		onevent(event) {
			const { id, pubkey, created_at, kind, tags, content, sig } = event;
			const plain = { id, pubkey, created_at, kind, tags, content, sig };
			if (!verifyEvent(plain)) throw new Error(`${id} does not verify`);
			console.log(`${classifyKind(kind)} ${JSON.stringify(plain)}`);
		},
		oneose: resolve,
	});
});
relay.close();
