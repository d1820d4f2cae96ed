/*
 * candidate_life.h
 *
 * What an attempt means for a candidate: it becomes a relay, is tried again
 * later, or is parked.  Inside a transaction of the caller, with SPI
 * connected.
 */
#ifndef BB_CANDIDATE_LIFE_H
#define BB_CANDIDATE_LIFE_H

#include "postgres.h"

#include "wire/messages.h"

typedef struct CandidateIdentity	/* of the NIP-11 document; see WIRE_IDENTITY */
{
	bool		found;
	bool		named;
	uint8		digest[32];
	uint32		max_limit;		/* 0: not told, as all below */
	uint32		default_limit;
	uint32		max_subid_length;
	uint32		max_message_length;
	uint32		max_subscriptions;
} CandidateIdentity;

/* false: the frame is malformed */
extern bool candidate_read_identity(const WireFrame *f, CandidateIdentity *out);

/* It speaks Nostr: a relay, or an alias of one.  The time of its discovery
 * stays. */
extern void candidate_promote(const char *url, const CandidateIdentity *identity);

/* Not a relay, or not now: class as in net/failure.h. */
extern void candidate_postpone(const char *url, const char *class, const char *reason);

#endif
