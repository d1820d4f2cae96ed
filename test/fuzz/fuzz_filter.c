/*
 * fuzz_filter.c
 *
 * Any bytes as a filter.  The canonical text of an accepted one must be
 * accepted and be its own canonical text; the rest of the input, as packed
 * tags, must never make a match look outside of them.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "filter.h"

#define MUST(cond) do { if (!(cond)) abort(); } while (0)

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The answer must not depend on how the filter was written. */
static void
check_canonical(const NostrFilter *f, const NostrEvent *ev)
{
	NostrFilter again;
	NostrBuf	a;
	NostrBuf	b;

	nostr_buf_init(&a, 1 << 24);
	nostr_buf_init(&b, 1 << 24);
	nostr_filter_json(f, &a);
	MUST(!a.failed && memchr(a.data, 0, a.len) == NULL);
	MUST(nostr_filter_parse((char *) a.data, a.len, &again, NULL) == NOSTR_FILTER_OK);
	nostr_filter_json(&again, &b);
	MUST(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	MUST(nostr_filter_match(f, ev) == nostr_filter_match(&again, ev));
	MUST(!nostr_filter_never(f) || !nostr_filter_match(f, ev));
	nostr_filter_free(&again);
	nostr_buf_free(&a);
	nostr_buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size > 0 ? memchr(data, 0, size) : NULL;
	size_t		n = cut != NULL ? (size_t) (cut - data) : size;
	NostrEvent	ev = {.kind = 1, .created_at = 1};
	NostrFilter f;
	size_t		offset;

	ev.tags = cut != NULL ? cut + 1 : (const uint8_t *) "";
	ev.tags_len = cut != NULL ? size - n - 1 : 1;
	if (nostr_filter_parse((const char *) data, n, &f, &offset) == NOSTR_FILTER_OK)
		check_canonical(&f, &ev);
	else
		MUST(offset <= n);
	nostr_filter_free(&f);
	return 0;
}
