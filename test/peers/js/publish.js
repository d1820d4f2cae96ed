// Fills a relay the way any client does, and asks it what it holds.
//   node publish.js publish URL < events    "accepted N refused M", then the reasons
//   node publish.js held URL < events       the ids it serves, asked for by id
// Every request has an answer within 60 seconds, or the program fails.
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const OPEN_REQUESTS = 10;
const IDS_PER_REQUEST = 100;
const [, , verb, url] = process.argv;

const lines = [];
for await (const line of createInterface({ input: process.stdin })) lines.push(line);
const ids = lines.map((line) => JSON.parse(line).id);

const socket = new WebSocket(url);
await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
const watchdog = setTimeout(() => fail('the relay is silent'), 60000);
function fail(why) {
	console.error(`publish: ${why}`);
	process.exit(1);
}
socket.on('close', () => fail('the relay closed the connection'));
socket.on('error', (error) => fail(error.message));

// requests: texts to send; answered(message) is true for the last answer to one
async function run(requests, answered) {
	let next = 0;
	let open = 0;
	await new Promise((resolve) => {
		const more = () => {
			while (open < OPEN_REQUESTS && next < requests.length) {
				socket.send(requests[next++]);
				open++;
			}
			if (open === 0) resolve();
		};
		socket.on('message', (data) => {
			watchdog.refresh();
			if (answered(JSON.parse(data.toString()))) {
				open--;
				more();
			}
		});
		more();
	});
}

if (verb === 'publish') {
	const refused = new Map();
	let accepted = 0;
	await run(lines.map((line) => `["EVENT",${line}]`), ([type, , ok, reason]) => {
		if (type === 'NOTICE') fail(`NOTICE ${JSON.stringify(ok)}`);
		if (type !== 'OK') return false;
		if (ok) accepted++;
		else refused.set(reason, (refused.get(reason) ?? 0) + 1);
		return true;
	});
	console.log(`accepted ${accepted} refused ${lines.length - accepted}`);
	for (const [reason, count] of refused) console.log(`${count} ${reason}`);
} else if (verb === 'held') {
	const requests = [];
	for (let i = 0; i < ids.length; i += IDS_PER_REQUEST) {
		requests.push(JSON.stringify(['REQ', `h${i}`, { ids: ids.slice(i, i + IDS_PER_REQUEST) }]));
	}
	const held = new Set();
	const done = new Set();
	await run(requests, ([type, subscription, event]) => {
		if (type === 'EVENT') held.add(event.id);
		if (type === 'CLOSED' && event !== '') fail(`CLOSED ${JSON.stringify(event)}`);
		if ((type !== 'EOSE' && type !== 'CLOSED') || done.has(subscription)) return false;
		done.add(subscription);
		socket.send(JSON.stringify(['CLOSE', subscription]));
		return true;
	});
	for (const id of [...held].sort()) console.log(id);
} else {
	fail('publish or held?');
}
// no process.exit: what is still on its way into a pipe would be lost
clearTimeout(watchdog);
socket.removeAllListeners('close');
socket.close();
