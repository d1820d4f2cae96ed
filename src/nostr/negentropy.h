/*
 * negentropy.h
 *
 * Set reconciliation (negentropy protocol 1, appendix of NIP-77): two sides
 * that hold sets of (timestamp, id) find out what the other lacks for a few
 * bytes per difference.  The client asks and learns; the server answers.
 *
 * No I/O.  Every message, set, report and number of rounds is bounded, and
 * nothing that a peer sends can do more than end the session with a reason.
 * A lying peer can hide what it holds, as it can in any protocol.
 *
 * Calls nostr_sha256: nostr_crypto_init comes first.
 */
#ifndef NOSTR_NEGENTROPY_H
#define NOSTR_NEGENTROPY_H

#include "buf.h"

#define NOSTR_NEG_VERSION		0x61	/* protocol 1 */
#define NOSTR_NEG_MIN_FRAME		4096	/* bytes; shorter frames might not progress */
#define NOSTR_NEG_MAX_MESSAGE	(4 * 1024 * 1024)	/* bytes, absolute, both directions */
#define NOSTR_NEG_MAX_SET		(16 * 1024 * 1024)	/* items, absolute */

/* ------------------------------------------------------------------ sets */

/* Ordered by timestamp, then by id as bytes.  UINT64_MAX is no timestamp. */
typedef struct NostrNegItem
{
	uint64_t	timestamp;
	uint8_t		id[32];
} NostrNegItem;

/*
 * Items, then sums over them: 40 bytes each and 2 for the sums.  One set may
 * serve any number of sessions, each over a part of it.
 */
typedef struct NostrNegSet
{
	NostrNegItem *items;
	size_t		n;
	size_t		cap;
	size_t		max;			/* items; adding more fails */
	uint64_t  (*sums)[4];		/* sums[k]: of the first k blocks of items */
	bool		sealed;
	bool		failed;			/* sticky: too many items, out of memory */
} NostrNegSet;

extern void nostr_neg_set_init(NostrNegSet *set, size_t max);
extern void nostr_neg_set_free(NostrNegSet *set);	/* back to the state after init */
/* false: full, out of memory, already sealed, or the reserved timestamp */
extern bool nostr_neg_set_add(NostrNegSet *set, uint64_t timestamp, const uint8_t id[32]);
/*
 * Sorts and sums.  An item that was added twice is held once.  Cheapest when
 * the items came in order, ascending or descending.  false: out of memory, or
 * an add had failed.
 */
extern bool nostr_neg_set_seal(NostrNegSet *set);
/* Index of the first item at or after timestamp; n when there is none. */
extern size_t nostr_neg_set_find(const NostrNegSet *set, uint64_t timestamp);

/* -------------------------------------------------------------- sessions */

typedef enum NostrNegStatus
{
	NOSTR_NEG_SEND,				/* "out" is the next message for the peer */
	NOSTR_NEG_DONE,				/* client: all differences are reported */
	NOSTR_NEG_FAILED			/* see error; the session is over */
} NostrNegStatus;

typedef enum NostrNegError
{
	NOSTR_NEG_OK = 0,
	NOSTR_NEG_UNSUPPORTED,		/* the peer speaks another version: peer_version */
	NOSTR_NEG_TOO_LONG,			/* a message beyond limits.message */
	NOSTR_NEG_MALFORMED,		/* cut off, overlong numbers, unknown mode, ... */
	NOSTR_NEG_CONTRADICTION,	/* bounds that descend, an id twice in a list,
								 * an answer to what was not asked */
	NOSTR_NEG_NO_PROGRESS,		/* the peer's answer leaves us where we were */
	NOSTR_NEG_TOO_MANY_ROUNDS,	/* limits.rounds */
	NOSTR_NEG_TOO_MANY_IDS,		/* limits.ids; what was reported stays true */
	NOSTR_NEG_OUT_OF_MEMORY,
	NOSTR_NEG_ERROR_COUNT
} NostrNegError;

/* Zero means the default, which is the most for "message". */
typedef struct NostrNegLimits
{
	size_t		frame;			/* bytes of the messages we write; default 60,000,
								 * so that the hex form fits strfry's 131,072 */
	size_t		message;		/* bytes of the messages we accept */
	uint32_t	rounds;			/* answers that a client accepts; default 1024 */
	size_t		ids;			/* reports to "found"; default 1,000,000 */
} NostrNegLimits;

/*
 * A difference: the peer lacks it (have) or we lack it (!have).  A server
 * with a frame limit of its own may make us report an id more than once.
 */
typedef void (*NostrNegFound) (void *arg, bool have, const uint8_t id[32]);

#define NOSTR_NEG_MAX_HELD 64

typedef struct NostrNeg
{
	const NostrNegSet *set;
	size_t		first;			/* the part of the set: [first, end) */
	size_t		end;
	bool		client;
	NostrNegLimits limits;
	NostrNegFound found;
	void	   *arg;

	/* to be read at any time */
	NostrNegError error;
	uint8_t		peer_version;	/* UNSUPPORTED: its version byte */
	uint32_t	rounds;			/* messages received */
	size_t		reported;
	uint64_t	bytes_in;
	uint64_t	bytes_out;

	/* private */
	NostrNegItem asked_lower;	/* first range of our last message that wants an answer */
	NostrNegItem asked_upper;
	NostrBuf	scratch;
	NostrBuf	held_bytes;		/* parts of answers that we had no room to react to */
	struct
	{
		size_t		at;
		uint64_t	timestamp;
		NostrNegItem lower;
	}			held[NOSTR_NEG_MAX_HELD];	/* ascending towards [0] */
	int			n_held;
} NostrNeg;

/*
 * A session over the items of "set" (sealed, kept by the caller) whose
 * timestamps lie in [since, until]; "limits" may be NULL.
 */
extern void nostr_neg_client(NostrNeg *neg, const NostrNegSet *set,
							 uint64_t since, uint64_t until, const NostrNegLimits *limits,
							 NostrNegFound found, void *arg);
extern void nostr_neg_server(NostrNeg *neg, const NostrNegSet *set,
							 uint64_t since, uint64_t until, const NostrNegLimits *limits);
extern void nostr_neg_free(NostrNeg *neg);

/* Client: the first message.  "out" is overwritten, here and below. */
extern NostrNegStatus nostr_neg_open(NostrNeg *neg, NostrBuf *out);
/*
 * The peer's message.  A server answers every one it can read with SEND: a
 * version it does not speak with the one it does.
 */
extern NostrNegStatus nostr_neg_receive(NostrNeg *neg, const uint8_t *msg, size_t len,
										NostrBuf *out);

/* Stable snake_case name and a sentence for people. */
extern const char *nostr_neg_error_name(NostrNegError error);
extern const char *nostr_neg_error_text(NostrNegError error);

#endif
