/*
 * fuzz_obspack.c
 *
 * Any bytes as a packed list of observations: what is accepted packs to the
 * same bytes again.
 */
#include "../../src/nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/obspack.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NostrObsReader r;
	NostrObs   *o;
	uint8_t    *again;
	int64_t		first;
	size_t		n = 0;
	int			rc;

	if (size < 8)
		return 0;
	memcpy(&first, data, 8);
	data += 8, size -= 8;
	if (!nostr_obs_open(&r, data, size, first, 7))
		return 0;
	o = malloc((size + 1) * sizeof(*o));
	while ((rc = nostr_obs_next(&r, &o[n])) == 1)
	{
		if (n > 0 && nostr_obs_cmp_event(&o[n - 1], &o[n]) >= 0)
			abort();
		n++;
	}
	if (rc == 0)
	{
		again = malloc(NOSTR_OBS_HEADER + n * NOSTR_OBS_ITEM_MAX);
		if (nostr_obs_pack(o, n, data[0], again) != size || memcmp(again, data, size) != 0)
			abort();
		free(again);
	}
	free(o);
	return 0;
}
