/*
 * check_dns.c
 *
 * The DNS records of a relay's host: A, AAAA and CNAME of the name, NS of its
 * zone, PTR of its first address, each with its own status.  They are queried
 * concurrently, except NS of the zone and PTR, which depend on the first
 * answers.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "check_internal.h"

typedef struct Question
{
	DnsType		type;
	const char *status;			/* name of its status and TTL */
	const char *data;			/* name of its records */
	bool		one;			/* the first record alone, not a list */
} Question;

static const Question questions[] = {
	{DNS_A, "a", "dns_ips", false},
	{DNS_AAAA, "aaaa", "dns_ips_v6", false},
	{DNS_CNAME, "cname", "dns_cname", true},
	{DNS_NS, "ns", "dns_ns", false},
	{DNS_PTR, "ptr", "dns_reverse", true},
};

typedef struct Asked
{
	Check	   *check;
	const Question *q;
	bool		of_zone;		/* NS again, of the zone that was named */
} Asked;

static void ask(Check *c, const Question *q, const char *name, bool of_zone);

static const Question *
question(DnsType type)
{
	const Question *q = questions;

	while (q->type != type)
		q++;
	return q;
}

static void
take(Check *c, const Question *q, const DnsRecords *r)
{
	json_t	   *list = json_array();

	json_object_set_new(c->dns_status, q->status, json_string(dns_status_name(r->status)));
	if (r->n > 0)
		json_object_set_new(c->dns_ttl, q->status, json_integer(r->ttl));
	for (int i = 0; i < r->n; i++)
	{
		json_t	   *text = json_string(r->value[i]);	/* NULL: not UTF-8 */

		if (text != NULL)
			json_array_append_new(list, text);
		if ((q->type == DNS_A || q->type == DNS_AAAA) && c->n_addr < DNS_MAX_ADDRESSES &&
			nostr_addr_parse(r->value[i], &c->addr[c->n_addr]))
			c->n_addr++;
	}
	if (json_array_size(list) == 0)
		json_decref(list);
	else if (!q->one)
		json_object_set_new(c->dns_data, q->data, list);
	else
	{
		json_object_set(c->dns_data, q->data, json_array_get(list, 0));
		json_decref(list);
	}
}

/* What to ask because of this answer. */
static void
follow(Check *c, const Asked *a, const DnsRecords *r)
{
	char		name[DNS_MAX_NAME];

	if (c->stopped)
		return;
	if (a->q->type == DNS_NS && r->n == 0 && !a->of_zone && r->zone[0] != '\0' &&
		strcmp(r->zone, c->url.host) != 0)
		ask(c, a->q, r->zone, true);
	if (a->q->type == DNS_A || a->q->type == DNS_AAAA)
	{
		bool		last = json_object_get(c->dns_status, "a") != NULL &&
			json_object_get(c->dns_status, "aaaa") != NULL;

		if (last && c->n_addr > 0)
		{
			dns_reverse_name(&c->addr[0], name);
			ask(c, question(DNS_PTR), name, false);
		}
	}
}

static void
on_records(void *user, const DnsRecords *r)
{
	Asked		a = *(Asked *) user;
	Check	   *c = a.check;

	free(user);
	take(c, a.q, r);
	follow(c, &a, r);
	if (--c->dns_questions == 0)
		check_part_over(c);
}

static void
ask(Check *c, const Question *q, const char *name, bool of_zone)
{
	Asked	   *a = malloc(sizeof(*a));

	if (a == NULL)
		return;
	*a = (Asked) {c, q, of_zone};
	if (dns_query(net_dns_as_is(c->net), name, q->type, on_records, a))
		c->dns_questions++;
	else
		free(a);
}

void
check_dns_start(Check *c)
{
	bool		wanted = check_wants(c, CHECK_DNS) || check_wants(c, CHECK_GEO) || check_wants(c, CHECK_NET);

	if (!wanted || c->url.network != NOSTR_CLEARNET)
		return;
	if (c->url.ip_literal)
	{
		c->n_addr = nostr_addr_parse(c->url.host, &c->addr[0]) ? 1 : 0;
		return;
	}
	c->dns_data = json_object();
	c->dns_status = json_object();
	c->dns_ttl = json_object();
	c->dns_questions = 1;
	for (int i = 0; questions[i].type != DNS_PTR; i++)
		ask(c, &questions[i], c->url.host, false);
	if (--c->dns_questions > 0)
		c->parts++;
}

