/*
 * check.h
 *
 * Measures one relay: NIP-11 document, times to open, read and write,
 * certificate, DNS records, location and network of its address, headers.
 *
 * Uses one WebSocket connection, one HTTP request and a few DNS queries,
 * under one deadline; none waits for another, except the write for the proof
 * of work that the NIP-11 document may demand.  A failed probe is a result.
 * What makes no sense on a network is absent: certificate, DNS, location and
 * network of overlay relays.
 *
 * done() is called exactly once, from the loop, no later than the deadline
 * plus the end of what it cancelled (DNS: five seconds).
 */
#ifndef CRAWL_CHECK_H
#define CRAWL_CHECK_H

#include <jansson.h>

#include "../net/ws.h"
#include "geo.h"

#define CHECK_PROBE_KIND	22456	/* of the written event */
#define CHECK_MAX_POW		24		/* bits, the most that a setting may allow */
#define CHECK_MAX_REASON	256
#define CHECK_MAX_KINDS		100

typedef enum CheckType			/* of document; the bits of CheckSpec.checks; the
								 * values travel */
{
	CHECK_NIP11,
	CHECK_RTT,
	CHECK_SSL,
	CHECK_GEO,
	CHECK_NET,
	CHECK_DNS,
	CHECK_HTTP,
	CHECK_TYPES
} CheckType;

typedef struct CheckSpec
{
	uint32_t	checks;			/* bit per CheckType */
	uint32_t	deadline_ms;	/* for all of it */
	uint32_t	nip11_max_size;
	uint8_t		max_pow;		/* bits we are ready to work for; 0: none */
	uint8_t		precision;		/* of the geohash */
	int32_t		probe_kind;		/* of the event that is written */
	bool		write;
	const uint8_t *seckey;		/* 32 bytes; NULL: nothing is written */
	const Geo  *geo;			/* may be NULL; outlives the check */
	bool		announce;		/* make a relay discovery event, when it opens */
	const uint16_t *kinds;		/* seen to be served or taken, then those that were
								 * refused for their kind; copied */
	uint16_t	n_kinds;		/* of the former; both together at most CHECK_MAX_KINDS */
	uint16_t	n_refused;
} CheckSpec;

typedef struct CheckAnswer		/* one question to the relay */
{
	bool		asked;
	bool		ok;
	uint32_t	us;				/* until the answer, when ok */
	char		reason[CHECK_MAX_REASON];	/* when not ok */
} CheckAnswer;

typedef struct CheckResult
{
	NetFailure	failure;		/* of opening; NET_OK: it opened */
	WsTimings	timings;		/* its phases */
	CheckAnswer open;
	CheckAnswer read;			/* first EVENT, or EOSE of an empty relay */
	CheckAnswer write;			/* OK true; the time is that of the OK alone */
	bool		write_live;		/* our subscription got it */
	bool		write_stored;	/* a later query got it */
	bool		challenged;		/* the relay sent an AUTH challenge */
	uint32_t	nip11_us;		/* until the first byte */
	int			nip11_status;	/* HTTP; 0: no answer */
	uint8_t    *nip11_raw;		/* the body as it came; during done() only */
	size_t		nip11_raw_len;
	bool		has_address;
	NostrAddr	address;
	json_t	   *document[CHECK_TYPES];	/* {"data": .., "logs": ..}; NULL: absent */
	NostrBuf	announcement;	/* the signed event as JSON; empty: none */
	uint8_t		announcement_id[32];
} CheckResult;

typedef void (*CheckDone) (void *user, const CheckResult *r);

typedef struct Check Check;

/* NULL: out of memory. */
extern Check *check_start(Net *net, const NostrRelayUrl *url, const CheckSpec *spec,
						  CheckDone done, void *user);
extern void check_cancel(Check *c);	/* done() still comes */
extern const char *check_type_name(CheckType t);	/* "nip11_info", "nip66_rtt", ... */

#endif
