/*
 * test_wire.c
 *
 * Frames: round trips, malformed ones, random bytes.
 */
#include "../../src/nostr/pgfree.h"

#include <stdlib.h>

#include "../../src/nostr/event.h"
#include "../../src/wire/messages.h"
#include "check.h"

static void
round_trip(void)
{
	NostrBuf	b;
	NostrEvent	ev = {.created_at = -5, .kind = 65535, .form = NOSTR_FORM_ESCAPED};
	NostrEvent	got;
	WireFrame	f;
	WireReader	r;
	size_t		used;
	size_t		mark;
	int64_t		key;

	nostr_buf_init(&b, 1 << 20);
	memset(ev.id, 1, 32);
	memset(ev.sig, 2, 64);
	ev.tags = (const uint8_t *) "\0";
	ev.tags_len = 1;
	ev.content = (const uint8_t *) "a\0b";
	ev.content_len = 3;
	mark = wire_begin(&b, WIRE_EVENTS, 77);
	wire_put_event(&b, -9, &ev);
	wire_put_u16(&b, 0xABCD);
	wire_end(&b, mark);
	for (size_t cut = 0; cut < b.len; cut++)
		CHECK(wire_next(b.data, cut, &f, &used) == 0);
	CHECK(wire_next(b.data, b.len, &f, &used) == 1);
	CHECK(used == b.len && f.type == WIRE_EVENTS && f.job == 77);
	wire_reader(&r, &f);
	wire_get_event(&r, &key, &got);
	CHECK(!r.bad && !wire_done(&r));
	CHECK(wire_get_u16(&r) == 0xABCD && wire_done(&r));
	CHECK(key == -9 && got.created_at == -5 && got.kind == 65535);
	CHECK(memcmp(got.id, ev.id, 32) == 0 && memcmp(got.sig, ev.sig, 64) == 0);
	CHECK(got.content_len == 3 && memcmp(got.content, "a\0b", 3) == 0);
	CHECK(wire_get_u8(&r) == 0 && r.bad);
	nostr_buf_free(&b);
}

static void
malformed(void)
{
	static const struct
	{
		uint8_t		b[16];
		size_t		len;
		int			want;
	}			t[] = {
		{{0}, 0, 0},
		{{0xFF, 0xFF, 0xFF, 0xFF}, 4, -1},
		{{1, 0, 0x80, 1}, 4, -1},		/* one over the limit */
		{{0, 0, 0x80, 1}, 4, 0},		/* the limit */
		{{0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0}, 12, -1},		/* not zero */
		{{0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 12, 1},
		{{1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}, 12, 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
	{
		WireFrame	f;
		size_t		used;

		CHECK(wire_next(t[i].b, t[i].len, &f, &used) == t[i].want);
	}
}

static void
mention(void)
{
	WireMention m = {7, 0x10001, "wss://a.net", 11};
	WireMention back;
	WireFrame	f;
	WireReader	r;
	NostrBuf	b;

	nostr_buf_init(&b, 5000);
	wire_put_mention(&b, &m);
	f = (WireFrame) {WIRE_EVENTS, 1, b.data, (uint32_t) b.len};
	wire_reader(&r, &f);
	wire_get_mention(&r, &back);
	CHECK(wire_done(&r) && back.event == 7 && back.via == 0x10001 &&
		  back.url_len == 11 && memcmp(back.url, "wss://a.net", 11) == 0);
	for (f.len = 0; f.len < b.len; f.len++)
	{
		wire_reader(&r, &f);
		wire_get_mention(&r, &back);
		CHECK(r.bad);
	}
	nostr_buf_free(&b);
}

static void
random_bytes(void)
{
	srandom(1);
	for (int i = 0; i < 20000; i++)
	{
		size_t		n = (size_t) random() % 300;
		uint8_t    *p = malloc(n + 1);
		WireFrame	f = {1, 1, p, (uint32_t) n};
		WireReader	r;
		NostrEvent	ev;
		int64_t		key;
		size_t		len;

		for (size_t k = 0; k < n; k++)
			p[k] = random() % 4 ? 0 : (uint8_t) random();
		wire_reader(&r, &f);
		wire_get_event(&r, &key, &ev);
		if (!r.bad && ev.content_len > n)
			CHECK(false);
		wire_reader(&r, &f);
		while (!r.bad && !wire_done(&r))
			if (wire_get_bytes(&r, 100, &len) != NULL && len > 100)
				CHECK(false);
		free(p);
	}
	CHECK(true);
}

int
main(void)
{
	round_trip();
	malformed();
	mention();
	random_bytes();
	return check_done();
}
