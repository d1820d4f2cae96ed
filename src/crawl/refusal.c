/*
 * refusal.c
 *
 * Interprets the texts of CLOSED and NOTICE: first by the prefixes of NIP-01,
 * then, for relays that predate them or use words of their own, by what they
 * usually say.
 */
#include "../nostr/pgfree.h"

#include <string.h>
#include <strings.h>

#include "sync_internal.h"

static bool
contains(const char *text, size_t len, const char *const *words)
{
	for (; *words != NULL; words++)
	{
		size_t		n = strlen(*words);

		for (size_t i = 0; i + n <= len; i++)
			if (strncasecmp(text + i, *words, n) == 0)
				return true;
	}
	return false;
}

NetFailure
sync_refusal_class(const char *text, size_t len)
{
	static const char *const auth[] = {"auth-required", "authentication required",
	"need to authenticate", "please authenticate", NULL};
	static const char *const rate[] = {"rate-limit", "rate limit", "too many req",
	"too fast", "slow down", NULL};
	const char *prefix = nostr_message_prefix(text, len);

	if (prefix != NULL && strcmp(prefix, "rate-limited") == 0)
		return NET_RATE_LIMITED;
	if (contains(text, len, auth))
		return NET_AUTH_REQUIRED;
	if (contains(text, len, rate))
		return NET_RATE_LIMITED;
	return NET_REFUSED;
}
