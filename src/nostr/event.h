/*
 * event.h
 *
 * A Nostr event (NIP-01): strict one-pass parser, canonical form, id,
 * signature (BIP-340), and the archive's key.
 *
 * The same bytes always give the same answer.  Everything is checked in this
 * order, and the first failure is reported: size, JSON syntax and UTF-8,
 * fields (all seven present, once each, right type and range, lower-case
 * hex), id, and, separately, the signature.  Unknown members are skipped
 * but must be well-formed JSON.  A lone surrogate is an error; U+0000 is
 * allowed.
 */
#ifndef NOSTR_EVENT_H
#define NOSTR_EVENT_H

#include "buf.h"

#define NOSTR_EVENT_MAX_SIZE	(16 * 1024 * 1024)	/* bytes of JSON text, absolute */
#define NOSTR_JSON_MAX_DEPTH	16
#define NOSTR_MAX_KIND			65535

/*
 * NIP-01 leaves open how control characters other than \b \t \n \f \r are
 * written in the hashed text; three forms exist in the wild.  Tried in this
 * order; the one that gives the id is kept, so that the event can be written
 * and verified again.  An event without such characters is always RAW.
 */
typedef enum NostrForm
{
	NOSTR_FORM_RAW = 0,			/* the byte itself, as NIP-01 says */
	NOSTR_FORM_ESCAPED = 1,		/* \u00xx below 0x20 (JavaScript, serde) */
	NOSTR_FORM_ESCAPED_DEL = 2	/* and \u007f for 0x7F (taocpp/json) */
} NostrForm;

/* Why an event was refused.  Values are internal; the names are the API. */
typedef enum NostrReject
{
	NOSTR_OK = 0,
	NOSTR_TOO_LARGE,
	NOSTR_BAD_JSON,
	NOSTR_BAD_UTF8,
	NOSTR_LONE_SURROGATE,
	NOSTR_TOO_DEEP,
	NOSTR_NOT_OBJECT,
	NOSTR_DUPLICATE_FIELD,
	NOSTR_MISSING_FIELD,
	NOSTR_BAD_ID,
	NOSTR_BAD_PUBKEY,
	NOSTR_BAD_CREATED_AT,
	NOSTR_BAD_KIND,
	NOSTR_BAD_TAGS,
	NOSTR_TOO_MANY_TAGS,
	NOSTR_BAD_CONTENT,
	NOSTR_BAD_SIG,
	NOSTR_ID_MISMATCH,
	NOSTR_INVALID_SIGNATURE,
	NOSTR_OUT_OF_MEMORY,
	NOSTR_REJECT_COUNT
} NostrReject;

typedef struct NostrEvent
{
	uint8_t		id[32];
	uint8_t		pubkey[32];
	uint8_t		sig[64];
	int64_t		created_at;		/* seconds since 1970, any int64 */
	int32_t		kind;			/* 0..65535 */
	NostrForm	form;
	const uint8_t *tags;		/* packed, see tags.h; never NULL after parse */
	size_t		tags_len;
	const uint8_t *content;		/* unescaped UTF-8, may hold U+0000 */
	size_t		content_len;
} NostrEvent;

/* Stable snake_case name ("id_mismatch") and a sentence for people. */
extern const char *nostr_reject_name(NostrReject r);
extern const char *nostr_reject_text(NostrReject r);

/*
 * Parses one event and checks all but the signature.  "tags" and "content"
 * of *ev point into *scratch, which is appended to, never reset: valid until
 * the caller resets or frees it (growing moves it: parse computes the
 * pointers last, so only the latest event parsed into one scratch is valid,
 * unless the caller copies).  On failure *ev holds what was read so far
 * (id, when it was readable, else zeros).  *offset (may be NULL): byte where
 * syntax failed.
 */
extern NostrReject nostr_event_parse(const char *json, size_t len,
									 NostrBuf *scratch, NostrEvent *ev,
									 size_t *offset);

/* BIP-340 over ev->id.  Thread-safe after nostr_crypto_init. */
extern bool nostr_event_verify(const NostrEvent *ev);

/* The canonical text that is hashed: [0,pubkey,created_at,kind,tags,content] */
extern void nostr_event_canonical(const NostrEvent *ev, NostrForm form, NostrBuf *out);
extern bool nostr_event_id(const NostrEvent *ev, NostrForm form,
						   NostrBuf *scratch, uint8_t id[32]);

/* The event as one line of compact, valid JSON in NIP-01's member order. */
extern void nostr_event_json(const NostrEvent *ev, NostrBuf *out);

/*
 * The archive's key: created_at clamped to [0, 2^34) in the high bits, the
 * first 29 bits of the id in the low ones.  Always >= 0.
 */
#define NOSTR_KEY_ID_BITS	29
#define NOSTR_KEY_MAX_TIME	((INT64_C(1) << 34) - 1)
extern int64_t nostr_event_key(int64_t created_at, const uint8_t id[32]);

/* Where an event goes whose key another one has.  Above the last key there is
 * none: its second begins again. */
static inline int64_t
nostr_key_next(int64_t key)
{
	return key < INT64_MAX ? key + 1 : NOSTR_KEY_MAX_TIME << NOSTR_KEY_ID_BITS;
}

#endif
