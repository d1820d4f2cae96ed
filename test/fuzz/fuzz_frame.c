/*
 * fuzz_frame.c
 *
 * Any bytes, split into frames and read as events and fields.
 */
#include "../../src/nostr/pgfree.h"

#include "../../src/nostr/event.h"
#include "../../src/wire/messages.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WireFrame	f;
	size_t		used;

	while (wire_next(data, size, &f, &used) == 1)
	{
		WireReader	r;
		NostrEvent	ev;
		int64_t		key;
		size_t		n;

		wire_reader(&r, &f);
		wire_get_event(&r, &key, &ev);
		wire_done(&r);
		wire_reader(&r, &f);
		while (!r.bad && !wire_done(&r))
			wire_get_bytes(&r, WIRE_MAX_TEXT, &n);
		data += used;
		size -= used;
	}
	return 0;
}
