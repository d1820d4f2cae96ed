/*
 * genmix.c
 *
 * Makes N signed events that are hard to count, one JSON line each, the same
 * for the same seed: genmix COUNT SEED NOW
 *
 * Few authors, kinds of every category, times that are often the same second
 * and sometimes beyond any date, d tags that are missing, empty, long, or
 * hold U+0000.
 */
#include "gen.h"

#define AUTHORS 12

static void
tag(NostrBuf *out, const char *name, const void *value, size_t len)
{
	nostr_tags_tag(out, 2);
	nostr_tags_name(out, (const uint8_t *) name, strlen(name));
	nostr_tags_element(out, value, len);
}

static void
make_tags(NostrBuf *out)
{
	static char long_value[5000];

	switch (rnd() % 8)
	{
		case 0:
			nostr_tags_begin(out, 0);
			return;
		case 1:					/* a first d tag without a value */
			nostr_tags_begin(out, 2);
			nostr_tags_tag(out, 1);
			nostr_tags_name(out, (const uint8_t *) "d", 1);
			tag(out, "d", "behind", 6);
			return;
		case 2:
			nostr_tags_begin(out, 1);
			tag(out, "d", "", 0);
			return;
		case 3:
			memset(long_value, 'x', sizeof(long_value));
			nostr_tags_begin(out, 1);
			tag(out, "d", long_value, sizeof(long_value));
			return;
		case 4:
			nostr_tags_begin(out, 2);
			tag(out, "d", "a\0b", 3);
			tag(out, "t", "nostr", 5);
			return;
		default:
			nostr_tags_begin(out, 3);
			tag(out, "t", rnd() % 2 ? "nostr" : "Bitcoin", rnd() % 2 ? 5 : 3);
			tag(out, "d", rnd() % 2 ? "one" : "two", 3);
			tag(out, "d", "second", 6);
	}
}

static int64_t
make_time(int64_t now)
{
	static const int64_t odd[] = {0, -1, -86401, INT64_MIN, INT64_MAX, INT64_C(1) << 34,
	(INT64_C(1) << 34) - 1, INT64_C(400000000000000)};

	switch (rnd() % 16)
	{
		case 0:
			return odd[rnd() % 8];
		case 1:
			return now - (int64_t) (rnd() % 7200);
		case 2:
			return now - (int64_t) (rnd() % (40 * 86400));
		case 3:
			return now + (int64_t) (rnd() % 100000);
		case 4:
			return 1500000000 + (int64_t) (rnd() % 200000000);
		default:				/* few seconds, many ties */
			return 1700000000 + (int64_t) (rnd() % 4) * 50000;
	}
}

int
main(int argc, char **argv)
{
	static const int kinds[] = {0, 0, 1, 1, 1, 3, 3, 7, 44, 45, 1111, 10002, 10002, 20001,
	30000, 30023, 30023, 30023, 39999, 40000, 65535};
	long		count = argc > 1 ? atol(argv[1]) : 1000;
	int64_t		now = argc > 3 ? atoll(argv[3]) : 1700000000;
	uint8_t		seckey[AUTHORS][32];
	NostrBuf	tags, json;

	gen_random.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (count <= 0 || !nostr_crypto_init())
		return 1;
	gen_keys(seckey, AUTHORS);
	nostr_buf_init(&tags, 1 << 20);
	nostr_buf_init(&json, 1 << 22);
	for (long i = 0; i < count; i++)
	{
		NostrEvent	ev = {0};
		char		content[32];

		nostr_buf_reset(&tags);
		make_tags(&tags);
		ev.created_at = make_time(now);
		ev.kind = kinds[rnd() % (sizeof(kinds) / sizeof(kinds[0]))];
		ev.tags = tags.data;
		ev.tags_len = tags.len;
		ev.content = (const uint8_t *) content;
		ev.content_len = (size_t) snprintf(content, sizeof(content), "%ld", i);
		gen_write(&ev, seckey[rnd() % AUTHORS], &json, stdout);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
