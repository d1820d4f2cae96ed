/*
 * auth.c
 *
 * NIP-42: answers a challenge if, and only if, a request was refused for lack
 * of authentication.  Uses the configured key, or else a key that exists only
 * in this process and for this relay: it proves nothing but that we can sign,
 * which is what most relays want to see.
 *
 * Guarantees: a request is repeated once after an authentication; a job
 * authenticates at most once.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "../nostr/crypto.h"
#include "../nostr/hex.h"
#include "sync_internal.h"
#include "text.h"

#define WAIT_FOR_CHALLENGE_MS 5000

static bool
ephemeral_key(const char *url, uint8_t seckey[32])
{
	static uint8_t seed[32];
	static bool seeded;
	uint8_t		text[32 + 2048];
	size_t		n = strlen(url);

	if (!seeded && getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return false;
	seeded = true;
	if (n > sizeof(text) - 32)
		n = sizeof(text) - 32;
	memcpy(text, seed, 32);
	memcpy(text + 32, url, n);
	nostr_sha256(text, 32 + n, seckey);
	return true;
}

/* Nobody waits any more: those who did go on, or are told the refusal. */
static void
settle(Sync *s, SyncAuth outcome, const char *text, size_t len)
{
	char		reason[300] = "auth_required";
	SyncReq    *r;

	s->auth.pending = false;
	s->result.auth = outcome;
	if (outcome == SYNC_AUTH_ACCEPTED)
	{
		sync_req_pump(s);
		return;
	}
	if (len > 0)
	{
		strcat(reason, ": ");
		crawl_text_append(reason, sizeof(reason), text, len);
	}
	while (!s->finished)
	{
		for (r = s->reqs; r != NULL && !r->retried; r = r->next)
			;
		if (r == NULL)
			break;
		r->retried = false;
		sync_req_refused(r, NET_AUTH_REQUIRED, reason, strlen(reason));
	}
	sync_req_pump(s);
}

static void
answer_challenge(Sync *s)
{
	uint8_t		key[32];
	NostrBuf	msg;

	nostr_buf_init(&msg, 65536);
	if (s->has_key)
		memcpy(key, s->seckey, 32);
	if ((s->has_key || ephemeral_key(s->url.url, key)) &&
		auth_event_message(&msg, s->auth.event_id, s->url.url, s->auth.challenge, key))
		s->auth.sent = ws_send(s->ws, (char *) msg.data, msg.len);
	explicit_bzero(key, sizeof(key));
	nostr_buf_free(&msg);
	s->auth.deadline = sync_now(s) + s->timeout_ms;
	if (!s->auth.sent)
		settle(s, SYNC_AUTH_REFUSED, "cannot sign", 11);
}

void
sync_auth_challenge(Sync *s, const char *text, size_t len)
{
	if (!auth_event_challenge(s->auth.challenge, text, len))
		return;
	if (s->auth.pending && !s->auth.sent)
		answer_challenge(s);
	sync_schedule(s);
}

void
sync_auth_ok(Sync *s, const NostrMessage *m)
{
	char		hex[64];

	nostr_hex_encode(s->auth.event_id, 32, hex);
	if (!s->auth.pending || !s->auth.sent || m->sub_len != 64 || memcmp(m->sub, hex, 64) != 0)
		return;
	settle(s, m->ok ? SYNC_AUTH_ACCEPTED : SYNC_AUTH_REFUSED, m->text, m->text_len);
}

void
sync_auth_needed(SyncReq *r, const char *text, size_t len)
{
	Sync	   *s = r->s;
	bool		tried = s->result.auth != SYNC_AUTH_NOT_ASKED && !s->auth.pending;

	if (!s->may_auth || r->retried || tried)
	{
		char		reason[300] = "auth_required";

		if (len > 0)
		{
			strcat(reason, ": ");
			crawl_text_append(reason, sizeof(reason), text, len);
		}
		sync_req_refused(r, NET_AUTH_REQUIRED, reason, strlen(reason));
		return;
	}
	r->retried = true;
	sync_req_again(r);
	if (s->auth.pending)
		return;
	s->auth.pending = true;
	s->auth.deadline = sync_now(s) +
		(s->timeout_ms < WAIT_FOR_CHALLENGE_MS ? s->timeout_ms : WAIT_FOR_CHALLENGE_MS);
	if (s->auth.challenge[0] != '\0')
		answer_challenge(s);
	sync_schedule(s);
}

void
sync_auth_timeout(Sync *s, uint64_t now)
{
	if (s->auth.pending && now >= s->auth.deadline)
		settle(s, SYNC_AUTH_REFUSED, s->auth.sent ? "no answer" : "no challenge",
			   s->auth.sent ? 9 : 12);
}
