/*
 * fuzz_event.c
 *
 * Any bytes as an event and as a relay message.  The id check would stop
 * nearly every input, so an event refused for its id alone is given the right
 * one; an accepted event, written again, must parse to the same event.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "event.h"
#include "message.h"
#include "tags.h"

#define MUST(cond) do { if (!(cond)) abort(); } while (0)

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round_trip(const NostrEvent *ev)
{
	NostrBuf	json;
	NostrBuf	scratch;
	NostrEvent	got;

	nostr_buf_init(&json, 1 << 24);
	nostr_buf_init(&scratch, 1 << 24);
	nostr_event_json(ev, &json);
	MUST(!json.failed);
	MUST(nostr_event_parse((char *) json.data, json.len, &scratch, &got, NULL) == NOSTR_OK);
	MUST(got.form == ev->form && got.kind == ev->kind && got.created_at == ev->created_at);
	MUST(memcmp(got.id, ev->id, 32) == 0 && memcmp(got.sig, ev->sig, 64) == 0);
	MUST(got.tags_len == ev->tags_len && memcmp(got.tags, ev->tags, ev->tags_len) == 0);
	MUST(got.content_len == ev->content_len &&
		 memcmp(got.content, ev->content, ev->content_len) == 0);
	MUST(nostr_tags_valid(got.tags, got.tags_len));
	nostr_buf_free(&json);
	nostr_buf_free(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NostrBuf	scratch;
	NostrEvent	ev;
	NostrMessage m;
	NostrReject why;

	MUST(nostr_crypto_init());
	nostr_buf_init(&scratch, 1 << 24);
	why = nostr_event_parse((const char *) data, size, &scratch, &ev, NULL);
	if (why == NOSTR_ID_MISMATCH)
	{
		MUST(nostr_event_id(&ev, NOSTR_FORM_RAW, &scratch, ev.id));
		why = NOSTR_OK;
	}
	if (why == NOSTR_OK)
		check_round_trip(&ev);
	nostr_buf_reset(&scratch);
	if (nostr_message_parse((const char *) data, size, &scratch, &m) == NOSTR_MSG_EVENT)
		MUST(m.raw_len >= 2 && m.raw >= (const char *) data &&
			 m.raw + m.raw_len <= (const char *) data + size);
	nostr_message_prefix((const char *) data, size);
	nostr_buf_free(&scratch);
	return 0;
}
