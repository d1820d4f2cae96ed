/*
 * check.c
 *
 * See check.h: the parts of a check and their common end.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "check_internal.h"

const char *
check_type_name(CheckType t)
{
	static const char *const names[CHECK_TYPES] = {
		[CHECK_NIP11] = "nip11_info",
		[CHECK_RTT] = "nip66_rtt",
		[CHECK_SSL] = "nip66_ssl",
		[CHECK_GEO] = "nip66_geo",
		[CHECK_NET] = "nip66_net",
		[CHECK_DNS] = "nip66_dns",
		[CHECK_HTTP] = "nip66_http",
	};

	return names[t];
}

bool
check_wants(const Check *c, CheckType t)
{
	return (c->spec.checks & 1u << t) != 0;
}

static void
deadline_closed(uv_handle_t *h)
{
	Check	   *c = h->data;

	check_documents(c);
	if (c->spec.announce)
		(void) announce_relay(&c->result.announcement, c->result.announcement_id, &c->url,
							  &c->spec, &c->result, &c->nip11);
	c->done(c->user, &c->result);
	for (int i = 0; i < CHECK_TYPES; i++)
		json_decref(c->result.document[i]);
	nostr_buf_free(&c->result.announcement);
	json_decref(c->dns_data);
	json_decref(c->dns_status);
	json_decref(c->dns_ttl);
	nip11_free(&c->nip11);
	free(c->result.nip11_raw);
	seen_free(&c->seen);
	nostr_buf_free(&c->scratch);
	nostr_buf_free(&c->tags);
	explicit_bzero(c->seckey, sizeof(c->seckey));
	free(c);
}

void
check_part_over(Check *c)
{
	if (--c->parts > 0)
		return;
	uv_timer_stop(&c->deadline);
	uv_close((uv_handle_t *) &c->deadline, deadline_closed);
}

static void
stop(Check *c, const char *reason)
{
	if (c->stopped || c->parts == 0)
		return;
	c->stopped = true;
	strcpy(c->stop_reason, reason);
	c->parts++;					/* none of them is the last one meanwhile */
	check_ws_stop(c);
	check_nip11_stop(c);
	check_part_over(c);
}

static void
on_deadline(uv_timer_t *t)
{
	stop(t->data, "timeout of the whole check");
}

/* Everything starts from the loop, so that nothing ends inside check_start. */
static void
begin(uv_timer_t *t)
{
	Check	   *c = t->data;

	if (c->stopped)				/* before anything began */
	{
		check_part_over(c);
		return;
	}
	uv_timer_start(&c->deadline, on_deadline, c->spec.deadline_ms, 0);
	check_ws_start(c);
	check_nip11_start(c);
	check_dns_start(c);
	check_part_over(c);
}

Check *
check_start(Net *net, const NostrRelayUrl *url, const CheckSpec *spec,
			CheckDone done, void *user)
{
	Check	   *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->net = net;
	c->url = *url;
	c->url.path = c->url.url + (url->path - url->url);
	c->spec = *spec;
	if (spec->seckey != NULL)
	{
		memcpy(c->seckey, spec->seckey, 32);
		c->spec.seckey = c->seckey;
	}
	if (spec->n_kinds + spec->n_refused > CHECK_MAX_KINDS)
		c->spec.n_kinds = c->spec.n_refused = 0;
	c->spec.kinds = c->kinds;
	if (c->spec.n_kinds + c->spec.n_refused > 0)
		memcpy(c->kinds, spec->kinds, (c->spec.n_kinds + c->spec.n_refused) * sizeof(uint16_t));
	nostr_buf_init(&c->result.announcement, NOSTR_EVENT_MAX_SIZE);
	c->done = done;
	c->user = user;
	c->parts = 1;				/* begin() */
	seen_init(&c->seen);
	nostr_buf_init(&c->scratch, NOSTR_EVENT_MAX_SIZE);
	nostr_buf_init(&c->tags, 65536);
	uv_timer_init(net_loop(net), &c->deadline);
	c->deadline.data = c;
	uv_timer_start(&c->deadline, begin, 0, 0);
	return c;
}

void
check_cancel(Check *c)
{
	stop(c, "cancelled");
}
