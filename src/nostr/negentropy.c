/*
 * negentropy.c
 *
 * Sessions.  Guarantees that every message ends in an answer, in the client's
 * agreement or in a named error, and that a client whose peer does not narrow
 * the question stops.
 */
#include "pgfree.h"

#include <string.h>

#include "negentropy_msg.h"

#define DEFAULT_FRAME	60000
#define DEFAULT_ROUNDS	1024
#define DEFAULT_IDS		1000000

/* ---------------------------------------------------------------- sessions */

static void
init(NostrNeg *neg, const NostrNegSet *set, uint64_t since, uint64_t until,
	 const NostrNegLimits *limits)
{
	NostrNegLimits *l = &neg->limits;

	memset(neg, 0, sizeof(*neg));
	neg->set = set;
	neg->first = nostr_neg_set_find(set, since);
	neg->end = until < UINT64_MAX ? nostr_neg_set_find(set, until + 1) : set->n;
	if (neg->end < neg->first)
		neg->end = neg->first;
	if (limits != NULL)
		*l = *limits;
	if (l->frame == 0)
		l->frame = DEFAULT_FRAME;
	if (l->frame < NOSTR_NEG_MIN_FRAME)
		l->frame = NOSTR_NEG_MIN_FRAME;
	if (l->frame > NOSTR_NEG_MAX_MESSAGE)
		l->frame = NOSTR_NEG_MAX_MESSAGE;
	if (l->message == 0 || l->message > NOSTR_NEG_MAX_MESSAGE)
		l->message = NOSTR_NEG_MAX_MESSAGE;
	if (l->rounds == 0)
		l->rounds = DEFAULT_ROUNDS;
	if (l->ids == 0)
		l->ids = DEFAULT_IDS;
	/* ids of one list, and a byte for each */
	nostr_buf_init(&neg->scratch, l->message + l->message / 32);
	nostr_buf_init(&neg->held_bytes, l->message);
}

void
nostr_neg_client(NostrNeg *neg, const NostrNegSet *set, uint64_t since, uint64_t until,
				 const NostrNegLimits *limits, NostrNegFound found, void *arg)
{
	init(neg, set, since, until, limits);
	neg->client = true;
	neg->found = found;
	neg->arg = arg;
}

void
nostr_neg_server(NostrNeg *neg, const NostrNegSet *set, uint64_t since, uint64_t until,
				 const NostrNegLimits *limits)
{
	init(neg, set, since, until, limits);
}

void
nostr_neg_free(NostrNeg *neg)
{
	nostr_buf_free(&neg->scratch);
	nostr_buf_free(&neg->held_bytes);
}

/* ---------------------------------------------------------------- messages */

static NostrNegStatus
fail(NostrNeg *neg, NostrNegError error, NostrBuf *out)
{
	nostr_buf_reset(out);
	neg->error = error;
	return NOSTR_NEG_FAILED;
}

static NostrNegStatus
finish(NegRound *rd)
{
	NostrNeg   *neg = rd->neg;
	NostrBuf   *out = rd->w.out;
	int			cmp = neg_compare(&rd->asked_lower, &neg->asked_lower);

	if (out->failed)
		return fail(neg, NOSTR_NEG_OUT_OF_MEMORY, out);
	if (neg->client && !rd->asks)
	{
		nostr_buf_reset(out);
		return NOSTR_NEG_DONE;
	}
	/* the first open question must move on or become narrower */
	if (neg->client && neg->rounds > 0 &&
		(cmp < 0 || (cmp == 0 && neg_compare(&rd->asked_upper, &neg->asked_upper) >= 0)))
		return fail(neg, NOSTR_NEG_NO_PROGRESS, out);
	neg->asked_lower = rd->asked_lower;
	neg->asked_upper = rd->asked_upper;
	neg->bytes_out += out->len;
	return NOSTR_NEG_SEND;
}

NostrNegStatus
nostr_neg_open(NostrNeg *neg, NostrBuf *out)
{
	NegRound	rd;

	neg_begin(&rd, neg, out);
	neg_write_split(&rd, neg->first, neg->end, &neg_infinity);
	return finish(&rd);
}

/* A message in a version that is not ours. */
static NostrNegStatus
other_version(NostrNeg *neg, const uint8_t *msg, size_t len, NostrBuf *out)
{
	/* how protocol 0 says that it does not know ours: a bound, and mode 4 */
	static const uint8_t refusal[] = {0x01, 0x00, 0x04};

	neg->peer_version = msg[0];
	if (neg->client && len == sizeof(refusal) && memcmp(msg, refusal, len) == 0)
		neg->peer_version = 0x60;
	if (neg->peer_version < 0x60 || neg->peer_version > 0x6f)
		return fail(neg, NOSTR_NEG_MALFORMED, out);
	if (neg->client)
		return fail(neg, NOSTR_NEG_UNSUPPORTED, out);
	nostr_buf_reset(out);
	nostr_buf_append_byte(out, NOSTR_NEG_VERSION);
	neg->bytes_out += out->len;
	return out->failed ? fail(neg, NOSTR_NEG_OUT_OF_MEMORY, out) : NOSTR_NEG_SEND;
}

NostrNegStatus
nostr_neg_receive(NostrNeg *neg, const uint8_t *msg, size_t len, NostrBuf *out)
{
	NegReader	r = {.p = msg + 1, .end = msg + len};
	NegRound	rd;

	if (neg->error != NOSTR_NEG_OK)
		return fail(neg, neg->error, out);
	neg->bytes_in += len;
	if (len == 0)
		return fail(neg, NOSTR_NEG_MALFORMED, out);
	if (len > neg->limits.message)
		return fail(neg, NOSTR_NEG_TOO_LONG, out);
	if (neg->client && neg->rounds == neg->limits.rounds)
		return fail(neg, NOSTR_NEG_TOO_MANY_ROUNDS, out);
	if (neg->rounds < UINT32_MAX)
		neg->rounds++;
	if (msg[0] != NOSTR_NEG_VERSION)
		return other_version(neg, msg, len, out);

	neg_begin(&rd, neg, out);
	if (!neg_handle(&rd, &r))
		return fail(neg, neg->error, out);
	return finish(&rd);
}

/* ------------------------------------------------------------------ errors */

static const struct
{
	const char *name;
	const char *text;
}			errors[NOSTR_NEG_ERROR_COUNT] = {
	[NOSTR_NEG_OK] = {"ok", "no error"},
	[NOSTR_NEG_UNSUPPORTED] = {"unsupported_version", "the relay speaks another version of negentropy"},
	[NOSTR_NEG_TOO_LONG] = {"too_long", "a negentropy message is longer than the limit"},
	[NOSTR_NEG_MALFORMED] = {"malformed", "not a negentropy message"},
	[NOSTR_NEG_CONTRADICTION] = {"contradiction", "a negentropy message contradicts itself"},
	[NOSTR_NEG_NO_PROGRESS] = {"no_progress", "the negentropy answers lead nowhere"},
	[NOSTR_NEG_TOO_MANY_ROUNDS] = {"too_many_rounds", "the reconciliation took more messages than the limit"},
	[NOSTR_NEG_TOO_MANY_IDS] = {"too_many_ids", "the sets differ by more ids than the limit"},
	[NOSTR_NEG_OUT_OF_MEMORY] = {"out_of_memory", "out of memory, or over the limit set for it"},
};

const char *
nostr_neg_error_name(NostrNegError error)
{
	return (unsigned) error < NOSTR_NEG_ERROR_COUNT ? errors[error].name : "unknown";
}

const char *
nostr_neg_error_text(NostrNegError error)
{
	return (unsigned) error < NOSTR_NEG_ERROR_COUNT ? errors[error].text : "unknown error";
}
