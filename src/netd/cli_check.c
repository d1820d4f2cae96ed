/*
 * cli_check.c
 *
 * The command "check": one check, for people and tests.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../crawl/document.h"
#include "cli_check.h"

static NostrRelayUrl relay;
static Geo *geo;
static int *status;

static void
put_time(json_t *times, const char *name, uint32_t us)
{
	if (us > 0)
		json_object_set_new(times, name, json_integer(us));
}

static json_t *
times(const CheckResult *r)
{
	json_t	   *t = json_object();

	put_time(t, "dns", r->timings.dns);
	put_time(t, "tcp", r->timings.tcp);
	put_time(t, "tls", r->timings.tls);
	put_time(t, "upgrade", r->timings.upgrade);
	put_time(t, "open", r->open.us);
	put_time(t, "read", r->read.us);
	put_time(t, "write", r->write.us);
	put_time(t, "nip11", r->nip11_us);
	return t;
}

/* As it would be stored: read back from its canonical form. */
static json_t *
stored(const json_t *document)
{
	NostrBuf	text;
	json_t	   *j = NULL;

	nostr_buf_init(&text, DOCUMENT_MAX_SIZE);
	if (document_write(&text, document))
		j = json_loadb((const char *) text.data, text.len, 0, NULL);
	nostr_buf_free(&text);
	return j != NULL ? j : json_null();
}

static json_t *
documents(const CheckResult *r)
{
	json_t	   *d = json_object();

	for (int t = 0; t < CHECK_TYPES; t++)
	{
		if (r->document[t] != NULL)
			json_object_set_new(d, check_type_name((CheckType) t), stored(r->document[t]));
	}
	return d;
}

static void
on_checked(void *user, const CheckResult *r)
{
	json_t	   *j = json_object();
	char		address[64] = "";

	(void) user;
	json_object_set_new(j, "url", json_string(relay.url));
	json_object_set_new(j, "network", json_string(nostr_network_name(relay.network)));
	json_object_set_new(j, "opened", json_boolean(r->open.ok));
	json_object_set_new(j, "failure", json_string(net_failure_name(r->failure)));
	if (!r->open.ok)
		json_object_set_new(j, "reason", json_string(r->open.reason));
	if (r->has_address)
		nostr_addr_format(&r->address, address);
	if (address[0] != '\0')
		json_object_set_new(j, "address", json_string(address));
	json_object_set_new(j, "microseconds", times(r));
	if (r->write.asked)
	{
		json_object_set_new(j, "write_live", json_boolean(r->write_live));
		json_object_set_new(j, "write_stored", json_boolean(r->write_stored));
	}
	json_object_set_new(j, "challenged", json_boolean(r->challenged));
	if (r->nip11_status > 0)
		json_object_set_new(j, "nip11_status", json_integer(r->nip11_status));
	json_object_set_new(j, "documents", documents(r));
	if (json_dumpf(j, stdout, JSON_INDENT(2)) != 0)
		fprintf(stderr, "bigbrotr-net: cannot write the result\n");
	printf("\n");
	json_decref(j);
	geo_close(geo);
	*status = r->open.ok ? 0 : 1;
	uv_stop(net_loop(user));
}

bool
cli_check_start(Net *net, const NostrRelayUrl *url, const CheckSpec *spec, int *st, const char **why)
{
	CheckSpec	s = *spec;

	relay = *url;
	status = st;
	geo = geo_open(net_config(net)->mmdb_city, net_config(net)->mmdb_asn, why);
	if (geo == NULL)
		return false;
	s.geo = geo;
	*why = "out of memory";
	return check_start(net, url, &s, on_checked, net) != NULL;
}
