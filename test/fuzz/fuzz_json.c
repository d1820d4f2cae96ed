/*
 * fuzz_json.c
 *
 * Any bytes as JSON, as JSON tags and as packed tags.  Tags that are accepted
 * in one form must survive the way through the other.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "tags.h"
#include "utf8.h"

#define MUST(cond) do { if (!(cond)) abort(); } while (0)

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_tags(const uint8_t *packed, size_t len)
{
	NostrBuf	json;
	NostrBuf	again;
	const char *reason;
	size_t		at;

	nostr_buf_init(&json, 1 << 24);
	nostr_buf_init(&again, 1 << 24);
	nostr_tags_to_json(packed, len, &json);
	if (nostr_tags_valid(packed, len))
	{
		MUST(nostr_utf8_valid(json.data, json.len));
		MUST(memchr(json.data, 0, json.len) == NULL);
		MUST(nostr_tags_from_json((char *) json.data, json.len, &again, &reason, &at));
		MUST(again.len == len && memcmp(again.data, packed, len) == 0);
	}
	nostr_buf_free(&json);
	nostr_buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	NostrJson	js;
	NostrBuf	buf;
	const uint8_t *s;
	size_t		len;
	const char *reason;
	size_t		at;
	bool		valid;

	nostr_buf_init(&buf, 1 << 24);
	nostr_json_init(&js, (const char *) data, size);
	valid = nostr_json_skip(&js) && nostr_json_end(&js);
	MUST(valid == (js.error == NOSTR_OK) && js.error_at <= size);
	nostr_json_init(&js, (const char *) data, size);
	if (nostr_json_string(&js, &buf, &s, &len))
		MUST(nostr_utf8_valid(s, len));
	nostr_buf_reset(&buf);
	if (nostr_tags_from_json((const char *) data, size, &buf, &reason, &at))
	{
		MUST(valid && nostr_tags_valid(buf.data, buf.len));
		check_tags(buf.data, buf.len);
	}
	else
		MUST(at <= size && reason != NULL);
	check_tags(data, size);
	nostr_buf_free(&buf);
	return 0;
}
