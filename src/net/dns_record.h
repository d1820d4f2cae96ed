/*
 * dns_record.h
 *
 * One DNS query with its whole answer: records, TTL and status (RFC 1035).
 * For measuring; connections use dns_resolve.
 */
#ifndef NET_DNS_RECORD_H
#define NET_DNS_RECORD_H

#include "dns.h"

#define DNS_MAX_RECORDS 32
#define DNS_MAX_NAME 256		/* text of a name with its '\0' */

typedef enum DnsType			/* the numbers of RFC 1035 */
{
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_AAAA = 28
} DnsType;

typedef enum DnsStatus
{
	DNS_OK,						/* at least one record of that type */
	DNS_NO_DATA,				/* the name exists, such a record does not */
	DNS_NXDOMAIN,
	DNS_SERVFAIL,
	DNS_REFUSED,
	DNS_TIMEOUT,
	DNS_BAD_ANSWER,				/* not a DNS message */
	DNS_NOT_ASKED				/* cancelled, or the name cannot be asked */
} DnsStatus;

typedef struct DnsRecords
{
	DnsStatus	status;
	int			n;				/* more than DNS_MAX_RECORDS are left out */
	char		value[DNS_MAX_RECORDS][DNS_MAX_NAME];	/* address or name, sorted */
	uint32_t	ttl;			/* the smallest, seconds */
	char		zone[DNS_MAX_NAME];	/* owner of the SOA that came with DNS_NO_DATA
									 * or DNS_NXDOMAIN; "" without */
	uint32_t	us;				/* until the answer */
} DnsRecords;

typedef void (*DnsRecordsCallback) (void *user, const DnsRecords *r);

/* Never calls back from inside; the callback comes exactly once, and soon
 * when the resolver is closed.  dns was opened as_is.  false: too many questions, or out of memory. */
extern bool dns_query(Dns *dns, const char *name, DnsType type,
					  DnsRecordsCallback cb, void *user);
/* "4.3.2.1.in-addr.arpa", or the form of RFC 3596; out holds DNS_MAX_NAME. */
extern void dns_reverse_name(const NostrAddr *addr, char *out);
extern const char *dns_status_name(DnsStatus s);

#endif
