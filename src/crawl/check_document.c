/*
 * check_document.c
 *
 * Turns what a check saw into documents, with the names and types of the
 * Python system (ssl_*, geo_*, net_*, dns_*, http_*) and additional fields
 * where we know more.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "../nostr/hex.h"
#include "check_internal.h"
#include "document.h"
#include "text.h"

/* Foreign text, cleaned; "" is left out. */
static void
put_text(json_t *to, const char *name, const char *value)
{
	char		text[SEEN_MAX_TEXT * 2] = "";

	crawl_text_append(text, sizeof(text), value, strlen(value));
	if (text[0] != '\0')
		json_object_set_new(to, name, json_string(text));
}

static void
put_int(json_t *to, const char *name, int64_t value)
{
	json_object_set_new(to, name, json_integer(value));
}

static void
put_fingerprint(json_t *to, const uint8_t sha256[32])
{
	char		text[7 + 32 * 3 + 1] = "SHA256:";

	for (int i = 0; i < 32; i++)
		sprintf(text + 7 + i * 3, "%02X%s", sha256[i], i < 31 ? ":" : "");
	json_object_set_new(to, "ssl_fingerprint", json_string(text));
}

static json_t *
ssl_document(const Check *c)
{
	const SeenTls *t = &c->seen.tls;
	json_t	   *d = json_object();
	json_t	   *sans = json_array();
	const char *san = (const char *) t->san.data;

	if (!t->certificate)
	{
		json_decref(sans);
		return document_result(d, document_logs(false, c->result.open.ok ? "no certificate" :
												c->result.open.reason));
	}
	json_object_set_new(d, "ssl_valid", json_boolean(t->verdict == X509_V_OK));
	put_text(d, "ssl_reason", t->verdict_text);
	put_text(d, "ssl_subject_cn", t->subject_cn);
	put_text(d, "ssl_issuer", t->issuer);
	put_text(d, "ssl_issuer_cn", t->issuer_cn);
	put_int(d, "ssl_not_before", t->not_before);
	put_int(d, "ssl_expires", t->not_after);
	put_text(d, "ssl_serial", t->serial);
	put_int(d, "ssl_version", t->version);
	put_fingerprint(d, t->fingerprint);
	put_int(d, "ssl_chain_length", t->chain_length);
	for (int i = 0; i < t->n_san; i++, san += strlen(san) + 1)
	{
		char		text[SEEN_MAX_TEXT] = "";

		crawl_text_append(text, sizeof(text), san, strlen(san));
		json_array_append_new(sans, json_string(text));
	}
	json_object_set_new(d, "ssl_san", sans);
	put_text(d, "ssl_protocol", t->protocol);
	put_text(d, "ssl_cipher", t->cipher);
	if (t->cipher_bits > 0)
		put_int(d, "ssl_cipher_bits", t->cipher_bits);
	return document_result(d, document_logs(true, NULL));
}

static json_t *
http_document(const Check *c)
{
	json_t	   *d = json_object();
	bool		any;

	put_text(d, "http_server", c->seen.server);
	put_text(d, "http_powered_by", c->seen.powered_by);
	any = json_object_size(d) > 0;
	/* 101 is the rule and not said */
	if (c->seen.http_status != 0 && c->seen.http_status != 101)
		put_int(d, "http_status", c->seen.http_status);
	return document_result(d, document_logs(any, c->seen.http_status != 0 ?
											"no HTTP headers captured" : c->result.open.reason));
}

static json_t *
dns_document(Check *c)
{
	bool		any = json_object_size(c->dns_data) > 0;
	json_t	   *d = json_incref(c->dns_data);
	json_t	   *ttl = json_object_get(c->dns_ttl, "a");

	if (ttl != NULL)
		json_object_set(d, "dns_ttl", ttl);
	json_object_set(d, "dns_ttls", c->dns_ttl);
	json_object_set(d, "dns_status", c->dns_status);
	return document_result(d, document_logs(any, "no DNS records found"));
}

static void
put_logs(json_t *to, const char *phase, const CheckAnswer *a)
{
	char		name[32];

	if (!a->asked)
		return;
	snprintf(name, sizeof(name), "%s_success", phase);
	json_object_set_new(to, name, json_boolean(a->ok));
	if (a->ok)
		return;
	snprintf(name, sizeof(name), "%s_reason", phase);
	json_object_set_new(to, name, json_string(a->reason));
}

static void
put_rtt(json_t *to, const char *name, const CheckAnswer *a)
{
	if (a->ok)
		put_int(to, name, a->us / 1000);
}

/* Never opened: reading and writing failed for the same reason. */
static void
inherit(const CheckAnswer *open, CheckAnswer *later, bool wanted)
{
	if (open->ok || !wanted)
		return;
	later->asked = true;
	memcpy(later->reason, open->reason, sizeof(later->reason));
}

static json_t *
rtt_document(Check *c)
{
	CheckResult *r = &c->result;
	json_t	   *d = json_object();
	json_t	   *logs = json_object();

	inherit(&r->open, &r->read, true);
	inherit(&r->open, &r->write, c->spec.write && c->spec.seckey != NULL);
	put_rtt(d, "rtt_open", &r->open);
	put_rtt(d, "rtt_read", &r->read);
	put_rtt(d, "rtt_write", &r->write);
	put_logs(logs, "open", &r->open);
	put_logs(logs, "read", &r->read);
	put_logs(logs, "write", &r->write);
	return document_result(d, logs);
}

/* Where the connection went, else where the name leads. */
static void
places(Check *c)
{
	const NostrAddr *addr = c->n_addr > 0 ? c->addr : &c->seen.address;
	int			n = c->n_addr > 0 ? c->n_addr : c->seen.has_address;
	json_t	   *place;

	if (check_wants(c, CHECK_GEO) && geo_has_city(c->spec.geo))
	{
		place = geo_place(c->spec.geo, addr, n, c->spec.precision);
		c->result.document[CHECK_GEO] =
			document_result(place != NULL ? place : json_object(),
							document_logs(place != NULL, n > 0 ? "no geo data found for IP" :
										  "could not resolve hostname to IP"));
	}
	if (check_wants(c, CHECK_NET))
		c->result.document[CHECK_NET] =
			document_result(geo_network(c->spec.geo, addr, n),
							document_logs(n > 0, "could not resolve hostname to IP"));
}

void
check_documents(Check *c)
{
	CheckResult *r = &c->result;

	r->has_address = c->seen.has_address;
	r->address = c->seen.address;
	if (check_wants(c, CHECK_RTT))
		r->document[CHECK_RTT] = rtt_document(c);
	if (check_wants(c, CHECK_HTTP))
		r->document[CHECK_HTTP] = http_document(c);
	if (c->url.network != NOSTR_CLEARNET)
		return;
	if (check_wants(c, CHECK_SSL) && c->url.tls)
		r->document[CHECK_SSL] = ssl_document(c);
	if (check_wants(c, CHECK_DNS) && c->dns_data != NULL)
		r->document[CHECK_DNS] = dns_document(c);
	places(c);
}
