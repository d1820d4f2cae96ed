/*
 * genevents.c
 *
 * Makes N signed events, one JSON line each, newest last, the same for the
 * same seed: genevents COUNT [SEED [FIRST_CREATED_AT [SPAN_SECONDS]]]
 *
 * Sizes and kinds follow roughly what the network shows (mean about 700
 * bytes); authors are few, so that making keys is not the cost.
 */
#include "nostr/hex.h"
#include "gen.h"

#define AUTHORS 256

static void
make_tags(NostrBuf *out)
{
	int			n = (int) (rnd() % 5);
	char		hex[64];
	uint8_t		id[32];

	nostr_tags_begin(out, n);
	for (int i = 0; i < n; i++)
	{
		const char *name = i % 2 == 0 ? "p" : "e";

		for (int b = 0; b < 32; b++)
			id[b] = (uint8_t) rnd();
		nostr_hex_encode(id, 32, hex);
		nostr_tags_tag(out, 2);
		nostr_tags_name(out, (const uint8_t *) name, 1);
		nostr_tags_element(out, (const uint8_t *) hex, 64);
	}
}

static void
make_content(NostrBuf *out)
{
	static const char *const words[] = {"nostr", "relay", "zap", "gm", "\xc3\xa9t\xc3\xa9",
	"event", "\"quoted\"", "line\nbreak", "\xf0\x9f\x98\x80", "signature", "https://example.net/a"};
	int			n = (int) (rnd() % 60);

	for (int i = 0; i < n; i++)
	{
		nostr_buf_append_str(out, words[rnd() % 11]);
		nostr_buf_append_byte(out, ' ');
	}
}

int
main(int argc, char **argv)
{
	static const int kinds[] = {1, 1, 1, 1, 7, 7, 4, 0, 3, 6, 5, 9735, 1059, 10002};
	long		count = argc > 1 ? atol(argv[1]) : 1000;
	int64_t		first = argc > 3 ? atoll(argv[3]) : 1700000000;
	int64_t		span = argc > 4 ? atoll(argv[4]) : 86400 * 30;
	uint8_t		seckey[AUTHORS][32];
	NostrBuf	tags, content, json;

	gen_random.state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	if (count <= 0 || span <= 0 || !nostr_crypto_init())
		return 1;
	gen_keys(seckey, AUTHORS);
	nostr_buf_init(&tags, 1 << 20);
	nostr_buf_init(&content, 1 << 20);
	nostr_buf_init(&json, 1 << 22);
	for (long i = 0; i < count; i++)
	{
		NostrEvent	ev = {0};
		int			a = (int) (rnd() % AUTHORS);

		nostr_buf_reset(&tags);
		nostr_buf_reset(&content);
		make_tags(&tags);
		make_content(&content);
		ev.created_at = first + (int64_t) ((double) i / count * span);
		ev.kind = kinds[rnd() % 14];
		ev.tags = tags.data;
		ev.tags_len = tags.len;
		ev.content = content.len > 0 ? content.data : (const uint8_t *) "";
		ev.content_len = content.len;
		gen_write(&ev, seckey[a], &json, stdout);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
