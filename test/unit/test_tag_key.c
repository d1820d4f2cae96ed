/*
 * Codes are on disk, in indexes: these values never change.
 */
#include <string.h>

#include "check.h"
#include "event.h"
#include "tag_key.h"

static int32_t
tag(char letter, const char *value)
{
	uint8_t		dst[256];
	NostrTagElement el = nostr_tag_element_of((const uint8_t *) value, strlen(value), dst);

	return nostr_tag_code((uint8_t) letter, &el);
}

int
main(void)
{
	uint8_t		key[32];
	NostrBuf	tags;
	NostrTagIter it;
	NostrTagElement el;
	uint8_t		letter;

	for (int i = 0; i < 32; i++)
		key[i] = (uint8_t) (i * 7 + 3);

	CHECK(tag('t', "nostr") == -2036781870);
	CHECK(tag('T', "nostr") == 844525312);
	CHECK(tag('t', "") == 551002026);
	CHECK(tag('e', "0123456789abcdef") == -416384566);
	CHECK(tag('e', "0123456789abcdeF") == -1317053432);

	CHECK(nostr_id_code(key) == -942746148);
	CHECK(nostr_author_code(key, 0) == -942746176);
	CHECK(nostr_author_code(key, 31) == -942746145);
	CHECK(nostr_author_code(key, 30023) == -942746137);
	for (int32_t k = 0; k <= 65535; k++)
	{
		int64_t		off = (int64_t) nostr_author_code(key, k) - nostr_author_code(key, 0);

		CHECK(off >= 0 && off < NOSTR_KIND_CODES);
	}

	CHECK(nostr_time_code(0) == INT32_MIN);
	CHECK(nostr_time_code(INT64_C(1700000000) << 29) == 1700000000 + INT32_MIN);
	CHECK(nostr_time_code((INT64_C(1700000001) << 29) - 1) == 1700000000 + INT32_MIN);
	CHECK(nostr_time_code(INT64_C(4294967295) << 29) == INT32_MAX);
	CHECK(nostr_time_code(INT64_MAX) == INT32_MAX);
	CHECK(nostr_time_slot(0) == 0);
	CHECK(nostr_time_slot(INT64_MIN) == 0);
	CHECK(nostr_time_slot(-1) == 0);
	CHECK(nostr_time_slot((INT64_C(256) << 29) - 1) == 0);
	CHECK(nostr_time_slot(INT64_C(256) << 29) == 1);
	CHECK(nostr_time_slot(INT64_C(1700000000) << 29) == 1700000000 / 256);
	CHECK(nostr_time_slot(INT64_C(4294967295) << 29) == (1 << 24) - 1);
	CHECK(nostr_time_slot(INT64_MAX) == (1 << 24) - 1);

	/* only single letters with a value */
	nostr_buf_init(&tags, 1024);
	nostr_tags_begin(&tags, 4);
	nostr_tags_tag(&tags, 1);
	nostr_tags_name(&tags, (const uint8_t *) "d", 1);
	nostr_tags_tag(&tags, 2);
	nostr_tags_name(&tags, (const uint8_t *) "title", 5);
	nostr_tags_element(&tags, (const uint8_t *) "x", 1);
	nostr_tags_tag(&tags, 3);
	nostr_tags_name(&tags, (const uint8_t *) "Z", 1);
	nostr_tags_element(&tags, (const uint8_t *) "one", 3);
	nostr_tags_element(&tags, (const uint8_t *) "two", 3);
	nostr_tags_tag(&tags, 2);
	nostr_tags_name(&tags, (const uint8_t *) "d", 1);
	nostr_tags_element(&tags, (const uint8_t *) "", 0);
	nostr_tags_iter(&it, tags.data, tags.len);
	CHECK(nostr_tags_next_letter(&it, &letter, &el) && letter == 'Z' && el.len == 3);
	CHECK(nostr_tags_next_letter(&it, &letter, &el) && letter == 'd' && el.len == 0);
	CHECK(!nostr_tags_next_letter(&it, &letter, &el));
	nostr_buf_free(&tags);
	return check_done();
}
