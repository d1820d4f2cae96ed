/*
 * message.h
 *
 * Relay-to-client messages (NIP-01, 42, 45, 67, 77): ["TYPE", ...].
 *
 * Splits a message into its parts; an EVENT's object is only delimited here
 * (its syntax is checked by nostr_event_parse).  Strings are unescaped into
 * the scratch buffer and NUL-terminated there for convenience; the lengths
 * count.
 */
#ifndef NOSTR_MESSAGE_H
#define NOSTR_MESSAGE_H

#include "buf.h"

typedef enum NostrMessageType
{
	NOSTR_MSG_INVALID,			/* not a JSON array that starts with a string; sub,
								 * if it is an EVENT that breaks off behind it */
	NOSTR_MSG_UNKNOWN,			/* well-formed, verb not known */
	NOSTR_MSG_EVENT,			/* sub, raw */
	NOSTR_MSG_EOSE,				/* sub, hint */
	NOSTR_MSG_CLOSED,			/* sub, text */
	NOSTR_MSG_NOTICE,			/* text */
	NOSTR_MSG_OK,				/* sub = event id (hex), ok, text */
	NOSTR_MSG_AUTH,				/* text = challenge */
	NOSTR_MSG_NEG_MSG,			/* sub, text = the message in hex */
	NOSTR_MSG_NEG_ERR			/* sub, text, number = most records, 0 none */
} NostrMessageType;

typedef enum NostrEoseHint		/* NIP-67 */
{
	NOSTR_HINT_NONE,
	NOSTR_HINT_FINISH,
	NOSTR_HINT_MORE
} NostrEoseHint;

typedef struct NostrMessage
{
	NostrMessageType type;
	const char *sub;
	size_t		sub_len;
	const char *text;
	size_t		text_len;
	const char *raw;			/* EVENT: the object, inside the message itself */
	size_t		raw_len;
	bool		ok;
	NostrEoseHint hint;
	int64_t		number;
} NostrMessage;

extern NostrMessageType nostr_message_parse(const char *msg, size_t len,
											NostrBuf *scratch, NostrMessage *out);

/*
 * The machine-readable prefix of a CLOSED, OK or NOTICE text ("auth-required",
 * "rate-limited", "restricted", ...), found also behind "ERROR: " and other
 * words in front.  Returns a static string, or NULL when there is none.
 */
extern const char *nostr_message_prefix(const char *text, size_t len);

#endif
