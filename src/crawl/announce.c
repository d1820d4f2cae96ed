/*
 * announce.c
 *
 * See announce.h.  Tags in the order of the NIP's list, then what we add:
 * ssl, net, geo, dns and http, with labels (NIP-32) where a namespace exists.
 */
#include "../nostr/pgfree.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../nostr/message.h"
#include "../nostr/sign.h"
#include "../nostr/tags.h"
#include "announce.h"

/* Foreign text may be anything; relays refuse events with tags that are too long. */
static void
tag(json_t *tags, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0' && strlen(value) <= ANNOUNCE_MAX_VALUE)
		json_array_append_new(tags, json_pack("[s,s]", name, value));
}

static void
tag_int(json_t *tags, const char *name, int64_t value)
{
	char		text[24];

	snprintf(text, sizeof(text), "%lld", (long long) value);
	tag(tags, name, text);
}

static void
label(json_t *tags, const char *value, const char *space)
{
	if (value == NULL || value[0] == '\0' || strlen(value) > ANNOUNCE_MAX_VALUE)
		return;
	tag(tags, "L", space);
	json_array_append_new(tags, json_pack("[s,s,s]", "l", value, space));
}

/* A member of the "data" of a document: text, or NULL. */
static const json_t *
data(const CheckResult *r, CheckType t, const char *name)
{
	return json_object_get(json_object_get(r->document[t], "data"), name);
}

static const char *
data_text(const CheckResult *r, CheckType t, const char *name)
{
	return json_string_value(data(r, t, name));
}

static void
data_tag(json_t *tags, const char *name, const CheckResult *r, CheckType t, const char *member)
{
	const json_t *v = data(r, t, member);
	char		text[40];

	if (json_is_integer(v))
		tag_int(tags, name, json_integer_value(v));
	else if (json_is_real(v))
	{
		snprintf(text, sizeof(text), "%.6g", json_real_value(v));
		tag(tags, name, text);
	}
	else
		tag(tags, name, json_string_value(v));
}

/* --- what the relay demands --- */

static bool
refused_as(const CheckAnswer *a, const char *prefix)
{
	const char *p;

	if (!a->asked || a->ok)
		return false;
	p = nostr_message_prefix(a->reason, strlen(a->reason));
	return p != NULL && strcmp(p, prefix) == 0;
}

/* Is it the kind that the relay does not want?  Says so in words of its own. */
static bool
refused_for_kind(const CheckAnswer *a)
{
	if (!a->asked || a->ok)
		return false;
	for (const char *p = a->reason; (p = strcasestr(p, "kind")) != NULL; p += 4)
	{
		size_t		n = p[4] == 's' || p[4] == 'S' ? 5 : 4;

		if ((p == a->reason || !isalpha((unsigned char) p[-1])) && !isalpha((unsigned char) p[n]))
			return true;
	}
	return false;
}

static void
requirement(json_t *tags, const char *name, bool yes, bool no)
{
	char		text[16];

	if (!yes && !no)
		return;
	snprintf(text, sizeof(text), "%s%s", yes ? "" : "!", name);
	tag(tags, "R", text);
}

/* A limitation that the document tells as true or false. */
static const json_t *
told(const Nip11 *nip11, const char *name)
{
	return json_object_get(json_object_get(nip11->data, "limitation"), name);
}

static void
requirements(json_t *tags, const CheckResult *r, const Nip11 *nip11)
{
	const json_t *auth = told(nip11, "auth_required");
	const json_t *writes = told(nip11, "restricted_writes");
	const json_t *payment = told(nip11, "payment_required");
	const json_t *pow = told(nip11, "min_pow_difficulty");
	bool		wrote = r->write.ok;
	bool		auth_seen = refused_as(&r->read, "auth-required") || refused_as(&r->write, "auth-required");
	bool		worked = pow != NULL && json_integer_value(pow) > 0;

	requirement(tags, "auth", auth_seen || (json_is_true(auth) && !r->read.ok), r->read.ok || auth != NULL);
	requirement(tags, "writes", !wrote && (json_is_true(writes) || refused_as(&r->write, "auth-required") ||
										   ((refused_as(&r->write, "restricted") ||
											 refused_as(&r->write, "blocked")) && !refused_for_kind(&r->write))),
				wrote || writes != NULL);
	/* the work that it demands was done before writing */
	requirement(tags, "pow", worked || refused_as(&r->write, "pow"), wrote || pow != NULL);
	requirement(tags, "payment", json_is_true(payment) && !wrote, wrote || payment != NULL);
}

/* Types (PascalCase) that follow from what was seen; none when in doubt. */
static void
types(json_t *tags, const CheckResult *r, const Nip11 *nip11)
{
	if (nip11_supports(nip11, 50))
		tag(tags, "T", "Search");
	if (nip11_supports(nip11, 29))
		tag(tags, "T", "Community");
	if (r->write.ok && r->read.ok)
		tag(tags, "T", "PublicOutbox");
	if (r->write.ok && refused_as(&r->read, "auth-required"))
		tag(tags, "T", "PrivateInbox");
}

static void
topics(json_t *tags, const Nip11 *nip11)
{
	const json_t *nips = json_object_get(nip11->data, "supported_nips");
	const json_t *list = json_object_get(nip11->data, "tags");
	const json_t *languages = json_object_get(nip11->data, "language_tags");

	for (size_t i = 0; i < json_array_size(nips) && i < ANNOUNCE_MAX_LIST; i++)
		tag_int(tags, "N", json_integer_value(json_array_get(nips, i)));
	for (size_t i = 0; i < json_array_size(list) && i < ANNOUNCE_MAX_LIST; i++)
		tag(tags, "t", json_string_value(json_array_get(list, i)));
	for (size_t i = 0; i < json_array_size(languages) && i < ANNOUNCE_MAX_LIST; i++)
	{
		const char *l = json_string_value(json_array_get(languages, i));
		char		code[3] = "";

		/* the primary subtag, when it is one of two letters */
		if (isalpha((unsigned char) l[0]) && isalpha((unsigned char) l[1]) && !isalnum((unsigned char) l[2]))
		{
			code[0] = (char) tolower((unsigned char) l[0]);
			code[1] = (char) tolower((unsigned char) l[1]);
			label(tags, code, "ISO-639-1");
		}
	}
}

static bool
among(const uint16_t *kind, int n, int32_t k)
{
	for (int i = 0; i < n; i++)
	{
		if (kind[i] == k)
			return true;
	}
	return false;
}

static void
kinds(json_t *tags, const CheckSpec *spec, const CheckResult *r)
{
	const uint16_t *kind = spec->kinds;
	const uint16_t *refused = spec->kinds + spec->n_kinds;
	char		text[16];

	for (int i = 0; i < spec->n_kinds; i++)
		tag_int(tags, "k", kind[i]);
	if (r->write.ok && !among(kind, spec->n_kinds, spec->probe_kind))
		tag_int(tags, "k", spec->probe_kind);
	for (int i = 0; i < spec->n_refused; i++)
	{
		snprintf(text, sizeof(text), "!%d", refused[i]);
		if (!among(kind, spec->n_kinds, refused[i]))
			tag(tags, "k", text);
	}
	snprintf(text, sizeof(text), "!%d", (int) spec->probe_kind);
	if (refused_for_kind(&r->write) && !among(kind, spec->n_kinds + spec->n_refused, spec->probe_kind))
		tag(tags, "k", text);
}

/* --- what else was measured --- */

static void
additions(json_t *tags, const CheckResult *r)
{
	const json_t *valid = data(r, CHECK_SSL, "ssl_valid");
	char		asn[24];

	if (valid != NULL)
		tag(tags, "ssl", json_is_true(valid) ? "valid" : "!valid");
	data_tag(tags, "ssl-expires", r, CHECK_SSL, "ssl_expires");
	data_tag(tags, "ssl-issuer", r, CHECK_SSL, "ssl_issuer");
	data_tag(tags, "net-ip", r, CHECK_NET, "net_ip");
	data_tag(tags, "net-ipv6", r, CHECK_NET, "net_ipv6");
	data_tag(tags, "net-asn", r, CHECK_NET, "net_asn");
	data_tag(tags, "net-asn-org", r, CHECK_NET, "net_asn_org");
	if (data(r, CHECK_NET, "net_asn") != NULL)
	{
		snprintf(asn, sizeof(asn), "%lld", (long long) json_integer_value(data(r, CHECK_NET, "net_asn")));
		label(tags, asn, "IANA-asn");
	}
	label(tags, data_text(r, CHECK_NET, "net_asn_org"), "IANA-asnOrg");
	data_tag(tags, "geo-country", r, CHECK_GEO, "geo_country");
	label(tags, data_text(r, CHECK_GEO, "geo_country"), "ISO-3166-1");
	data_tag(tags, "geo-city", r, CHECK_GEO, "geo_city");
	label(tags, data_text(r, CHECK_GEO, "geo_city"), "nip66.label.city");
	data_tag(tags, "geo-lat", r, CHECK_GEO, "geo_lat");
	data_tag(tags, "geo-lon", r, CHECK_GEO, "geo_lon");
	data_tag(tags, "geo-tz", r, CHECK_GEO, "geo_tz");
	label(tags, data_text(r, CHECK_GEO, "geo_tz"), "IANA-tz");
	tag(tags, "dns-ip", json_string_value(json_array_get(data(r, CHECK_DNS, "dns_ips"), 0)));
	tag(tags, "dns-ip6", json_string_value(json_array_get(data(r, CHECK_DNS, "dns_ips_v6"), 0)));
	data_tag(tags, "dns-cname", r, CHECK_DNS, "dns_cname");
	data_tag(tags, "dns-ttl", r, CHECK_DNS, "dns_ttl");
	data_tag(tags, "http-server", r, CHECK_HTTP, "http_server");
	data_tag(tags, "http-powered-by", r, CHECK_HTTP, "http_powered_by");
}

static json_t *
relay_tags(const NostrRelayUrl *url, const CheckSpec *spec, const CheckResult *r, const Nip11 *nip11)
{
	json_t	   *tags = json_array();
	char		d[sizeof(url->url) + 2];

	/* RFC 3986: an empty path is normalised to "/" */
	snprintf(d, sizeof(d), "%s%s", url->url, url->path[0] == '\0' ? "/" : "");
	json_array_append_new(tags, json_pack("[s,s]", "d", d));
	tag_int(tags, "rtt-open", r->open.us / 1000);
	if (r->read.ok)
		tag_int(tags, "rtt-read", r->read.us / 1000);
	if (r->write.ok)
		tag_int(tags, "rtt-write", r->write.us / 1000);
	tag(tags, "n", nostr_network_name(url->network));
	types(tags, r, nip11);
	requirements(tags, r, nip11);
	topics(tags, nip11);
	kinds(tags, spec, r);
	data_tag(tags, "g", r, CHECK_GEO, "geo_hash");
	additions(tags, r);
	return tags;
}

static bool
pack_tags(json_t *tags, NostrBuf *packed)
{
	char	   *text = json_dumps(tags, JSON_COMPACT);
	const char *reason;
	size_t		offset;
	bool		ok = text != NULL &&
		nostr_tags_from_json(text, strlen(text), packed, &reason, &offset);

	free(text);
	return ok;
}

bool
announce_relay(NostrBuf *out, uint8_t id[32], const NostrRelayUrl *url,
			   const CheckSpec *spec, const CheckResult *r, const Nip11 *nip11)
{
	NostrEvent	ev = {.kind = ANNOUNCE_KIND, .created_at = (int64_t) time(NULL)};
	NostrBuf	packed;
	json_t	   *tags;
	bool		ok;

	if (!r->open.ok || spec->seckey == NULL)
		return false;
	nostr_buf_init(&packed, NOSTR_EVENT_MAX_SIZE);
	tags = relay_tags(url, spec, r, nip11);
	ok = pack_tags(tags, &packed);
	json_decref(tags);
	ev.tags = packed.data;
	ev.tags_len = packed.len;
	ev.content = (const uint8_t *) "";
	if (nip11->data != NULL && r->nip11_raw_len <= ANNOUNCE_MAX_CONTENT &&
		r->nip11_raw != NULL)
	{
		ev.content = r->nip11_raw;
		ev.content_len = r->nip11_raw_len;
	}
	ok = ok && nostr_event_sign(&ev, spec->seckey);
	if (ok)
	{
		memcpy(id, ev.id, 32);
		nostr_event_json(&ev, out);
	}
	nostr_buf_free(&packed);
	return ok && !out->failed;
}
