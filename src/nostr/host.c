/*
 * host.c
 *
 * Guarantees: a host that is accepted is lower-case ASCII, at most 253
 * characters, and either a public address in its one canonical form, a name
 * that DNS can hold, or a well-formed overlay name.  All checks run on the
 * text after percent-decoding and IDNA mapping, because full-width digits,
 * ideographic dots and soft hyphens can turn into "127.0.0.1" or "localhost".
 */
#include "pgfree.h"

#include "host.h"
#include "special_addr.h"
#include "utf8.h"

#include <idn2.h>
#include <stdlib.h>
#include <string.h>

#define HOST_RAW_MAX 1024		/* decoded bytes before IDNA */

/*
 * Special-use names: RFC 6761, 6762, 7686 (onion is an overlay here), 8375,
 * 9476, ICANN's .internal, and the names home and office networks use.
 */
static const char *const special_names[] = {
	"localhost", "localdomain", "local", "internal", "lan", "home", "corp",
	"test", "example", "invalid", "example.com", "example.net", "example.org",
	"arpa", "alt",
};

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
nostr_host_unescape(const char *s, size_t len)
{
	int			hi;
	int			lo;

	if (len < 3 || s[0] != '%')
		return -1;
	hi = hex_digit(s[1]);
	lo = hex_digit(s[2]);
	return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

/* Is name equal to suffix, or does it end in "." suffix? */
static bool
in_domain(const char *name, const char *suffix)
{
	size_t		n = strlen(name);
	size_t		s = strlen(suffix);

	if (n < s || strcmp(name + n - s, suffix) != 0)
		return false;
	return n == s || name[n - s - 1] == '.';
}

static bool
is_base32(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '2' && s[i] <= '7')))
			return false;
	}
	return true;
}

/* Labels of letters, digits, hyphens and underscores, separated by dots. */
static bool
labels_valid(const char *s, size_t len)
{
	size_t		start = 0;

	for (size_t i = 0; i <= len; i++)
	{
		if (i == len || s[i] == '.')
		{
			size_t		n = i - start;

			if (n == 0 || n > 63 || s[start] == '-' || s[i - 1] == '-')
				return false;
			start = i + 1;
		}
		else if (!is_alnum(s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	}
	return true;
}

/*
 * A name needs two labels, and the last one must not look like a number:
 * inet_aton would take "1.2.3.0x4" for an address that we never checked.
 */
static bool
hostname_valid(const char *s)
{
	size_t		len = strlen(s);
	const char *last = strrchr(s, '.');

	if (last == NULL || !labels_valid(s, len))
		return false;
	last++;
	if (last[strspn(last, "0123456789")] == '\0')
		return false;
	if (last[0] == '0' && last[1] == 'x' && last[2 + strspn(last + 2, "0123456789abcdef")] == '\0')
		return false;
	return true;
}

/* The part left of ".onion", ".i2p" or ".loki". */
static bool
overlay_valid(NostrNetwork network, const char *host, size_t len)
{
	size_t		label;

	switch (network)
	{
		case NOSTR_TOR:
			for (label = len; label > 0 && host[label - 1] != '.'; label--)
				;
			if (len - label != 16 && len - label != 56)
				return false;
			if (!is_base32(host + label, len - label))
				return false;
			return label == 0 || labels_valid(host, label - 1);
		case NOSTR_I2P:
			if (len == 3 && memcmp(host, "b32", 3) == 0)
				return false;
			if (len >= 4 && memcmp(host + len - 4, ".b32", 4) == 0)
				return len == 56 && is_base32(host, 52);
			return labels_valid(host, len);
		case NOSTR_LOKI:
			return len == 52 && is_base32(host, len);
		default:
			return false;
	}
}

static NostrUrlReject
classify_name(bool allow_special, NostrHost *out)
{
	static const struct
	{
		const char *suffix;
		NostrNetwork network;
	}			overlays[] = {
		{".onion", NOSTR_TOR}, {".i2p", NOSTR_I2P}, {".loki", NOSTR_LOKI}
	};
	size_t		len = strlen(out->text);

	for (size_t i = 0; i < 3; i++)
	{
		size_t		n = strlen(overlays[i].suffix);

		if (len < n || strcmp(out->text + len - n, overlays[i].suffix) != 0)
			continue;
		out->network = overlays[i].network;
		return overlay_valid(out->network, out->text, len - n)
			? NOSTR_URL_OK : NOSTR_URL_BAD_OVERLAY;
	}

	if (!labels_valid(out->text, len))
		return NOSTR_URL_BAD_HOST;
	for (size_t i = 0; i < sizeof(special_names) / sizeof(special_names[0]); i++)
	{
		if (!in_domain(out->text, special_names[i]))
			continue;
		if (!allow_special || i > 1)	/* localhost names only */
			return NOSTR_URL_SPECIAL_NAME;
		out->special = true;
		return NOSTR_URL_OK;
	}
	return hostname_valid(out->text) ? NOSTR_URL_OK : NOSTR_URL_BAD_HOST;
}

/* Percent-decodes, and maps to A-labels when there is anything but ASCII. */
static NostrUrlReject
host_to_ascii(const char *raw, size_t len, char *out, size_t outsize)
{
	char		buf[HOST_RAW_MAX + 1];
	size_t		n = 0;
	bool		ascii = true;
	char	   *mapped = NULL;

	for (size_t i = 0; i < len; i++)
	{
		int			c = (uint8_t) raw[i];

		if (c == '%')
		{
			c = nostr_host_unescape(raw + i, len - i);
			i += 2;
		}
		if (c <= ' ' || c == 0x7f || c == '\\' || n >= HOST_RAW_MAX)
			return NOSTR_URL_BAD_HOST;
		ascii = ascii && c < 0x80;
		buf[n++] = (char) c;
	}
	buf[n] = '\0';

	if (!ascii)
	{
		if (!nostr_utf8_valid((const uint8_t *) buf, n) ||
			idn2_to_ascii_8z(buf, &mapped, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
			return NOSTR_URL_BAD_HOST;
	}
	n = strlen(mapped != NULL ? mapped : buf);
	if (n > 0 && (mapped != NULL ? mapped : buf)[n - 1] == '.')
		n--;					/* the root, written out */
	if (n >= outsize)
	{
		idn2_free(mapped);
		return NOSTR_URL_BAD_HOST;
	}
	for (size_t i = 0; i < n; i++)
	{
		char		c = (mapped != NULL ? mapped : buf)[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
	}
	out[n] = '\0';
	idn2_free(mapped);
	return n == 0 ? NOSTR_URL_NO_HOST : NOSTR_URL_OK;
}

NostrUrlReject
nostr_host_parse(const char *raw, size_t len, bool bracketed,
				 bool allow_special, NostrHost *out)
{
	NostrAddr	addr;
	NostrUrlReject r;

	memset(out, 0, sizeof(*out));
	out->network = NOSTR_CLEARNET;
	if (len == 0)
		return NOSTR_URL_NO_HOST;
	if (bracketed)
	{
		/* no zone and no escapes: both fail as address text */
		if (len > NOSTR_HOST_MAX || memchr(raw, '\0', len) != NULL)
			return NOSTR_URL_BAD_HOST;
		memcpy(out->text, raw, len);
	}
	else if ((r = host_to_ascii(raw, len, out->text, sizeof(out->text))) != NOSTR_URL_OK)
		return r;

	if (!nostr_addr_parse(out->text, &addr) || addr.v6 != bracketed)
		return bracketed ? NOSTR_URL_BAD_HOST : classify_name(allow_special, out);

	out->ip_literal = true;
	out->v6 = addr.v6;
	out->special = nostr_addr_special(&addr) != NULL;
	nostr_addr_format(&addr, out->text);
	return out->special && !allow_special ? NOSTR_URL_SPECIAL_ADDRESS : NOSTR_URL_OK;
}
