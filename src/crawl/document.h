/*
 * document.h
 *
 * Metadata documents: canonical JSON and its SHA-256, as the Python system
 * defines them, so that one document has one id in both.
 *
 * Members are sorted by code point; null, {} and [] are dropped from the
 * inside out, also from lists; what lies deeper than DOCUMENT_MAX_DEPTH is
 * dropped; no white space; UTF-8 is not escaped; floats are written as
 * Python's repr does.  Empty strings, 0 and false stay.
 */
#ifndef CRAWL_DOCUMENT_H
#define CRAWL_DOCUMENT_H

#include <jansson.h>

#include "../nostr/buf.h"

#define DOCUMENT_MAX_DEPTH	50
#define DOCUMENT_MAX_SIZE	(4 * 1024 * 1024)

/* Appends the canonical form.  false: a string holds U+0000, which neither
 * text nor jsonb can store, or *out is full. */
extern bool document_write(NostrBuf *out, const json_t *document);

/* {"data": data, "logs": logs}: the shape in which results are stored.
 * Takes both references.  NULL: out of memory. */
extern json_t *document_result(json_t *data, json_t *logs);

/* {"success": true} or {"success": false, "reason": reason}; cut and cleaned
 * with crawl_text_append.  NULL: out of memory. */
extern json_t *document_logs(bool success, const char *reason);

#endif
