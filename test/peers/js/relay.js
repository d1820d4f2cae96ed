// A relay made of the @nostr-relay packages, SQLite in memory, loopback only.
// Prints "listening PORT".  Usage: node relay.js
import { WebSocketServer } from 'ws';
import core from '@nostr-relay/core';
import sqlite from '@nostr-relay/event-repository-sqlite';
import validation from '@nostr-relay/validator';

const repository = new sqlite.EventRepositorySqlite(':memory:');
await repository.init();
const relay = new core.NostrRelay(repository, { logLevel: 3 });
const validator = new validation.Validator();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });

server.on('connection', (socket) => {
	relay.handleConnection(socket, '127.0.0.1');
	socket.on('message', async (data) => {
		try {
			await relay.handleMessage(socket, await validator.validateIncomingMessage(data));
		} catch (error) {
			socket.send(JSON.stringify(['NOTICE', String(error.message)]));
		}
	});
	socket.on('close', () => relay.handleDisconnect(socket));
	socket.on('error', () => socket.terminate());
});
server.on('listening', () => console.log(`listening ${server.address().port}`));
