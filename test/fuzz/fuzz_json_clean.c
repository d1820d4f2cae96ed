/*
 * fuzz_json_clean.c
 *
 * Any bytes: what is accepted is not longer, holds no U+0000 and no control
 * character, is accepted again and stays as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/json_clean.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NostrBuf	a;
	NostrBuf	b;
	size_t		at;

	nostr_buf_init(&a, size + 64);
	nostr_buf_init(&b, size + 64);
	if (nostr_json_clean((const char *) data, size, &a, &at) == NOSTR_OK)
	{
		if (a.len > size)
			abort();
		for (size_t i = 0; i < a.len; i++)
			if (a.data[i] < ' ')
				abort();
		for (size_t i = 0; i + 6 <= a.len; i++)
		{
			size_t		slashes = 0;

			while (slashes < i && a.data[i - 1 - slashes] == '\\')
				slashes++;
			if (slashes % 2 == 0 && memcmp(a.data + i, "\\u0000", 6) == 0)
				abort();
		}
		if (nostr_json_clean((const char *) a.data, a.len, &b, &at) != NOSTR_OK ||
			a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
			abort();
	}
	nostr_buf_free(&a);
	nostr_buf_free(&b);
	return 0;
}
