/*
 * test_event.c
 *
 * Events: golden vectors, every reason to refuse, and properties over random
 * events (deterministic: the seed is fixed).
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "crypto.h"
#include "event.h"
#include "hex.h"
#include "json.h"
#include "message.h"
#include "tags.h"
#include "utf8.h"

static NostrBuf scratch;
static NostrBuf text;
static NostrBuf other;
static uint64_t seed = 88172645463325252u;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t) (seed >> 32) % n;
}

static NostrReject
parse(const char *json, size_t len, NostrEvent *ev)
{
	nostr_buf_reset(&scratch);
	return nostr_event_parse(json, len, &scratch, ev, NULL);
}

static NostrReject
refuse(const char *json)
{
	NostrEvent	ev;

	return parse(json, strlen(json), &ev);
}

#define Z64 "0000000000000000000000000000000000000000000000000000000000000000"
#define Z63 "000000000000000000000000000000000000000000000000000000000000000"
#define ID "\"id\":\"" Z64 "\""
#define PK "\"pubkey\":\"" Z64 "\""
#define SIG "\"sig\":\"" Z64 Z64 "\""
#define HEAD "{" ID "," PK ","
#define TAIL "," SIG "}"
#define EV(created, kind, tags, content) HEAD "\"created_at\":" created \
	",\"kind\":" kind ",\"tags\":" tags ",\"content\":" content TAIL

static void
test_rejects(void)
{
	NostrEvent	ev;
	size_t		at;

	CHECK(refuse(EV("1", "1", "[]", "\"\"")) == NOSTR_ID_MISMATCH);
	CHECK(parse("", NOSTR_EVENT_MAX_SIZE + 1, &ev) == NOSTR_TOO_LARGE);
	CHECK(refuse("") == NOSTR_BAD_JSON);
	CHECK(refuse("{") == NOSTR_BAD_JSON);
	CHECK(refuse("{}x") == NOSTR_BAD_JSON);
	CHECK(refuse("{} ") == NOSTR_MISSING_FIELD);
	CHECK(refuse("{\"a\":1,}") == NOSTR_BAD_JSON);
	CHECK(refuse("{\"a\":tru}") == NOSTR_BAD_JSON);
	CHECK(refuse("{\"a\":\"\\x\"}") == NOSTR_BAD_JSON);
	CHECK(refuse("{\"a\":\"\\u12g4\"}") == NOSTR_BAD_JSON);
	CHECK(refuse("{\"a\":\"\n\"}") == NOSTR_BAD_JSON);
	CHECK(parse("{\"a\":\"\0\"}", 9, &ev) == NOSTR_BAD_JSON);
	CHECK(refuse("{\"a\":\"\xff\"}") == NOSTR_BAD_UTF8);
	CHECK(refuse("{\"a\":\"\xc0\x80\"}") == NOSTR_BAD_UTF8);
	CHECK(refuse("{\"a\":\"\xed\xa0\x80\"}") == NOSTR_BAD_UTF8);
	CHECK(refuse("{\"a\":\"\xf4\x90\x80\x80\"}") == NOSTR_BAD_UTF8);
	CHECK(refuse("{\"a\":\"\xf4\x8f\xbf\xbf\"}") == NOSTR_MISSING_FIELD);
	CHECK(refuse("{\"a\":\"\\ud800\"}") == NOSTR_LONE_SURROGATE);
	CHECK(refuse("{\"a\":\"\\udc00\"}") == NOSTR_LONE_SURROGATE);
	CHECK(refuse("{\"a\":\"\\ud800\\u0041\"}") == NOSTR_LONE_SURROGATE);
	CHECK(refuse("{\"a\":\"\\ud83d\\ude00\"}") == NOSTR_MISSING_FIELD);
	CHECK(refuse("[]") == NOSTR_NOT_OBJECT);
	CHECK(refuse("1") == NOSTR_NOT_OBJECT);
	CHECK(refuse("[") == NOSTR_BAD_JSON);
	CHECK(refuse("{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}") == NOSTR_MISSING_FIELD);
	CHECK(refuse("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}") == NOSTR_TOO_DEEP);
	CHECK(refuse("{" ID "," ID "," PK ",\"created_at\":1,\"kind\":1,\"tags\":[],"
				 "\"content\":\"\"" TAIL) == NOSTR_DUPLICATE_FIELD);
	CHECK(refuse("{" ID ",\"\\u0069d\":1," PK ",\"created_at\":1,\"kind\":1,\"tags\":[],"
				 "\"content\":\"\"" TAIL) == NOSTR_DUPLICATE_FIELD);
	CHECK(refuse(HEAD "\"x\":1,\"x\":2,\"created_at\":1,\"kind\":1,\"tags\":[],"
				 "\"content\":\"\"" TAIL) == NOSTR_ID_MISMATCH);
	CHECK(refuse("{\"id\":\"A" Z64 "\"," PK ",\"created_at\":1,\"kind\":1,"
				 "\"tags\":[],\"content\":\"\"" TAIL) == NOSTR_BAD_ID);
	CHECK(refuse("{" ID ",\"pubkey\":null,\"created_at\":1,\"kind\":1,"
				 "\"tags\":[],\"content\":\"\"" TAIL) == NOSTR_BAD_PUBKEY);
	CHECK(refuse(HEAD "\"created_at\":1,\"kind\":1,\"tags\":[],\"content\":\"\","
				 "\"sig\":\"\"}") == NOSTR_BAD_SIG);
	CHECK(refuse(EV("1", "1", "[]", "null")) == NOSTR_BAD_CONTENT);
	CHECK(refuse(EV("1", "65535", "[]", "\"\"")) == NOSTR_ID_MISMATCH);
	CHECK(refuse(EV("1", "65536", "[]", "\"\"")) == NOSTR_BAD_KIND);
	CHECK(refuse(EV("1", "-1", "[]", "\"\"")) == NOSTR_BAD_KIND);
	CHECK(refuse(EV("1", "\"1\"", "[]", "\"\"")) == NOSTR_BAD_KIND);
	CHECK(refuse(EV("1", "1", "{}", "\"\"")) == NOSTR_BAD_TAGS);
	CHECK(refuse(EV("1", "1", "[[]]", "\"\"")) == NOSTR_BAD_TAGS);
	CHECK(refuse(EV("1", "1", "[[\"a\",1]]", "\"\"")) == NOSTR_BAD_TAGS);
	CHECK(refuse(EV("1", "1", "[[1],[}", "\"\"")) == NOSTR_BAD_JSON);
	CHECK(refuse(EV("1", "1", "[\"a\"]", "\"\\ud800\"")) == NOSTR_LONE_SURROGATE);

	/* offset of the fault; the id is kept when it was read */
	nostr_buf_reset(&scratch);
	CHECK(nostr_event_parse("{\"id\":\"1" Z63 "\",!", 74, &scratch, &ev, &at) == NOSTR_BAD_JSON);
	CHECK(at == 73 && ev.id[0] == 0x10 && ev.tags != NULL);
	for (int i = 0; i < NOSTR_REJECT_COUNT; i++)
		CHECK(nostr_reject_name(i) != NULL && nostr_reject_text(i)[0] != 0);
	CHECK(strcmp(nostr_reject_name(NOSTR_ID_MISMATCH), "id_mismatch") == 0);
	CHECK(strcmp(nostr_reject_name(NOSTR_BAD_UTF8), "bad_utf8") == 0);
}

static void
test_numbers(void)
{
	static const char *const bad[] = {"1.0", "1e3", "-0", "9223372036854775808",
	"-9223372036854775809", "\"1\"", "null", "100000000000000000000"};
	static const char *const syntax[] = {"01", "-", "1.", "+1", ".5", "1e", "0x1", "-01"};
	static const char *const good[] = {"0", "-1", "9223372036854775807",
	"-9223372036854775808", "1700000000000"};
	char		json[1024];

#define TRY(number, want) \
	snprintf(json, sizeof(json), HEAD "\"created_at\":%s,\"kind\":1,\"tags\":[]," \
			 "\"content\":\"\"" TAIL, number); \
	CHECK(refuse(json) == (want))
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
	{
		TRY(bad[i], NOSTR_BAD_CREATED_AT);
	}
	for (size_t i = 0; i < sizeof(syntax) / sizeof(*syntax); i++)
	{
		TRY(syntax[i], NOSTR_BAD_JSON);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
	{
		TRY(good[i], NOSTR_ID_MISMATCH);
	}
	CHECK(nostr_event_key(-5, (uint8_t[32]) {0}) == 0);
	CHECK(nostr_event_key(INT64_MAX, (uint8_t[32]) {255, 255, 255, 255}) == INT64_MAX);
	CHECK(nostr_key_next(7) == 8);
	CHECK(nostr_key_next(INT64_MAX) == nostr_event_key(INT64_MAX, (uint8_t[32]) {0}));
	CHECK(nostr_event_key(1, (uint8_t[32]) {0, 0, 0, 8}) == (INT64_C(1) << 29 | 1));
}

static void
test_too_many_tags(void)
{
	nostr_buf_reset(&text);
	nostr_buf_append_str(&text, HEAD "\"created_at\":1,\"kind\":1,\"content\":\"\",\"tags\":[");
	for (int i = 0; i <= NOSTR_MAX_TAGS; i++)
		nostr_buf_append_str(&text, i == 0 ? "[\"a\"]" : ",[\"a\"]");
	nostr_buf_append_str(&text, "]" TAIL);
	nostr_buf_append_byte(&text, 0);
	CHECK(refuse((char *) text.data) == NOSTR_TOO_MANY_TAGS);
}

/* Test vectors 0, 1 and 6 of BIP-340's list. */
static void
test_bip340(void)
{
	static const char *const v[][5] = {
		{"0000000000000000000000000000000000000000000000000000000000000003",
			"f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
			"0000000000000000000000000000000000000000000000000000000000000000",
			"0000000000000000000000000000000000000000000000000000000000000000",
			"e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
		"25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"},
		{"b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
			"dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
			"0000000000000000000000000000000000000000000000000000000000000001",
			"243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
			"6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341"
		"8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a"},
	};

	for (size_t i = 0; i < 2; i++)
	{
		uint8_t		b[4][32];
		uint8_t		want[64];
		uint8_t		got[64];
		uint8_t		pub[32];

		for (int k = 0; k < 4; k++)
			CHECK(nostr_hex_decode(v[i][k], 64, b[k], 32));
		CHECK(nostr_hex_decode(v[i][4], 128, want, 64));
		CHECK(nostr_pubkey_from_seckey(b[0], pub) && memcmp(pub, b[1], 32) == 0);
		CHECK(nostr_schnorr_sign(b[0], b[3], b[2], got) && memcmp(got, want, 64) == 0);
		CHECK(nostr_schnorr_verify(want, b[3], b[1]));
		want[5] ^= 1;
		CHECK(!nostr_schnorr_verify(want, b[3], b[1]));
	}
	CHECK(!nostr_schnorr_sign((uint8_t[32]) {0}, (uint8_t[32]) {0}, NULL, (uint8_t[64]) {0}));
	{
		uint8_t		h[32];
		char		hex[64];

		nostr_sha256("abc", 3, h);
		nostr_hex_encode(h, 32, hex);
		CHECK(memcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 64) == 0);
		CHECK(!nostr_hex_decode("AB", 2, h, 1) && !nostr_hex_decode("abc", 3, h, 1));
	}
}

/* With remembered keys the answers are the same: keys that share a place, and
 * what is no key at all in the place of a good one. */
static void
test_key_cache(void)
{
	NostrKeyCache *c = nostr_key_cache_new();
	uint8_t		msg[32] = {7};
	uint8_t		before[64] = {0};

	CHECK(c != NULL);
	for (int i = 1; i <= 1500; i++)
	{
		uint8_t		sec[32] = {0};
		uint8_t		pub[32];
		uint8_t		bad[32];
		uint8_t		sig[64];

		sec[30] = (uint8_t) (i >> 8);
		sec[31] = (uint8_t) i;
		memset(bad, 0xff, sizeof(bad));
		CHECK(nostr_pubkey_from_seckey(sec, pub) && nostr_schnorr_sign(sec, msg, NULL, sig));
		memcpy(bad + 30, pub + 30, 2);
		for (int turn = 0; turn < 2; turn++)
		{
			CHECK(nostr_schnorr_verify_cached(c, sig, msg, pub));
			CHECK(!nostr_schnorr_verify_cached(c, before, msg, pub));
			CHECK(!nostr_schnorr_verify_cached(c, sig, msg, bad));
		}
		memcpy(before, sig, sizeof(sig));
	}
	nostr_key_cache_free(c);
}

/* Fills id and signature for the form; the key is the number 3. */
static void
sign(NostrEvent *ev, NostrForm form)
{
	static const uint8_t sec[32] = {[31] = 3};

	nostr_pubkey_from_seckey(sec, ev->pubkey);
	ev->form = form;
	CHECK(nostr_event_id(ev, form, &other, ev->id));
	CHECK(nostr_schnorr_sign(sec, ev->id, (uint8_t[32]) {0}, ev->sig));
}

static void
same_event(const NostrEvent *a, const NostrEvent *b)
{
	CHECK(memcmp(a->id, b->id, 32) == 0 && memcmp(a->pubkey, b->pubkey, 32) == 0);
	CHECK(memcmp(a->sig, b->sig, 64) == 0 && a->form == b->form);
	CHECK(a->created_at == b->created_at && a->kind == b->kind);
	CHECK(a->tags_len == b->tags_len && memcmp(a->tags, b->tags, a->tags_len) == 0);
	CHECK(a->content_len == b->content_len &&
		  (a->content_len == 0 || memcmp(a->content, b->content, a->content_len) == 0));
}

/* JSON and back; returns the parsed event, in scratch. */
static NostrEvent
round_trip(const NostrEvent *ev)
{
	NostrEvent	got;

	nostr_buf_reset(&text);
	nostr_event_json(ev, &text);
	CHECK(parse((char *) text.data, text.len, &got) == NOSTR_OK);
	same_event(ev, &got);
	CHECK(nostr_event_verify(&got));
	return got;
}

static void
canonical_is(const NostrEvent *ev, NostrForm form, const char *want, size_t len)
{
	nostr_buf_reset(&text);
	nostr_event_canonical(ev, form, &text);
	CHECK(text.len == len && memcmp(text.data, want, len) == 0);
}

static void
test_forms(void)
{
	static const uint8_t ctrl[] = "a\0\x01\x1f\x7f\"\\\n\r\t\b\f/\xc3\xa9";
	NostrEvent	ev = {.created_at = -7, .kind = 1, .tags = (uint8_t *) "\0", .tags_len = 1};

#define CANON "[0,\"" Z64 "\",-7,1,[],\""
#define IS(form, s) canonical_is(&ev, form, CANON s "\"]", sizeof(CANON s "\"]") - 1)
	ev.content = ctrl;
	ev.content_len = sizeof(ctrl) - 1;
	IS(NOSTR_FORM_RAW, "a\0\x01\x1f\x7f\\\"\\\\\\n\\r\\t\\b\\f/\xc3\xa9");
	IS(NOSTR_FORM_ESCAPED, "a\\u0000\\u0001\\u001f\x7f\\\"\\\\\\n\\r\\t\\b\\f/\xc3\xa9");
	IS(NOSTR_FORM_ESCAPED_DEL, "a\\u0000\\u0001\\u001f\\u007f\\\"\\\\\\n\\r\\t\\b\\f/\xc3\xa9");
	for (int form = 0; form < 3; form++)
	{
		sign(&ev, (NostrForm) form);
		round_trip(&ev);
		ev.content = (const uint8_t *) "";
		ev.content_len = 0;
		ev.tags = (const uint8_t *) "\1\2t\4\x01\x7f";
		ev.tags_len = 6;
		CHECK(nostr_tags_valid(ev.tags, ev.tags_len));
		sign(&ev, (NostrForm) form);
		round_trip(&ev);
		ev.content = ctrl;
		ev.content_len = sizeof(ctrl) - 1;
	}
	/* nothing to spell: all forms are the same text, and the event is RAW */
	ev.content = (const uint8_t *) "\b\t\n\f\r\"\\ plain";
	ev.content_len = 13;
	ev.tags = (const uint8_t *) "\0";
	ev.tags_len = 1;
	sign(&ev, NOSTR_FORM_ESCAPED_DEL);
	ev.form = NOSTR_FORM_RAW;
	round_trip(&ev);
}

static void
random_string(NostrBuf *b, uint32_t max)
{
	uint32_t	n = rnd(max);
	uint32_t	style = rnd(4);

	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t		c[4];
		uint32_t	cp = style == 0 ? rnd(128) : style == 1 ? rnd(0xd800) :
			style == 2 ? 0x10000 + rnd(0x100000) : (uint32_t) "0123456789abcdef"[rnd(16)];

		nostr_buf_append(b, c, nostr_utf8_encode(cp, c));
	}
}

static void
random_tags(NostrBuf *out)
{
	uint32_t	ntags = rnd(10) == 0 ? 130 : rnd(6);
	NostrBuf	s;

	nostr_buf_init(&s, 1 << 20);
	nostr_tags_begin(out, ntags);
	for (uint32_t t = 0; t < ntags; t++)
	{
		uint32_t	n = 1 + (rnd(50) == 0 ? rnd(300) : rnd(4));

		nostr_tags_tag(out, n);
		for (uint32_t e = 0; e < n; e++)
		{
			nostr_buf_reset(&s);
			random_string(&s, e == 0 ? 3 : 70);
			(e == 0 ? nostr_tags_name : nostr_tags_element) (out, s.data, s.len);
		}
	}
	nostr_buf_free(&s);
}

static void
test_random(void)
{
	NostrBuf	tags;
	NostrBuf	content;
	NostrBuf	back;

	nostr_buf_init(&tags, 1 << 24);
	nostr_buf_init(&content, 1 << 24);
	nostr_buf_init(&back, 1 << 24);
	for (int i = 0; i < 400; i++)
	{
		NostrEvent	ev = {.created_at = (int64_t) seed, .kind = (int32_t) rnd(65536)};
		NostrEvent	got;
		const char *why;
		size_t		at;

		nostr_buf_reset(&tags);
		nostr_buf_reset(&content);
		nostr_buf_reset(&back);
		random_tags(&tags);
		random_string(&content, rnd(20) == 0 ? 9000 : 300);
		ev.tags = tags.data;
		ev.tags_len = tags.len;
		ev.content = content.data != NULL ? content.data : (const uint8_t *) "";
		ev.content_len = content.len;
		CHECK(nostr_tags_valid(tags.data, tags.len));
		CHECK(!nostr_tags_valid(tags.data, tags.len - 1));
		sign(&ev, NOSTR_FORM_RAW);
		got = round_trip(&ev);

		/* the packed form is the only one for its JSON */
		nostr_buf_reset(&text);
		nostr_tags_to_json(got.tags, got.tags_len, &text);
		CHECK(nostr_tags_from_json((char *) text.data, text.len, &back, &why, &at));
		CHECK(back.len == tags.len && memcmp(back.data, tags.data, tags.len) == 0);

		/* mutation: one byte changed never gives another accepted event */
		nostr_buf_reset(&text);
		nostr_event_json(&ev, &text);
		for (int k = 0; k < 50; k++)
		{
			uint32_t	where = rnd((uint32_t) text.len);
			uint8_t		old = text.data[where];

			text.data[where] ^= (uint8_t) (1 + rnd(255));
			if (parse((char *) text.data, text.len, &got) == NOSTR_OK)
			{
				CHECK(memcmp(got.id, ev.id, 32) == 0);
				CHECK(memcmp(got.sig, ev.sig, 64) == 0 || !nostr_event_verify(&got));
			}
			text.data[where] = old;
		}
		/* so does cutting it short, and flipping packed tags does no harm */
		CHECK(parse((char *) text.data, rnd((uint32_t) text.len), &got) != NOSTR_OK);
		tags.data[rnd((uint32_t) tags.len)] ^= (uint8_t) (1 + rnd(255));
		nostr_buf_reset(&text);
		nostr_tags_to_json(tags.data, tags.len, &text);
		if (nostr_tags_valid(tags.data, tags.len))
		{
			nostr_buf_reset(&back);
			CHECK(nostr_tags_from_json((char *) text.data, text.len, &back, &why, &at));
			CHECK(back.len == tags.len && memcmp(back.data, tags.data, tags.len) == 0);
		}
	}
	nostr_buf_free(&tags);
	nostr_buf_free(&content);
	nostr_buf_free(&back);
}

static void
test_canonical_tags(void)
{
	const char *why;
	size_t		at;

#define ESCAPED_HEX "[[\"\\u0065\",\"\\u00301234567\\u00389abcdef\"]]"
#define VALID(s) nostr_tags_valid((const uint8_t *) s, sizeof(s) - 1)
	CHECK(VALID("\0") && !VALID("") && !VALID("\0\0") && !VALID("\x80\0"));
	CHECK(VALID("\1\1e") && VALID("\1\1\0\0") && !VALID("\1\1\0\2e"));
	CHECK(!VALID("\1\0") && !VALID("\1\1"  "1") && !VALID("\1\2e\4a"));
	CHECK(VALID("\1\2e\x11" "12345678") && !VALID("\1\2e\x0f" "1234567"));
	CHECK(!VALID("\1\2e\x20" "0123456789abcdef") && VALID("\1\2e\x20" "0123456789abcdeF"));
	CHECK(!VALID("\1\2e\2\xff"));
	nostr_buf_reset(&other);
	CHECK(nostr_tags_from_json(ESCAPED_HEX, strlen(ESCAPED_HEX), &other, &why, &at));
	CHECK(other.len == 12 && memcmp(other.data, "\1\2e\x11\x01\x23\x45\x67\x89\xab\xcd\xef", 12) == 0);
	nostr_buf_reset(&other);
	CHECK(!nostr_tags_from_json("[[\"a\"],2]", 9, &other, &why, &at) && at == 7);
	CHECK(other.len == 0 && !nostr_tags_from_json("[[\"a\"]", 6, &other, &why, &at));
}

static NostrMessage
message(const char *s)
{
	NostrMessage m;

	nostr_buf_reset(&scratch);
	nostr_message_parse(s, strlen(s), &scratch, &m);
	return m;
}

static const char *
prefix(const char *s)
{
	const char *p = nostr_message_prefix(s, strlen(s));

	return p != NULL ? p : "";
}

static void
test_message(void)
{
	NostrMessage m = message(" [\"EVENT\",\"s\\u0031\", {\"a\":\"}\\\"]\"} ]");

	CHECK(m.type == NOSTR_MSG_EVENT && strcmp(m.sub, "s1") == 0 && m.sub_len == 2);
	CHECK(m.raw_len == 12 && memcmp(m.raw, "{\"a\":\"}\\\"]\"}", 12) == 0);
	m = message("[\"EVENT\",\"s\",{\"a\":\"}");
	CHECK(m.type == NOSTR_MSG_INVALID && m.sub_len == 1 && m.sub[0] == 's' && m.raw == NULL);
	m = message("[\"EVENT\",\"s");
	CHECK(m.type == NOSTR_MSG_INVALID && m.sub_len == 0);
	m = message("[\"CLOSED\",\"s\",\"x");
	CHECK(m.type == NOSTR_MSG_INVALID && m.sub_len == 0);
	CHECK(message("[\"EVENT\",\"s\",1]").type == NOSTR_MSG_INVALID);
	CHECK(message("[\"EOSE\",\"s\"]").hint == NOSTR_HINT_NONE);
	CHECK(message("[\"EOSE\",\"s\",[\"finish\"]]").hint == NOSTR_HINT_FINISH);
	CHECK(message("[\"EOSE\",\"s\",[\"new\",1,{},\"finish\"]]").hint == NOSTR_HINT_FINISH);
	CHECK(message("[\"EOSE\",\"s\",[\"finish\",\"more\"]]").hint == NOSTR_HINT_MORE);
	CHECK(message("[\"EOSE\",\"s\",[]]").hint == NOSTR_HINT_NONE);
	CHECK(message("[\"EOSE\",\"s\",\"finish\"]").hint == NOSTR_HINT_NONE);
	CHECK(message("[\"EOSE\",\"s\",[\"more\"]]").hint == NOSTR_HINT_MORE);
	m = message("[\"CLOSED\",\"s\",\"auth-required: x\"]");
	CHECK(m.type == NOSTR_MSG_CLOSED && m.text_len == 16 && strcmp(m.sub, "s") == 0);
	CHECK(message("[\"CLOSED\",\"s\"]").text_len == 0);
	CHECK(message("[\"NOTICE\",\"hi\"]").text_len == 2);
	m = message("[\"OK\",\"ab\",true,\"\"]");
	CHECK(m.type == NOSTR_MSG_OK && m.ok && m.sub_len == 2);
	CHECK(message("[\"AUTH\",\"c\"]").type == NOSTR_MSG_AUTH);
	CHECK(message("[\"COUNT\",\"c\",{\"count\":1}]").type == NOSTR_MSG_UNKNOWN);
	m = message("[\"NEG-MSG\",\"n\",\"61\"]");
	CHECK(m.type == NOSTR_MSG_NEG_MSG && m.text_len == 2 && strcmp(m.sub, "n") == 0);
	m = message("[\"NEG-ERR\",\"n\",\"blocked: big\",500]");
	CHECK(m.type == NOSTR_MSG_NEG_ERR && m.text_len == 12 && m.number == 500);
	CHECK(message("[\"NEG-ERR\",\"n\",\"x\"]").number == 0);
	CHECK(message("[\"NEG-ERR\",\"n\",\"x\",1e3]").number == 0);
	CHECK(message("[\"NEG-ERR\",\"n\",\"x\",{},-1]").type == NOSTR_MSG_NEG_ERR);
	CHECK(message("[\"NEG-ERR\",\"n\",\"x\",-]").type == NOSTR_MSG_INVALID);
	CHECK(message("[1]").type == NOSTR_MSG_INVALID && message("[]").type == NOSTR_MSG_INVALID);
	CHECK(message("[\"EOSE\",\"s\"]x").type == NOSTR_MSG_INVALID);
	CHECK(strcmp(prefix("ERROR: auth-required: no"), "auth-required") == 0);
	CHECK(strcmp(prefix("bad: rate-limited: slow"), "rate-limited") == 0);
	CHECK(strcmp(prefix("error: x"), "error") == 0 && prefix("hello: x")[0] == 0);
}

int
main(void)
{
	CHECK(nostr_crypto_init() && nostr_crypto_init());
	nostr_buf_init(&scratch, 1 << 26);
	nostr_buf_init(&text, 1 << 26);
	nostr_buf_init(&other, 1 << 26);
	test_rejects();
	test_numbers();
	test_too_many_tags();
	test_bip340();
	test_key_cache();
	test_forms();
	test_random();
	test_canonical_tags();
	test_message();
	nostr_buf_free(&scratch);
	nostr_buf_free(&text);
	nostr_buf_free(&other);
	return check_done();
}
