/*
 * relay_url.c
 *
 * Guarantees: one relay has one address, and an address that is not certain
 * is refused with a reason instead of being repaired into another relay's.
 * Must survive any bytes: addresses come from tags and text that strangers
 * sign.  Nothing is allocated outside host.c's IDNA call, and parsing a
 * result again gives the same bytes.
 */
#include "pgfree.h"

#include "host.h"
#include "relay_path.h"
#include "relay_url.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

static bool
is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Digits after the colon; none at all mean the default. */
static bool
port_parse(const char *s, size_t len, unsigned int *port)
{
	unsigned int v = 0;

	if (len == 0)
		return true;
	for (size_t i = 0; i < len; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (unsigned int) (s[i] - '0');
		if (v > 65535)
			return false;
	}
	*port = v;
	return v != 0;
}

/* Splits host and port, and parses both; *port is left alone when absent. */
static NostrUrlReject
authority_parse(const char *s, size_t len, bool allow_special,
				NostrHost *host, unsigned int *port)
{
	const char *end = s + len;
	const char *host_start = s;
	const char *host_end;
	const char *rest;
	bool		bracketed = len > 0 && s[0] == '[';
	NostrUrlReject r;

	if (memchr(s, '@', len) != NULL)
		return NOSTR_URL_USERINFO;
	if (bracketed)
	{
		host_start = s + 1;
		host_end = memchr(s, ']', len);
		if (host_end == NULL)
			return NOSTR_URL_BAD_HOST;
		rest = host_end + 1;
		if (rest < end && *rest != ':')
			return NOSTR_URL_BAD_HOST;
	}
	else
	{
		host_end = memchr(s, ':', len);
		if (host_end == NULL)
			host_end = end;
		rest = host_end;
	}
	r = nostr_host_parse(host_start, (size_t) (host_end - host_start), bracketed,
						 allow_special, host);
	if (r != NOSTR_URL_OK)
		return r;
	if (rest < end && !port_parse(rest + 1, (size_t) (end - rest - 1), port))
		return NOSTR_URL_BAD_PORT;
	return NOSTR_URL_OK;
}

/* Consumes "ws://" or "wss://". */
static NostrUrlReject
scheme_parse(const char **p, const char *end, bool *tls)
{
	const char *s = *p;
	size_t		n = 0;

	while (s + n < end && (is_letter_or_digit(s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.'))
		n++;
	if (n == 0 || end - (s + n) < 3 || memcmp(s + n, "://", 3) != 0)
		return NOSTR_URL_NO_SCHEME;
	if ((n != 2 && n != 3) || (s[0] | 0x20) != 'w' || (s[1] | 0x20) != 's' ||
		(n == 3 && (s[2] | 0x20) != 's'))
		return NOSTR_URL_BAD_SCHEME;
	*tls = n == 3;
	*p = s + n + 3;
	return NOSTR_URL_OK;
}

static NostrUrlReject
url_build(const NostrHost *host, unsigned int port, const char *path, NostrRelayUrl *out)
{
	unsigned int standard = out->tls ? 443 : 80;
	char		portbuf[8] = "";
	int			n;
	size_t		pathlen = strlen(path);

	if (port != standard)
		snprintf(portbuf, sizeof(portbuf), ":%u", port);
	n = snprintf(out->url, sizeof(out->url), "%s://%s%s%s%s",
				 out->tls ? "wss" : "ws",
				 host->v6 ? "[" : "", host->text, host->v6 ? "]" : "", portbuf);
	if (n < 0 || (size_t) n + pathlen > NOSTR_RELAY_URL_MAX)
		return NOSTR_URL_TOO_LONG;
	memcpy(out->url + n, path, pathlen + 1);
	out->path = out->url + n;
	out->port = (uint16_t) port;
	out->network = host->network;
	out->ip_literal = host->ip_literal;
	memcpy(out->host, host->text, sizeof(out->host));
	return NOSTR_URL_OK;
}

NostrUrlReject
nostr_relay_url_parse(const char *raw, size_t len, bool allow_special, NostrRelayUrl *out)
{
	const char *end;
	const char *authority;
	const char *slash;
	char		path[NOSTR_RELAY_URL_MAX + 1];
	NostrHost	host;
	unsigned int port = 0;
	NostrUrlReject r;

	memset(out, 0, sizeof(*out));
	out->path = out->url;
	for (; len > 0 && is_blank(raw[0]); len--)
		raw++;
	while (len > 0 && is_blank(raw[len - 1]))
		len--;
	if (len == 0)
		return NOSTR_URL_EMPTY;
	if (len > NOSTR_RELAY_URL_MAX)
		return NOSTR_URL_TOO_LONG;
	for (size_t i = 0; i < len; i++)
	{
		if ((uint8_t) raw[i] <= ' ' || raw[i] == 0x7f || raw[i] == '\\')
			return NOSTR_URL_BAD_CHARACTER;
	}
	if (!nostr_utf8_valid((const uint8_t *) raw, len))
		return NOSTR_URL_BAD_CHARACTER;

	end = raw + len;
	r = scheme_parse(&raw, end, &out->tls);
	if (r != NOSTR_URL_OK)
		return r;
	for (const char *p = raw; p < end; p++)
	{
		if (*p == '#' || *p == '?')
			return *p == '#' ? NOSTR_URL_FRAGMENT : NOSTR_URL_QUERY;
	}
	authority = raw;
	slash = end == raw ? NULL : memchr(raw, '/', (size_t) (end - raw));
	if (slash == NULL)
		slash = end;
	r = authority_parse(authority, (size_t) (slash - authority), allow_special, &host, &port);
	if (r != NOSTR_URL_OK)
		return r;
	if (!nostr_relay_path_normalise(slash, (size_t) (end - slash), path))
		return NOSTR_URL_BAD_PATH;

	/*
	 * The default port of the scheme as written says nothing and is dropped
	 * before the scheme changes: "ws://h:80" means the relay of h, which we
	 * reach as wss://h, not TLS on port 80.
	 */
	if (port == (out->tls ? 443u : 80u))
		port = 0;
	if (!host.special)
		out->tls = host.network == NOSTR_CLEARNET;
	if (port == 0)
		port = out->tls ? 443 : 80;
	return url_build(&host, port, path, out);
}
