/*
 * json.h
 *
 * A strict RFC 8259 pull scanner over bytes in memory.
 *
 * The caller asks for what it expects; nothing is built.  Errors are sticky:
 * after the first one every call returns false or 0 and changes nothing.
 * Containers nest at most NOSTR_JSON_MAX_DEPTH deep.  Strings must be strict
 * UTF-8 with no raw control character; a lone surrogate escape is an error of
 * its own.
 *
 * Internal to src/nostr.
 */
#ifndef NOSTR_JSON_H
#define NOSTR_JSON_H

#include "event.h"

typedef struct NostrJson
{
	const uint8_t *start;
	const uint8_t *p;
	const uint8_t *end;
	int			depth;
	NostrReject error;			/* BAD_JSON, BAD_UTF8, LONE_SURROGATE,
								 * TOO_DEEP or OUT_OF_MEMORY */
	size_t		error_at;		/* offset from start */
} NostrJson;

extern void nostr_json_init(NostrJson *js, const char *text, size_t len);
/* Next byte that is not white space, not consumed; 0 at the end or on error. */
extern uint8_t nostr_json_peek(NostrJson *js);
/* Only white space is left. */
extern bool nostr_json_end(NostrJson *js);
/* '[' or '{' */
extern bool nostr_json_open(NostrJson *js, char bracket);
/* Inside a container: true when another element (or member) follows; false
 * when "close" was consumed, or on error.  *first starts out true. */
extern bool nostr_json_more(NostrJson *js, char close, bool *first);
extern bool nostr_json_colon(NostrJson *js);
/*
 * A string.  Without escapes *s points into the text; else the unescaped
 * bytes are appended to *buf and *s points there.  buf NULL: checked only, *s
 * is of no use.
 */
extern bool nostr_json_string(NostrJson *js, NostrBuf *buf,
							  const uint8_t **s, size_t *len);
/* The text of a number, as written. */
extern bool nostr_json_number(NostrJson *js, const uint8_t **s, size_t *len);
/* "true", "false" or "null"; false is an error. */
extern bool nostr_json_word(NostrJson *js, const char *word);
/* Any value, checked and dropped. */
extern bool nostr_json_skip(NostrJson *js);
/* The text of a number as a plain integer: no fraction, exponent or "-0". */
extern bool nostr_json_int64(const uint8_t *s, size_t len, int64_t *v);

#endif
