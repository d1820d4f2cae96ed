-- Addresses and NIP-19 names.
SELECT url, bigbrotr.relay_normalize(url) AS normal, bigbrotr.relay_reject_reason(url) AS reason
FROM unnest(ARRAY['WSS://Relay.Nostr.ORG:443/', 'ws://nos.nostr.org', 'wss://relay.nostr.org/a/../b/',
	'https://relay.nostr.org', 'relay.nostr.org', 'wss://relay.example.com', 'wss://localhost', 'wss://127.0.0.1', 'wss://user@relay.nostr.org',
	'wss://relay.nostr.org/?x=1', '']) AS url;
SELECT bigbrotr.npub(decode('f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9', 'hex'));
SELECT encode(bigbrotr.nip19_decode(bigbrotr.npub(decode('f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9', 'hex'))), 'hex');
SELECT encode(bigbrotr.nip19_decode(bigbrotr.note(decode(repeat('ab', 32), 'hex'))), 'hex');
SELECT bigbrotr.npub('\x00');
SELECT bigbrotr.nip19_decode('npub1');
-- the example of NIP-19
SELECT bigbrotr.nip19_decode('nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5');
