/*
 * nip77.h
 *
 * The client's side of a NIP-77 conversation about one filter: which events
 * does the relay hold that we lack?  A pure state machine: relay messages go
 * in, text to send comes out, time is the caller's.
 *
 *   nostr_nip77_init, _open -> text to send
 *   each message of the relay: _receive -> maybe text to send
 *   outcome != RUNNING: read need, have, reason; _free
 *   no answer in time: _close -> text to send; _free
 *
 * The caller sees to it that the set holds what it archived of that relay
 * for that filter, and passes NOTICEs only while nothing but the negentropy
 * question is unanswered: they name no subscription.
 */
#ifndef NOSTR_NIP77_H
#define NOSTR_NIP77_H

#include "message.h"
#include "negentropy.h"

#define NOSTR_NIP77_MAX_SUB 64

typedef enum NostrNip77Outcome
{
	NOSTR_NIP77_RUNNING = 0,
	NOSTR_NIP77_AGREED,			/* need and have are all the differences */
	NOSTR_NIP77_PARTIAL,		/* max_need ids were found, there are more */
	NOSTR_NIP77_TOO_LARGE,		/* too much for the relay or for us: ask for less */
	NOSTR_NIP77_UNSUPPORTED,	/* the relay does not speak negentropy protocol 1 */
	NOSTR_NIP77_AUTH_REQUIRED,	/* authenticate, then begin anew */
	NOSTR_NIP77_RATE_LIMITED,	/* later */
	NOSTR_NIP77_LOST,			/* the relay forgot the conversation: begin anew */
	NOSTR_NIP77_REFUSED,		/* for any other reason of the relay's */
	NOSTR_NIP77_BROKEN			/* the relay breaks the protocol */
} NostrNip77Outcome;

typedef struct NostrNip77
{
	NostrNip77Outcome outcome;
	NostrBuf	need;			/* 32 bytes each; sorted, once each; true
								 * whatever the outcome is */
	size_t		have;			/* of ours the relay lacks; at most, because a
								 * relay may make us count some twice */
	uint64_t	max_records;	/* TOO_LARGE: the most the relay takes, 0 unknown */
	char		reason[200];	/* why it ended; foreign text, cut anywhere */

	/* private but for neg.rounds, neg.bytes_in, neg.bytes_out */
	NostrNeg	neg;
	char		sub[NOSTR_NIP77_MAX_SUB + 1];
	bool		answered;
	NostrBuf	in;
	NostrBuf	out;
} NostrNip77;

/*
 * sub: characters that need no escape in JSON.  set and [since, until]
 * (inclusive) as for nostr_neg_client; the filter must say the same.
 */
extern void nostr_nip77_init(NostrNip77 *c, const char *sub, const NostrNegSet *set,
							 uint64_t since, uint64_t until,
							 const NostrNegLimits *limits, size_t max_need);
extern void nostr_nip77_free(NostrNip77 *c);

/*
 * The texts to send replace the content of "text", which must have room for
 * twice limits.frame, the filter and 200 bytes more; else it fails.
 */
/* filter: a JSON object */
extern void nostr_nip77_open(NostrNip77 *c, const char *filter, size_t len, NostrBuf *text);
/*
 * false: the message is not part of this conversation.  Else text->len is 0
 * when there is nothing to send.
 */
extern bool nostr_nip77_receive(NostrNip77 *c, const NostrMessage *m, NostrBuf *text);
/* Gives up a conversation that is RUNNING. */
extern void nostr_nip77_close(NostrNip77 *c, NostrBuf *text);

#endif
