/*
 * What events say about others.  Codes are on disk: these values never change.
 */
#include <string.h>

#include "check.h"
#include "hex.h"
#include "ruling.h"
#include "tag_key.h"

#define ME		"0a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3"
#define OTHER	"1a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dce3"

static uint8_t me[32];

/* Rulings of an event as text: sort, kind, length of the value's text. */
static const char *
said(int32_t kind, const char *json)
{
	static char out[1024];
	NostrBuf	tags;
	NostrRulingIter it;
	NostrRuling r;
	const char *reason;
	size_t		offset;

	nostr_buf_init(&tags, 1 << 20);
	CHECK(nostr_tags_from_json(json, strlen(json), &tags, &reason, &offset));
	out[0] = '\0';
	nostr_rulings(&it, kind, me, tags.data, tags.len);
	while (nostr_ruling_next(&it, &r))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%c%d/%zu ", "eavx"[r.sort], r.kind,
				 nostr_tag_element_text_len(&r.value));
	nostr_buf_free(&tags);
	return out;
}

static int64_t
code(NostrRulingSort sort, int32_t kind, const char *value, bool raw)
{
	uint8_t		dst[256];
	NostrTagElement el = {(const uint8_t *) value, strlen(value), false};

	if (!raw)
		el = nostr_tag_element_of((const uint8_t *) value, strlen(value), dst);
	return nostr_ruling_code(me, &(NostrRuling) {sort, kind, el});
}

int
main(void)
{
	CHECK(nostr_hex_decode(ME, 64, me, 32));

	/* what says nothing */
	CHECK_STR(said(1, "[[\"e\",\"" ME "\"]]"), "");
	CHECK_STR(said(20001, "[[\"d\",\"x\"]]"), "");
	CHECK_STR(said(40000, "[[\"d\",\"x\"]]"), "");
	/* versions */
	CHECK_STR(said(0, "[[\"d\",\"x\"]]"), "v0/0 ");
	CHECK_STR(said(19999, "[]"), "v19999/0 ");
	CHECK_STR(said(30000, "[[\"t\"],[\"dd\",\"y\"],[\"d\",\"xyz\"],[\"d\",\"z\"]]"), "v30000/3 ");
	/* the first one counts, also without a value */
	CHECK_STR(said(30000, "[[\"d\"],[\"d\",\"xyz\"]]"), "v30000/0 ");
	CHECK_STR(said(39999, "[]"), "v39999/0 ");
	CHECK_STR(said(30000, "[[\"d\",\"0123456789abcdef\"]]"), "v30000/16 ");
	/* deletions by id */
	CHECK_STR(said(5, "[[\"e\",\"" ME "\"],[\"e\",\"" OTHER "\",\"x\"],[\"e\",\"short\"],[\"e\"],[\"p\",\"" ME "\"]]"), "e0/64 e0/64 ");
	/* and by address, of the author only, in exactly one form */
	CHECK_STR(said(5, "[[\"a\",\"30023:" ME ":\"],[\"a\",\"30023:" ME ":a:b\"],[\"a\",\"30023:" OTHER ":\"]]"), "a30023/0 a30023/3 ");
	CHECK_STR(said(5, "[[\"a\",\"0:" ME ":\"],[\"a\",\"0:" ME ":x\"],[\"a\",\"00:" ME ":\"],[\"a\",\"1:" ME ":\"]]"), "a0/0 ");
	CHECK_STR(said(5, "[[\"a\",\"0:" ME "\"],[\"a\",\":" ME ":\"],[\"a\",\"99999999999:" ME ":\"],[\"a\",\"\"],[\"a\",\"030023:" ME ":\"]]"), "");
	/* requests to vanish */
	CHECK_STR(said(62, "[[\"relay\",\"ALL_RELAYS\"],[\"relay\"],[\"x\",\"y\"],[\"relay\",\"wss://a.io\"]]"), "x0/10 x0/10 ");
	/* without tags */
	for (int kind = 0; kind <= 65535; kind++)
	{
		NostrRulingIter it;
		NostrRuling r;

		nostr_rulings(&it, kind, me, (const uint8_t *) "", 0);
		CHECK(nostr_ruling_next(&it, &r) == nostr_kind_is_versioned(kind));
		CHECK(!nostr_ruling_next(&it, &r));
	}

	/* one text has one code, however it is stored */
	CHECK(code(NOSTR_RULES_VERSION, 30023, "0123456789abcdef", false) == code(NOSTR_RULES_VERSION, 30023, "0123456789abcdef", true));
	CHECK(code(NOSTR_RULES_VERSION, 30023, "a", false) != code(NOSTR_RULES_ADDRESS, 30023, "a", false));
	CHECK(code(NOSTR_RULES_VERSION, 30023, "a", false) != code(NOSTR_RULES_VERSION, 30024, "a", false));
	CHECK(code(NOSTR_RULES_VERSION, 0, "", false) == INT64_C(-7344148291990890966));
	CHECK(code(NOSTR_RULES_VERSION, 30023, "a", false) == INT64_C(-6612464544148529453));
	CHECK(code(NOSTR_RULES_ADDRESS, 30023, "0123456789abcdef", false) == INT64_C(8408197422881413913));
	CHECK(code(NOSTR_RULES_EVENT, 0, OTHER, false) == INT64_C(4676533459889863375));
	CHECK(code(NOSTR_RULES_VANISH, 0, "ALL_RELAYS", false) == INT64_C(-5449995564334163012));
	return check_done();
}
