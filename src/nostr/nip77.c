/*
 * nip77.c
 *
 * The conversation, and what relays say instead of having it.  Guarantees an
 * outcome for every refusal, and that AGREED is said only when the relay
 * answered every question.
 */
#include "pgfree.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hex.h"
#include "nip77.h"

/* ------------------------------------------------------------------- begin */

static void
found(void *arg, bool have, const uint8_t id[32])
{
	NostrNip77 *c = arg;

	if (have)
		c->have++;
	else
		nostr_buf_append(&c->need, id, 32);
}

void
nostr_nip77_init(NostrNip77 *c, const char *sub, const NostrNegSet *set,
				 uint64_t since, uint64_t until, const NostrNegLimits *limits,
				 size_t max_need)
{
	memset(c, 0, sizeof(*c));
	strncat(c->sub, sub, NOSTR_NIP77_MAX_SUB);
	nostr_neg_client(&c->neg, set, since, until, limits, found, c);
	nostr_buf_init(&c->in, 2 * c->neg.limits.message);
	nostr_buf_init(&c->out, c->neg.limits.frame);
	nostr_buf_init(&c->need, max_need * 32);
}

void
nostr_nip77_free(NostrNip77 *c)
{
	nostr_neg_free(&c->neg);
	nostr_buf_free(&c->in);
	nostr_buf_free(&c->out);
	nostr_buf_free(&c->need);
}

/* --------------------------------------------------------------------- end */

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static void
sort_need(NostrBuf *need)
{
	size_t		n = need->len / 32;
	size_t		kept = 0;

	if (n > 1)
		qsort(need->data, n, 32, compare_ids);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || memcmp(need->data + 32 * (kept - 1), need->data + 32 * i, 32) != 0)
			memmove(need->data + 32 * kept++, need->data + 32 * i, 32);
	need->len = 32 * kept;
}

static void
end(NostrNip77 *c, NostrNip77Outcome outcome, const char *reason, size_t len)
{
	if (len > sizeof(c->reason) - 1)
		len = sizeof(c->reason) - 1;
	memcpy(c->reason, reason, len);
	c->reason[len] = 0;
	c->outcome = outcome;
	sort_need(&c->need);
}

static void
end_with(NostrNip77 *c, NostrNip77Outcome outcome, const char *reason)
{
	end(c, outcome, reason, strlen(reason));
}

static void
end_neg(NostrNip77 *c, NostrNegError error)
{
	NostrNip77Outcome outcome = NOSTR_NIP77_BROKEN;

	if (error == NOSTR_NEG_UNSUPPORTED)
		outcome = NOSTR_NIP77_UNSUPPORTED;
	else if (error == NOSTR_NEG_TOO_LONG || error == NOSTR_NEG_TOO_MANY_ROUNDS ||
			 error == NOSTR_NEG_TOO_MANY_IDS || error == NOSTR_NEG_OUT_OF_MEMORY)
		outcome = NOSTR_NIP77_TOO_LARGE;
	end_with(c, outcome, nostr_neg_error_text(error));
}

/* ----------------------------------------------------------------- sending */

static void
begin_text(NostrNip77 *c, NostrBuf *text, const char *verb)
{
	nostr_buf_reset(text);
	nostr_buf_append_str(text, "[\"");
	nostr_buf_append_str(text, verb);
	nostr_buf_append_str(text, "\",\"");
	nostr_buf_append_str(text, c->sub);
	nostr_buf_append_str(text, "\"");
}

/* The message in c->out as the last element. */
static void
end_text(NostrNip77 *c, NostrBuf *text)
{
	uint8_t    *hex = nostr_buf_reserve(text, c->out.len * 2 + 4);

	if (hex == NULL)
	{
		nostr_buf_reset(text);
		end_neg(c, NOSTR_NEG_OUT_OF_MEMORY);
		return;
	}
	nostr_buf_append_str(text, ",\"");
	nostr_hex_encode(c->out.data, c->out.len, (char *) text->data + text->len);
	text->len += c->out.len * 2;
	nostr_buf_append_str(text, "\"]");
}

void
nostr_nip77_open(NostrNip77 *c, const char *filter, size_t len, NostrBuf *text)
{
	begin_text(c, text, "NEG-OPEN");
	nostr_buf_append_str(text, ",");
	nostr_buf_append(text, filter, len);
	if (nostr_neg_open(&c->neg, &c->out) == NOSTR_NEG_SEND)
		end_text(c, text);
	else
	{
		nostr_buf_reset(text);
		end_neg(c, c->neg.error);
	}
}

void
nostr_nip77_close(NostrNip77 *c, NostrBuf *text)
{
	begin_text(c, text, "NEG-CLOSE");
	nostr_buf_append_str(text, "]");
}

/* ---------------------------------------------------------------- refusals */

static bool
has(const char *text, size_t len, const char *word)
{
	size_t		n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (strncasecmp(text + i, word, n) == 0)
			return true;
	return false;
}

static bool
has_any(const char *text, size_t len, const char *const words[])
{
	for (; *words != NULL; words++)
		if (has(text, len, *words))
			return true;
	return false;
}

/* What the text says by itself, else "other". */
static NostrNip77Outcome
classify(const char *text, size_t len, NostrNip77Outcome other)
{
	static const char *const busy[] = {"rate-limited", "too many concurrent", "slow down", NULL};
	static const char *const large[] = {"too many", "too big", "too_big", "too large", NULL};
	const char *prefix = nostr_message_prefix(text, len);

	if (prefix == NULL)
		prefix = "";
	if (strcmp(prefix, "auth-required") == 0)
		return NOSTR_NIP77_AUTH_REQUIRED;
	if (has_any(text, len, busy))
		return NOSTR_NIP77_RATE_LIMITED;
	if (has_any(text, len, large))
		return NOSTR_NIP77_TOO_LARGE;
	if (strcmp(prefix, "restricted") == 0)
		return NOSTR_NIP77_REFUSED;
	return other;
}

/* Words of relays that do not know NEG-OPEN, or our form of it. */
static bool
says_unknown(const char *text, size_t len)
{
	static const char *const words[] = {
		"error", "invalid", "unrecognized", "unrecognised", "bad msg",
		"bad message", "could not parse", "disabled", "unsupported",
		"not supported", "not implemented", "unknown", "negentropy", "neg-open",
		"envelope", NULL
	};

	return has_any(text, len, words);
}

static void
refused(NostrNip77 *c, const NostrMessage *m)
{
	static const char *const filter[] = {"FILTER_INVALID", "FILTER_NOT_FOUND", NULL};
	const char *prefix = nostr_message_prefix(m->text, m->text_len);
	NostrNip77Outcome other = NOSTR_NIP77_REFUSED;

	if (m->number > 0)
		c->max_records = (uint64_t) m->number;
	if (c->max_records > 0 || (prefix != NULL && strcmp(prefix, "blocked") == 0))
		other = NOSTR_NIP77_TOO_LARGE;
	else if (m->type == NOSTR_MSG_NEG_ERR && has(m->text, m->text_len, "closed"))
		other = NOSTR_NIP77_LOST;
	else if (!has_any(m->text, m->text_len, filter) &&
			 (m->type == NOSTR_MSG_CLOSED || says_unknown(m->text, m->text_len)))
		other = c->answered ? NOSTR_NIP77_BROKEN : NOSTR_NIP77_UNSUPPORTED;
	end(c, classify(m->text, m->text_len, other), m->text, m->text_len);
}

/* A NOTICE is a refusal when it sounds like one and nothing worked so far. */
static bool
noticed(NostrNip77 *c, const NostrMessage *m)
{
	NostrNip77Outcome outcome = NOSTR_NIP77_RUNNING;

	if (c->answered)
		return false;
	if (says_unknown(m->text, m->text_len))
		outcome = NOSTR_NIP77_UNSUPPORTED;
	outcome = classify(m->text, m->text_len, outcome);
	if (outcome == NOSTR_NIP77_RUNNING)
		return false;
	end(c, outcome, m->text, m->text_len);
	return true;
}

/* --------------------------------------------------------------- receiving */

/* The message's bytes in c->in; NIP-77 does not say that the hex is lower-case. */
static NostrNegError
decode(NostrNip77 *c, const NostrMessage *m)
{
	size_t		len = m->text_len;
	uint8_t    *bytes;

	nostr_buf_reset(&c->in);
	bytes = nostr_buf_reserve(&c->in, len);
	if (bytes == NULL)
		return NOSTR_NEG_TOO_LONG;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t) (m->text[i] >= 'A' && m->text[i] <= 'F' ? m->text[i] | 0x20 : m->text[i]);
	/* in place: a byte is written behind the digits that were read */
	if (!nostr_hex_decode((char *) bytes, len, bytes, len / 2))
		return NOSTR_NEG_MALFORMED;
	c->in.len = len / 2;
	return NOSTR_NEG_OK;
}

static void
reconcile(NostrNip77 *c, const NostrMessage *m, NostrBuf *text)
{
	NostrNegError error = decode(c, m);
	NostrNegStatus status;

	c->answered = true;
	if (error != NOSTR_NEG_OK)
		end_neg(c, error);
	else
	{
		status = nostr_neg_receive(&c->neg, c->in.data, c->in.len, &c->out);
		if (c->need.failed)
			end_with(c, NOSTR_NIP77_PARTIAL, "the relay holds more that we lack");
		else if (status == NOSTR_NEG_FAILED)
			end_neg(c, c->neg.error);
		else if (status == NOSTR_NEG_DONE)
			end_with(c, NOSTR_NIP77_AGREED, "");
	}
	if (c->outcome != NOSTR_NIP77_RUNNING)
		nostr_nip77_close(c, text);
	else
	{
		begin_text(c, text, "NEG-MSG");
		end_text(c, text);
	}
}

bool
nostr_nip77_receive(NostrNip77 *c, const NostrMessage *m, NostrBuf *text)
{
	bool		ours = m->sub_len == strlen(c->sub) && memcmp(m->sub, c->sub, m->sub_len) == 0;

	nostr_buf_reset(text);
	if (c->outcome != NOSTR_NIP77_RUNNING)
		return false;
	if (m->type == NOSTR_MSG_NOTICE)
		return noticed(c, m);
	if (!ours)
		return false;
	if (m->type == NOSTR_MSG_NEG_MSG)
		reconcile(c, m, text);
	else if (m->type == NOSTR_MSG_NEG_ERR || m->type == NOSTR_MSG_CLOSED)
		refused(c, m);
	else
		return false;
	return true;
}
