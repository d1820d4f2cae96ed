/*
 * special_addr.h
 *
 * The IANA special-purpose address registries (IPv4 and IPv6), as one table:
 * which addresses are not reachable as ordinary hosts of the Internet.
 * Embedded IPv4 addresses (mapped, compatible, NAT64, 6to4, Teredo) are
 * looked up too.
 */
#ifndef NOSTR_SPECIAL_ADDR_H
#define NOSTR_SPECIAL_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct NostrAddr
{
	bool		v6;
	uint8_t		bytes[16];		/* network order; the first 4 for IPv4 */
} NostrAddr;

/* A set of CIDR blocks, as bigbrotr.allow_networks writes them. */
#define NOSTR_CIDR_MAX 64
typedef struct NostrCidr
{
	NostrAddr	addr;
	uint8_t		bits;
} NostrCidr;
typedef struct NostrCidrList
{
	int			n;
	NostrCidr	item[NOSTR_CIDR_MAX];
} NostrCidrList;

/* "127.0.0.1", "::1"; no zone, no leading zeros, no shorthand. */
extern bool nostr_addr_parse(const char *text, NostrAddr *out);
/* RFC 5952 text; out holds at least 46 bytes. */
extern void nostr_addr_format(const NostrAddr *a, char *out);
/* Name of the special range ("loopback", "private", ...), NULL for a global
 * address. */
extern const char *nostr_addr_special(const NostrAddr *a);

/* "127.0.0.0/8, ::1" separated by commas or blanks; false: *bad is the
 * offset of the item that is not a block. */
extern bool nostr_cidr_list_parse(const char *text, NostrCidrList *out, size_t *bad);
extern bool nostr_cidr_list_contains(const NostrCidrList *l, const NostrAddr *a);

#endif
