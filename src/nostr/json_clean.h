/*
 * json_clean.h
 *
 * Makes foreign JSON harmless: parses it strictly (json.h) and rewrites it,
 * so that whoever reads the result sees only what this program wrote.
 */
#ifndef NOSTR_JSON_CLEAN_H
#define NOSTR_JSON_CLEAN_H

#include "event.h"

/*
 * Appends one JSON text to *out: no white space, escapes only where they must
 * be, nested at most NOSTR_JSON_MAX_DEPTH deep.  What PostgreSQL cannot hold is
 * left out: a string with U+0000 becomes null, a member of such a name goes, a
 * number of more than 32 characters or with an exponent beyond +-300 becomes
 * null.  The result is not longer than the text.
 *
 * NOSTR_OK, or why not (*at: byte where it went wrong).
 */
extern NostrReject nostr_json_clean(const char *text, size_t len, NostrBuf *out, size_t *at);

#endif
