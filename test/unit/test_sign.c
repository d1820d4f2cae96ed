/*
 * test_sign.c
 *
 * Events that we make verify, are the same each time, and carry the work.
 */
#include <stdlib.h>

#include "check.h"
#include "nostr/crypto.h"
#include "nostr/sign.h"
#include "nostr/tags.h"

static const uint8_t key[32] = {[31] = 3};

static void
pack(NostrBuf *b, const char *json)
{
	const char *reason;
	size_t		offset;

	nostr_buf_reset(b);
	CHECK(nostr_tags_from_json(json, strlen(json), b, &reason, &offset));
}

static NostrEvent
template(const NostrBuf *tags)
{
	NostrEvent	ev = {.kind = 22456, .created_at = 1700000000, .tags = tags->data, .tags_len = tags->len};

	ev.content = (const uint8_t *) "nip66-test";
	ev.content_len = 10;
	return ev;
}

static void
signing(NostrBuf *tags)
{
	static const uint8_t zero[32];
	NostrEvent	a;
	NostrEvent	b;
	NostrEvent	back;
	NostrBuf	text;
	NostrBuf	scratch;

	nostr_buf_init(&text, 65536);
	nostr_buf_init(&scratch, 65536);
	pack(tags, "[[\"d\",\"wss://relay.example.org\"],[\"x\"]]");
	a = b = template(tags);
	CHECK(nostr_event_sign(&a, key) && nostr_event_sign(&b, key));
	CHECK(memcmp(a.sig, b.sig, 64) == 0 && nostr_event_verify(&a));
	nostr_event_json(&a, &text);
	CHECK(nostr_event_parse((char *) text.data, text.len, &scratch, &back, NULL) == NOSTR_OK);
	CHECK(memcmp(back.id, a.id, 32) == 0 && nostr_event_verify(&back));
	CHECK(!nostr_event_sign(&a, zero));
	nostr_buf_free(&text);
	nostr_buf_free(&scratch);
}

static void
work(NostrBuf *tags)
{
	uint8_t		id[32] = {0};
	NostrEvent	ev;
	NostrPow	pow;
	NostrBuf	json;
	int			steps = 1;

	CHECK(nostr_pow_bits(id) == 256);
	id[0] = 0x80;
	CHECK(nostr_pow_bits(id) == 0);
	id[0] = 0, id[1] = 0x1F;
	CHECK(nostr_pow_bits(id) == 11);

	pack(tags, "[[\"d\",\"wss://relay.example.org\"]]");
	ev = template(tags);
	CHECK(nostr_pubkey_from_seckey(key, ev.pubkey));
	nostr_pow_start(&pow, tags->data, tags->len, 12);
	while (!nostr_pow_step(&pow, &ev, 100))
		steps++;
	CHECK(steps > 1 && pow.nonce <= 100u * steps && nostr_pow_bits(ev.id) >= 12);
	CHECK(nostr_event_sign(&ev, key) && nostr_pow_bits(ev.id) >= 12 && nostr_event_verify(&ev));
	CHECK(nostr_tags_valid(ev.tags, ev.tags_len));
	nostr_buf_init(&json, 65536);
	nostr_tags_to_json(ev.tags, ev.tags_len, &json);
	nostr_buf_append_byte(&json, '\0');
	CHECK(strncmp((char *) json.data, "[[\"d\",\"wss://relay.example.org\"],[\"nonce\",\"", 42) == 0);
	CHECK(strstr((char *) json.data, "\",\"12\"]]") != NULL);
	nostr_buf_free(&json);
	nostr_pow_end(&pow);
}

int
main(void)
{
	NostrBuf	tags;

	CHECK(nostr_crypto_init());
	nostr_buf_init(&tags, 65536);
	signing(&tags);
	work(&tags);
	nostr_buf_free(&tags);
	return check_done();
}
