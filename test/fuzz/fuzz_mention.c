/*
 * fuzz_mention.c
 *
 * Any tags and any content of any kind: what is found is canonical, once, and
 * within the bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/mention.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int kinds[] = {1, 2, 3, 6, 10002, 10050, 30166, 30002};
	NostrEvent	ev = {0};
	NostrMentions m;
	size_t		cut;

	if (size < 3)
		return 0;
	ev.kind = kinds[data[0] % 8];
	cut = (size_t) (data[1] << 8 | data[2]) % (size - 2);
	ev.tags = data + 3;
	ev.tags_len = cut < size - 3 ? cut : size - 3;
	ev.content = ev.tags + ev.tags_len;
	ev.content_len = size - 3 - ev.tags_len;
	nostr_mentions_init(&m);
	nostr_mentions_find(&m, &ev, data[0] & 8);
	if (m.n > NOSTR_MENTIONS_MAX)
		abort();
	for (int i = 0; i < m.n; i++)
	{
		const char *url = nostr_mention_url(&m, i);
		NostrRelayUrl u;

		if (m.item[i].via == 0 || m.item[i].via >= 1u << NOSTR_VIA_COUNT ||
			nostr_relay_url_parse(url, strlen(url), data[0] & 8, &u) != NOSTR_URL_OK ||
			strcmp(u.url, url) != 0)
			abort();
		for (int k = 0; k < i; k++)
			if (strcmp(nostr_mention_url(&m, k), url) == 0)
				abort();
	}
	nostr_mentions_free(&m);
	return 0;
}
