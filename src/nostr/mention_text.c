/*
 * mention_text.c
 *
 * Addresses in text that people and programs wrote: where one ends is a
 * guess.  It ends at what an address cannot hold or what usually encloses
 * one; marks of punctuation behind it are dropped.  Text in scripts without
 * spaces goes on right behind it, so where the first character that is not
 * ASCII comes, both readings are tried (the longer one may be an IDN).  An
 * address cut with an ellipsis is none.
 *
 * JSON inside the content (reposts) may write "/" as "\/".
 */
#include "pgfree.h"

#include <string.h>

#include "mention_internal.h"
#include "nip19.h"

#define ENTITY_MIN	60			/* any nprofile, nevent or naddr is longer */

static bool
ends_address(uint8_t c)
{
	return c <= ' ' || c == 0x7f || strchr("\"'<>`\\^{}|,()]", c) != NULL;
}

/* Copies the run at s with "\/" undone; returns how much of s it takes. */
static size_t
copy_run(const uint8_t *s, size_t len, char *out, size_t *n)
{
	size_t		i = 0;
	bool		bracket = false;

	*n = 0;
	while (i < len && *n < NOSTR_RELAY_URL_MAX)
	{
		if (s[i] == '\\' && i + 1 < len && s[i + 1] == '/')
			i++;
		else if (s[i] == ']' && bracket)
			bracket = false;
		else if (s[i] == '[' && *n > 0 && out[*n - 1] == '/')
			bracket = true;		/* an IPv6 literal */
		else if (s[i] == '[' || ends_address(s[i]))
			break;
		out[(*n)++] = (char) s[i++];
	}
	return i;
}

/* Drops what ends a sentence.  0: it was cut with an ellipsis. */
static size_t
trim(const char *s, size_t n)
{
	size_t		dots = 0;

	while (n > 0 && strchr(".;:!?*~", s[n - 1]) != NULL)
	{
		dots += s[n - 1] == '.';
		n--;
	}
	return dots > 1 ? 0 : n;
}

/* Is this a name that could end here: a dot, and two letters behind it? */
static bool
plausible(const char *s, size_t n)
{
	const char *host = memchr(s, ':', n);
	size_t		i;
	size_t		end;
	size_t		dot = 0;

	if (host == NULL || n < (size_t) (host - s) + 3)
		return false;
	i = (size_t) (host - s) + 3;
	for (end = i; end < n && s[end] != '/' && s[end] != ':'; end++)
		if (s[end] == '.')
			dot = end;
	return dot > i && end - dot > 2;
}

static void
try_run(NostrMentions *m, const char *s, size_t n, uint32_t via, bool allow_special)
{
	size_t		ascii = 0;
	size_t		full = trim(s, n);

	while (ascii < n && (uint8_t) s[ascii] < 0x80)
		ascii++;
	if (full > 0)
		nostr_mention_add(m, s, full, via, allow_special);
	if (ascii == n || (n - ascii >= 3 && memcmp(s + ascii, "\xe2\x80\xa6", 3) == 0))
		return;
	ascii = trim(s, ascii);
	if (ascii > 0 && plausible(s, ascii))
		nostr_mention_add(m, s, ascii, via, allow_special);
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The colon at s[i]: does "ws" or "wss" end there, and "//" follow?  Then
 * where the scheme begins, else i. */
static size_t
scheme_at(const uint8_t *s, size_t i, size_t len)
{
	size_t		b = i;

	if (i < 2 || len - i < 4)
		return i;
	if (memcmp(s + i, "://", 3) != 0 &&
		(len - i < 6 || memcmp(s + i, ":\\/\\/", 5) != 0))
		return i;
	if ((s[b - 1] | 0x20) == 's')
		b--;
	if ((s[b - 1] | 0x20) == 's' && b >= 2 && b < i)
		b--;
	if (b < 1 || b == i || (s[b - 1] | 0x20) != 'w')
		return i;
	b--;
	return b > 0 && is_alnum(s[b - 1]) ? i : b;
}

/* Length of the entity at s, 0 when there is none. */
static size_t
entity_at(const uint8_t *s, size_t len)
{
	static const char *const prefixes[] = {"nprofile1", "nevent1", "naddr1"};

	for (size_t p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++)
	{
		size_t		n = strlen(prefixes[p]);
		size_t		i = 0;

		while (i < n && i < len && ((s[i] | 0x20) == prefixes[p][i] || s[i] == prefixes[p][i]))
			i++;
		if (i < n)
			continue;
		while (i < len && is_alnum(s[i]))
			i++;
		return i;
	}
	return 0;
}

static void
try_entity(NostrMentions *m, const uint8_t *s, size_t len, bool allow_special)
{
	NostrNip19	e;

	if (len < ENTITY_MIN || len > NOSTR_NIP19_MAX)
		return;
	if (m->tries >= NOSTR_MENTION_TRIES)
	{
		m->more = true;
		return;
	}
	m->tries++;
	if (nostr_nip19_decode((const char *) s, len, &m->scratch, &e) != NULL)
		return;
	for (int i = 0; i < e.nrelays; i++)
		nostr_mention_add(m, e.relay[i], strlen(e.relay[i]), NOSTR_VIA_NIP19, allow_special);
}

void
nostr_mention_scan(NostrMentions *m, const uint8_t *s, size_t len, uint32_t via,
				   bool entities, bool allow_special)
{
	char		run[NOSTR_RELAY_URL_MAX + 1];
	size_t		i = 0;

	while (i < len)
	{
		if (s[i] == ':')
		{
			size_t		b = scheme_at(s, i, len);
			size_t		n;

			if (b < i)
			{
				i = b + copy_run(s + b, len - b, run, &n);
				if (n < NOSTR_RELAY_URL_MAX)	/* else it goes on */
					try_run(m, run, n, via, allow_special);
				continue;
			}
		}
		else if (entities && (s[i] | 0x20) == 'n' && (i == 0 || !is_alnum(s[i - 1])))
		{
			size_t		n = entity_at(s + i, len - i);

			if (n > 0)
			{
				try_entity(m, s + i, n, allow_special);
				i += n;
				continue;
			}
		}
		i++;
	}
}
