/*
 * special_addr.c
 *
 * Guarantees: an address of the IANA IPv4 or IPv6 special-purpose registries
 * (RFC 6890 and its successors, as of RFC 9780) is never reported as global,
 * in whatever form it is embedded in an IPv6 address.  Text is parsed
 * strictly, so that "08.8.8.8" or "0x7f.1" never mean an address here while
 * they mean another one to somebody's resolver.
 */
#include "pgfree.h"

#include "special_addr.h"

#include <arpa/inet.h>
#include <string.h>

typedef struct Range4
{
	uint8_t		net[4];
	uint8_t		bits;
	const char *name;
} Range4;

typedef struct Range6
{
	uint16_t	net[8];
	uint8_t		bits;
	uint8_t		embeds;			/* offset of an embedded IPv4 address, or 0 */
	const char *name;
} Range6;

/* First match wins: narrow blocks stand before the wide ones around them. */
static const Range4 ranges4[] = {
	{{0, 0, 0, 0}, 8, "this-network"},
	{{10, 0, 0, 0}, 8, "private"},
	{{100, 64, 0, 0}, 10, "shared"},
	{{127, 0, 0, 0}, 8, "loopback"},
	{{169, 254, 0, 0}, 16, "link-local"},
	{{172, 16, 0, 0}, 12, "private"},
	{{192, 0, 0, 0}, 24, "protocol"},
	{{192, 0, 2, 0}, 24, "documentation"},
	{{192, 31, 196, 0}, 24, "as112"},
	{{192, 52, 193, 0}, 24, "amt"},
	{{192, 88, 99, 0}, 24, "6to4"},
	{{192, 168, 0, 0}, 16, "private"},
	{{192, 175, 48, 0}, 24, "as112"},
	{{198, 18, 0, 0}, 15, "benchmarking"},
	{{198, 51, 100, 0}, 24, "documentation"},
	{{203, 0, 113, 0}, 24, "documentation"},
	{{224, 0, 0, 0}, 4, "multicast"},
	{{255, 255, 255, 255}, 32, "broadcast"},
	{{240, 0, 0, 0}, 4, "reserved"},
};

static const Range6 ranges6[] = {
	{{0, 0, 0, 0, 0, 0, 0, 0}, 128, 0, "unspecified"},
	{{0, 0, 0, 0, 0, 0, 0, 1}, 128, 0, "loopback"},
	{{0, 0, 0, 0, 0, 0xffff, 0, 0}, 96, 12, "ipv4-mapped"},
	{{0, 0, 0, 0, 0, 0, 0, 0}, 96, 12, "ipv4-compatible"},
	{{0x64, 0xff9b, 0, 0, 0, 0, 0, 0}, 96, 12, "nat64"},
	{{0x64, 0xff9b, 1, 0, 0, 0, 0, 0}, 48, 0, "nat64"},
	{{0x100, 0, 0, 0, 0, 0, 0, 0}, 64, 0, "discard"},
	{{0x100, 0, 0, 1, 0, 0, 0, 0}, 64, 0, "dummy"},
	{{0x2001, 0, 0, 0, 0, 0, 0, 0}, 32, 12, "teredo"},
	{{0x2001, 2, 0, 0, 0, 0, 0, 0}, 48, 0, "benchmarking"},
	{{0x2001, 3, 0, 0, 0, 0, 0, 0}, 32, 0, "amt"},
	{{0x2001, 4, 0x112, 0, 0, 0, 0, 0}, 48, 0, "as112"},
	{{0x2001, 0x10, 0, 0, 0, 0, 0, 0}, 28, 0, "orchid"},
	{{0x2001, 0x20, 0, 0, 0, 0, 0, 0}, 28, 0, "orchid"},
	{{0x2001, 0x30, 0, 0, 0, 0, 0, 0}, 28, 0, "drip"},
	{{0x2001, 0, 0, 0, 0, 0, 0, 0}, 23, 0, "protocol"},
	{{0x2001, 0xdb8, 0, 0, 0, 0, 0, 0}, 32, 0, "documentation"},
	{{0x2002, 0, 0, 0, 0, 0, 0, 0}, 16, 2, "6to4"},
	{{0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0}, 48, 0, "as112"},
	{{0x3fff, 0, 0, 0, 0, 0, 0, 0}, 20, 0, "documentation"},
	{{0x5f00, 0, 0, 0, 0, 0, 0, 0}, 16, 0, "segment-routing"},
	{{0xfc00, 0, 0, 0, 0, 0, 0, 0}, 7, 0, "private"},
	{{0xfe80, 0, 0, 0, 0, 0, 0, 0}, 10, 0, "link-local"},
	{{0xfec0, 0, 0, 0, 0, 0, 0, 0}, 10, 0, "site-local"},
	{{0xff00, 0, 0, 0, 0, 0, 0, 0}, 8, 0, "multicast"},
};

static bool
prefix_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8;
	unsigned int rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static const char *
special4(const uint8_t *bytes)
{
	for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++)
	{
		if (prefix_equal(bytes, ranges4[i].net, ranges4[i].bits))
			return ranges4[i].name;
	}
	return NULL;
}

static const char *
special6(const uint8_t *bytes)
{
	for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++)
	{
		const Range6 *r = &ranges6[i];
		uint8_t		net[16];
		uint8_t		v4[4];
		const char *inner;

		for (int j = 0; j < 8; j++)
		{
			net[2 * j] = (uint8_t) (r->net[j] >> 8);
			net[2 * j + 1] = (uint8_t) r->net[j];
		}
		if (!prefix_equal(bytes, net, r->bits))
			continue;
		if (r->embeds == 0)
			return r->name;

		/*
		 * A translation prefix is refused as such; the embedded address only
		 * makes the reason more precise.  Teredo writes the client inverted.
		 */
		memcpy(v4, bytes + r->embeds, 4);
		if (strcmp(r->name, "teredo") == 0)
		{
			for (int j = 0; j < 4; j++)
				v4[j] ^= 0xff;
		}
		inner = special4(v4);
		return inner != NULL ? inner : r->name;
	}

	/* IANA has delegated global unicast addresses from 2000::/3 only. */
	return (bytes[0] & 0xe0) == 0x20 ? NULL : "unallocated";
}

const char *
nostr_addr_special(const NostrAddr *a)
{
	return a->v6 ? special6(a->bytes) : special4(a->bytes);
}

bool
nostr_addr_parse(const char *text, NostrAddr *out)
{
	memset(out, 0, sizeof(*out));
	if (strchr(text, ':') != NULL)
	{
		out->v6 = true;
		return inet_pton(AF_INET6, text, out->bytes) == 1;
	}

	/* Not every libc refuses leading zeros, so look for them ourselves. */
	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p == '0' && (p == text || p[-1] == '.') && p[1] >= '0' && p[1] <= '9')
			return false;
	}
	return inet_pton(AF_INET, text, out->bytes) == 1;
}

void
nostr_addr_format(const NostrAddr *a, char *out)
{
	if (inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, out, INET6_ADDRSTRLEN) == NULL)
		out[0] = '\0';
}

/* Host bits must be zero: "10.0.0.1/8" is a typing error, not a block. */
static bool
cidr_parse(const char *text, size_t len, NostrCidr *out)
{
	char		buf[64];
	char	   *slash;
	unsigned int max;
	unsigned int bits = 0;

	if (len == 0 || len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	slash = strchr(buf, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!nostr_addr_parse(buf, &out->addr))
		return false;
	max = out->addr.v6 ? 128 : 32;
	if (slash == NULL)
		bits = max;
	else
	{
		const char *p = slash + 1;

		if (*p == '\0' || strlen(p) > 3 || (p[0] == '0' && p[1] != '\0'))
			return false;
		for (; *p != '\0'; p++)
		{
			if (*p < '0' || *p > '9')
				return false;
			bits = bits * 10 + (unsigned int) (*p - '0');
		}
		if (bits > max)
			return false;
	}
	for (unsigned int i = bits; i < max; i++)
	{
		if (out->addr.bytes[i / 8] & (0x80 >> (i % 8)))
			return false;
	}
	out->bits = (uint8_t) bits;
	return true;
}

static bool
is_separator(char c)
{
	return c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
}

bool
nostr_cidr_list_parse(const char *text, NostrCidrList *out, size_t *bad)
{
	const char *p = text;

	out->n = 0;
	for (;;)
	{
		const char *start;

		while (is_separator(*p))
			p++;
		if (*p == '\0')
			return true;
		start = p;
		while (*p != '\0' && !is_separator(*p))
			p++;
		if (out->n >= NOSTR_CIDR_MAX ||
			!cidr_parse(start, (size_t) (p - start), &out->item[out->n]))
		{
			if (bad != NULL)
				*bad = (size_t) (start - text);
			return false;
		}
		out->n++;
	}
}

bool
nostr_cidr_list_contains(const NostrCidrList *l, const NostrAddr *a)
{
	for (int i = 0; i < l->n; i++)
	{
		/* families are not mixed: allowing 10/8 does not allow ::ffff:10.0.0.1 */
		if (l->item[i].addr.v6 == a->v6 &&
			prefix_equal(l->item[i].addr.bytes, a->bytes, l->item[i].bits))
			return true;
	}
	return false;
}
