/*
 * dns_record.c
 *
 * See dns_record.h.  The answer is read with the C library's resolver
 * routines, which check every length against the message.
 */
#include "../nostr/pgfree.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_internal.h"
#include "dns_record.h"

typedef struct DnsQuery
{
	DnsPending	pending;
	DnsType		type;
	DnsRecordsCallback cb;
	void	   *user;
	uint64_t	asked_at;
	DnsRecords	result;
} DnsQuery;

static bool
record_text(ns_msg *msg, const ns_rr *rr, char *out)
{
	NostrAddr	addr = {.v6 = ns_rr_type(*rr) == ns_t_aaaa};

	switch (ns_rr_type(*rr))
	{
		case ns_t_a:
		case ns_t_aaaa:
			if (ns_rr_rdlen(*rr) != (addr.v6 ? 16 : 4))
				return false;
			memcpy(addr.bytes, ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
			nostr_addr_format(&addr, out);
			return true;
		default:
			return ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg), ns_rr_rdata(*rr),
									  out, DNS_MAX_NAME) >= 0;
	}
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
read_answers(DnsRecords *r, DnsType type, ns_msg *msg)
{
	ns_rr		rr;

	r->ttl = UINT32_MAX;
	for (int i = 0; i < ns_msg_count(*msg, ns_s_an) && r->n < DNS_MAX_RECORDS; i++)
	{
		if (ns_parserr(msg, ns_s_an, i, &rr) != 0)
		{
			r->status = DNS_BAD_ANSWER;
			return;
		}
		if ((int) ns_rr_type(rr) != (int) type || ns_rr_class(rr) != ns_c_in ||
			!record_text(msg, &rr, r->value[r->n]))
			continue;
		if (ns_rr_ttl(rr) < r->ttl)
			r->ttl = ns_rr_ttl(rr);
		r->n++;
	}
	/* servers rotate them: the same answer must look the same */
	qsort(r->value, (size_t) r->n, sizeof(r->value[0]), by_text);
	if (r->n == 0)
		r->ttl = 0;
	r->status = r->n > 0 ? DNS_OK : DNS_NO_DATA;
}

static void
read_zone(DnsRecords *r, ns_msg *msg)
{
	ns_rr		rr;

	for (int i = 0; i < ns_msg_count(*msg, ns_s_ns); i++)
	{
		if (ns_parserr(msg, ns_s_ns, i, &rr) != 0)
			return;
		if (ns_rr_type(rr) == ns_t_soa)
		{
			snprintf(r->zone, sizeof(r->zone), "%.*s", DNS_MAX_NAME - 1, ns_rr_name(rr));
			return;
		}
	}
}

static void
read_message(DnsQuery *q, const unsigned char *data, int len)
{
	DnsRecords *r = &q->result;
	ns_msg		msg;

	if (data == NULL || ns_initparse(data, len, &msg) != 0)
	{
		r->status = DNS_BAD_ANSWER;
		return;
	}
	switch (ns_msg_getflag(msg, ns_f_rcode))
	{
		case ns_r_noerror:
			read_answers(r, q->type, &msg);
			break;
		case ns_r_nxdomain:
			r->status = DNS_NXDOMAIN;
			break;
		case ns_r_refused:
			r->status = DNS_REFUSED;
			break;
		default:
			r->status = DNS_SERVFAIL;
			break;
	}
	if (r->status == DNS_NO_DATA || r->status == DNS_NXDOMAIN)
		read_zone(r, &msg);
}

static void
deliver(DnsPending *p, bool timed_out)
{
	DnsQuery   *q = (DnsQuery *) p;

	if (timed_out)
		q->result.status = DNS_TIMEOUT;
	q->cb(q->user, &q->result);
}

static void
answer(void *arg, int status, int timeouts, unsigned char *data, int len)
{
	DnsQuery   *q = arg;

	(void) timeouts;
	if (!dns_pending_answered(&q->pending))
		return;
	q->result.us = (uint32_t) ((q->pending.arrived - q->asked_at) / 1000);
	if (data != NULL)
		read_message(q, data, len);
	else if (status == ARES_ETIMEOUT)
		q->result.status = DNS_TIMEOUT;
	else if (status == ARES_EREFUSED || status == ARES_ECONNREFUSED)
		q->result.status = DNS_REFUSED;
	else if (status == ARES_ESERVFAIL || status == ARES_ENOTIMP)
		q->result.status = DNS_SERVFAIL;
	else if (status == ARES_EBADRESP || status == ARES_EFORMERR)
		q->result.status = DNS_BAD_ANSWER;
	else
		q->result.status = DNS_NOT_ASKED;
}

bool
dns_query(Dns *dns, const char *name, DnsType type, DnsRecordsCallback cb, void *user)
{
	DnsQuery   *q;

	if (dns->active >= DNS_MAX_ACTIVE || (q = calloc(1, sizeof(*q))) == NULL)
		return false;
	q->type = type;
	q->cb = cb;
	q->user = user;
	q->asked_at = uv_hrtime();
	dns_pending_start(dns, &q->pending, deliver);
	ares_query(dns->channel, name, ns_c_in, (int) type, answer, q);
	dns_arm_timer(dns);
	return true;
}

void
dns_reverse_name(const NostrAddr *addr, char *out)
{
	int			at = 0;

	if (!addr->v6)
	{
		snprintf(out, DNS_MAX_NAME, "%u.%u.%u.%u.in-addr.arpa",
				 addr->bytes[3], addr->bytes[2], addr->bytes[1], addr->bytes[0]);
		return;
	}
	for (int i = 15; i >= 0; i--)
		at += snprintf(out + at, DNS_MAX_NAME - (size_t) at, "%x.%x.",
					   addr->bytes[i] & 15, addr->bytes[i] >> 4);
	snprintf(out + at, DNS_MAX_NAME - (size_t) at, "ip6.arpa");
}

const char *
dns_status_name(DnsStatus s)
{
	static const char *const names[] = {
		"ok", "no_data", "nxdomain", "servfail", "refused", "timeout", "bad_answer", "not_asked"
	};

	return names[s];
}
