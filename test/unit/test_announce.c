/*
 * test_announce.c
 *
 * The relay discovery event, tag by tag of NIP-66: what must be known for it
 * to be there, and where its value comes from.  Each row is compared with all
 * tags of that name, in order; a tag that no row knows fails the test.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../../src/crawl/announce.h"
#include "../../src/nostr/crypto.h"
#include "../../src/nostr/sign.h"
#include "../../src/nostr/tags.h"
#include "../../src/nostr/tags_json.h"
#include "check.h"

static const uint8_t key[32] = {[31] = 7};

/* What the check found.  "doc" is the NIP-11 document; "data" holds the data
 * of the other documents by the name of their type. */
typedef struct Found
{
	const char *url;
	bool		closed;			/* did not open */
	const char *read;			/* NULL: answered; "": not asked; else the reason */
	const char *write;
	const char *doc;
	const char *data;
	const char *served;			/* kinds, e.g. "1,7" */
	const char *refused;
} Found;

static json_t *
json(const char *text)
{
	json_t	   *v = json_loads(text, 0, NULL);

	CHECK(v != NULL);
	return v;
}

static CheckAnswer
said(const char *why, uint32_t us)
{
	CheckAnswer a = {.asked = why == NULL || why[0] != '\0',.ok = why == NULL};

	if (a.ok)
		a.us = us;
	else
		snprintf(a.reason, sizeof(a.reason), "%s", why);
	return a;
}

static int
numbers(const char *list, uint16_t *out)
{
	int			n = 0;
	char	   *end;

	for (const char *p = list; p != NULL && *p != '\0'; p = *end == ',' ? end + 1 : end)
		out[n++] = (uint16_t) strtol(p, &end, 10);
	return n;
}

static void
put_documents(CheckResult *r, const char *data)
{
	json_t	   *all = data != NULL ? json(data) : json_object();

	for (int t = 0; t < CHECK_TYPES; t++)
	{
		json_t	   *d = json_object_get(all, check_type_name((CheckType) t));

		if (d != NULL)
			r->document[t] = json_pack("{s:O}", "data", d);
	}
	json_decref(all);
}

/* The event as JSON; NULL: none was made. */
static json_t *
announce(const Found *f)
{
	CheckResult r = {.nip11_raw = (uint8_t *) (f->doc != NULL ? f->doc : "")};
	uint16_t	kinds[CHECK_MAX_KINDS];
	CheckSpec	spec = {.seckey = key,.probe_kind = CHECK_PROBE_KIND,.kinds = kinds};
	Nip11		nip11;
	NostrRelayUrl url;
	NostrBuf	out;
	NostrBuf	scratch;
	NostrEvent	ev;
	uint8_t		id[32];
	json_t	   *event = NULL;

	spec.n_kinds = (uint16_t) numbers(f->served, kinds);
	spec.n_refused = (uint16_t) numbers(f->refused, kinds + spec.n_kinds);
	CHECK(nostr_relay_url_parse(f->url, strlen(f->url), false, &url) == NOSTR_URL_OK);
	nip11_parse(f->doc != NULL ? f->doc : "", f->doc != NULL ? strlen(f->doc) : 0, &nip11);
	r.nip11_raw_len = f->doc != NULL ? strlen(f->doc) : 0;
	r.open = said(f->closed ? "timeout" : NULL, 234567);
	r.read = said(f->read, 45999);
	r.write = said(f->write, 67001);
	put_documents(&r, f->data);
	nostr_buf_init(&out, NOSTR_EVENT_MAX_SIZE);
	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE);
	if (announce_relay(&out, id, &url, &spec, &r, &nip11))
	{
		CHECK(nostr_event_parse((char *) out.data, out.len, &scratch, &ev, NULL) == NOSTR_OK);
		CHECK(ev.kind == 30166 && nostr_event_verify(&ev) && memcmp(ev.id, id, 32) == 0);
		event = json_loadb((char *) out.data, out.len, 0, NULL);
	}
	for (int t = 0; t < CHECK_TYPES; t++)
		json_decref(r.document[t]);
	nostr_buf_free(&out);
	nostr_buf_free(&scratch);
	nip11_free(&nip11);
	return event;
}

/* Values of the tags of that name, joined by blanks; elements by "/". */
static const char *
values(const json_t *event, const char *name)
{
	static char text[8192];
	const json_t *tags = json_object_get(event, "tags");

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(tags); i++)
	{
		const json_t *t = json_array_get(tags, i);

		if (strcmp(json_string_value(json_array_get(t, 0)), name) != 0)
			continue;
		if (text[0] != '\0')
			strcat(text, " ");
		for (size_t k = 1; k < json_array_size(t); k++)
		{
			if (k > 1)
				strcat(text, "/");
			CHECK(strlen(text) + json_string_length(json_array_get(t, k)) < sizeof(text) - 2);
			strcat(text, json_string_value(json_array_get(t, k)));
		}
	}
	return text;
}

typedef struct Row
{
	const char *tag;
	const char *expected;		/* "" : the tag is not there */
	Found		found;
} Row;

#define HOST "wss://relay.bigbrotr.org"
#define LIMIT(x) "{\"limitation\":{" x "}}"

static const Row rows[] = {
	/* d: the address, normalised */
	{"d", "wss://relay.bigbrotr.org/", {.url = HOST}},
	{"d", "wss://relay.bigbrotr.org/", {.url = "WSS://Relay.BigBrotr.ORG:443/."}},
	{"d", "wss://relay.bigbrotr.org/a~b", {.url = HOST "/x/../a%7Eb"}},
	{"d", "wss://relay.bigbrotr.org:8443/", {.url = HOST ":8443"}},
	/* rtt-*: measured, in whole ms, only when answered */
	{"rtt-open", "234", {.url = HOST}},
	{"rtt-read", "45", {.url = HOST}},
	{"rtt-read", "", {.url = HOST,.read = "timeout"}},
	{"rtt-write", "67", {.url = HOST}},
	{"rtt-write", "", {.url = HOST,.write = "blocked: no"}},
	{"rtt-write", "", {.url = HOST,.write = ""}},
	/* n: follows from the address */
	{"n", "clearnet", {.url = HOST}},
	{"n", "tor", {.url = "ws://6hzbfxpnsdo4bkplp5uojidkibswevsz3cfpdynih3qvfr24t5qlkcyd.onion"}},
	/* T: types that the answers show */
	{"T", "PublicOutbox", {.url = HOST}},
	{"T", "PrivateInbox", {.url = HOST,.read = "auth-required: who are you"}},
	{"T", "", {.url = HOST,.write = ""}},
	{"T", "Search Community PublicOutbox", {.url = HOST,.doc = "{\"supported_nips\":[50,29]}"}},
	/* N: told by the document, sorted, each once, integers only */
	{"N", "1 11 40", {.url = HOST,.doc = "{\"supported_nips\":[40,1,11,1,\"42\",1.5]}"}},
	{"N", "", {.url = HOST}},
	/* R: nothing told, nothing shown */
	{"R", "", {.url = HOST,.read = "",.write = ""}},
	{"R", "", {.url = HOST,.read = "",.write = "",.doc = "{\"name\":\"x\"}"}},
	{"R", "", {.url = HOST,.read = "timeout",.write = "timeout",.doc = LIMIT("\"auth_required\":\"yes\"")}},
	/* R: shown */
	{"R", "!auth !writes !pow !payment", {.url = HOST}},
	{"R", "auth writes", {.url = HOST,.write = "auth-required: sign in"}},
	{"R", "auth !writes !pow !payment", {.url = HOST,.read = "auth-required: sign in"}},
	{"R", "!auth writes", {.url = HOST,.write = "restricted: members only"}},
	{"R", "!auth pow", {.url = HOST,.write = "pow: 28 bits needed"}},
	{"R", "!auth", {.url = HOST,.write = "blocked: kind 22456 is not accepted"}},
	{"R", "!auth", {.url = HOST,.write = "rate-limited: slow down"}},
	/* R: told */
	{"R", "auth", {.url = HOST,.read = "",.write = "",.doc = LIMIT("\"auth_required\":true")}},
	{"R", "!auth", {.url = HOST,.read = "",.write = "",.doc = LIMIT("\"auth_required\":false")}},
	{"R", "writes", {.url = HOST,.read = "",.write = "",.doc = LIMIT("\"restricted_writes\":true")}},
	{"R", "!pow !payment", {.url = HOST,.read = "",.write = "",
	.doc = LIMIT("\"min_pow_difficulty\":0,\"payment_required\":false")}},
	{"R", "pow payment", {.url = HOST,.read = "",.write = "",
	.doc = LIMIT("\"min_pow_difficulty\":20,\"payment_required\":true")}},
	/* R: told one thing, shown another; work that was done is still demanded */
	{"R", "!auth !writes pow !payment", {.url = HOST,.doc = LIMIT("\"auth_required\":true,\"restricted_writes\":true,"
														 "\"payment_required\":true,\"min_pow_difficulty\":8")}},
	/* t: told */
	{"t", "cats nsfw", {.url = HOST,.doc = "{\"tags\":[\"cats\",7,\"nsfw\"]}"}},
	/* k: served or taken before, the probe now, and what was refused as a kind */
	{"k", "22456", {.url = HOST}},
	{"k", "1 30023 22456", {.url = HOST,.served = "1,30023"}},
	{"k", "22456", {.url = HOST,.served = "22456"}},
	{"k", "1 !4", {.url = HOST,.served = "1",.refused = "4",.write = ""}},
	{"k", "4", {.url = HOST,.served = "4",.refused = "4",.write = ""}},
	{"k", "!22456", {.url = HOST,.write = "blocked: Kind 22456 not allowed"}},
	{"k", "!22456", {.url = HOST,.write = "invalid: no such kinds here"}},
	{"k", "!22456", {.url = HOST,.refused = "22456",.write = "blocked: kind"}},
	{"k", "", {.url = HOST,.write = "blocked: be kindly, mankind"}},
	/* g: where the address is */
	{"g", "u0nd9hd", {.url = HOST,.data = "{\"nip66_geo\":{\"geo_hash\":\"u0nd9hd\"}}"}},
	/* l: languages told, and the labels of what is added below */
	{"l", "en/ISO-639-1 de/ISO-639-1", {.url = HOST,.doc = "{\"language_tags\":[\"en-US\",\"*\",\"DE\",\"global\"]}"}},
	{"L", "ISO-639-1", {.url = HOST,.doc = "{\"language_tags\":[\"en\"]}"}},
	{"l", "CH/ISO-3166-1 Zürich/nip66.label.city Europe\\Zurich/IANA-tz",
		{.url = HOST,.data = "{\"nip66_geo\":{\"geo_country\":\"CH\",\"geo_city\":\"Zürich\",\"geo_tz\":\"Europe\\\\Zurich\"}}"}},
	{"l", "64500/IANA-asn Example Net/IANA-asnOrg",
		{.url = HOST,.data = "{\"nip66_net\":{\"net_asn\":64500,\"net_asn_org\":\"Example Net\"}}"}},
	/* additions of ours */
	{"ssl", "valid", {.url = HOST,.data = "{\"nip66_ssl\":{\"ssl_valid\":true}}"}},
	{"ssl", "!valid", {.url = HOST,.data = "{\"nip66_ssl\":{\"ssl_valid\":false}}"}},
	{"ssl-expires", "1800000000", {.url = HOST,.data = "{\"nip66_ssl\":{\"ssl_expires\":1800000000}}"}},
	{"ssl-issuer", "Example CA", {.url = HOST,.data = "{\"nip66_ssl\":{\"ssl_issuer\":\"Example CA\"}}"}},
	{"net-ip", "192.0.2.1", {.url = HOST,.data = "{\"nip66_net\":{\"net_ip\":\"192.0.2.1\"}}"}},
	{"net-ipv6", "2001:db8::1", {.url = HOST,.data = "{\"nip66_net\":{\"net_ipv6\":\"2001:db8::1\"}}"}},
	{"net-asn", "64500", {.url = HOST,.data = "{\"nip66_net\":{\"net_asn\":64500}}"}},
	{"net-asn-org", "Example Net", {.url = HOST,.data = "{\"nip66_net\":{\"net_asn_org\":\"Example Net\"}}"}},
	{"geo-country", "CH", {.url = HOST,.data = "{\"nip66_geo\":{\"geo_country\":\"CH\"}}"}},
	{"geo-city", "Bern", {.url = HOST,.data = "{\"nip66_geo\":{\"geo_city\":\"Bern\"}}"}},
	{"geo-lat", "46.9481", {.url = HOST,.data = "{\"nip66_geo\":{\"geo_lat\":46.94809}}"}},
	{"geo-lon", "7.44744", {.url = HOST,.data = "{\"nip66_geo\":{\"geo_lon\":7.44744}}"}},
	{"geo-tz", "Europe/Zurich", {.url = HOST,.data = "{\"nip66_geo\":{\"geo_tz\":\"Europe/Zurich\"}}"}},
	{"dns-ip", "192.0.2.1", {.url = HOST,.data = "{\"nip66_dns\":{\"dns_ips\":[\"192.0.2.1\",\"192.0.2.2\"]}}"}},
	{"dns-ip6", "2001:db8::1", {.url = HOST,.data = "{\"nip66_dns\":{\"dns_ips_v6\":[\"2001:db8::1\"]}}"}},
	{"dns-cname", "a.example.net", {.url = HOST,.data = "{\"nip66_dns\":{\"dns_cname\":\"a.example.net\"}}"}},
	{"dns-ttl", "300", {.url = HOST,.data = "{\"nip66_dns\":{\"dns_ttl\":300}}"}},
	{"http-server", "nginx", {.url = HOST,.data = "{\"nip66_http\":{\"http_server\":\"nginx\"}}"}},
	{"http-powered-by", "Express", {.url = HOST,.data = "{\"nip66_http\":{\"http_powered_by\":\"Express\"}}"}},
};

static bool
known_tag(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		if (strcmp(rows[i].tag, name) == 0)
			return true;
	}
	return false;
}

static void
table(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
	{
		json_t	   *event = announce(&rows[i].found);
		const json_t *tags = json_object_get(event, "tags");
		bool		ok = event != NULL && strcmp(values(event, rows[i].tag), rows[i].expected) == 0;

		CHECK(ok);
		if (!ok)
			fprintf(stderr, "row %zu: %s is \"%s\", not \"%s\"\n", i, rows[i].tag,
					event != NULL ? values(event, rows[i].tag) : "(no event)", rows[i].expected);
		/* d first and once; one value per tag but for labels; nothing the table does not know */
		CHECK(strcmp(json_string_value(json_array_get(json_array_get(tags, 0), 0)), "d") == 0);
		CHECK(strchr(values(event, "d"), ' ') == NULL);
		for (size_t k = 0; k < json_array_size(tags); k++)
		{
			const json_t *t = json_array_get(tags, k);
			const char *name = json_string_value(json_array_get(t, 0));

			CHECK(known_tag(name));
			CHECK(json_array_size(t) == (strcmp(name, "l") == 0 ? 3 : 2));
		}
		json_decref(event);
	}
}

/* content: the relay's document as it came, or nothing. */
static void
content(void)
{
	static const char doc[] = "{ \"name\" : \"as it came\",\n \"unknown\":[1.50] }";
	json_t	   *event = announce(&(Found) {.url = HOST,.doc = doc});
	char	   *big = malloc(ANNOUNCE_MAX_CONTENT + 100);

	CHECK_STR(json_string_value(json_object_get(event, "content")), doc);
	json_decref(event);
	event = announce(&(Found) {.url = HOST});
	CHECK_STR(json_string_value(json_object_get(event, "content")), "");
	json_decref(event);
	event = announce(&(Found) {.url = HOST,.doc = "<html>"});
	CHECK_STR(json_string_value(json_object_get(event, "content")), "");
	json_decref(event);
	snprintf(big, ANNOUNCE_MAX_CONTENT + 100, "{\"tags\":[\"%0*d\",\"short\"]}", ANNOUNCE_MAX_CONTENT, 7);
	event = announce(&(Found) {.url = HOST,.doc = big});
	CHECK_STR(json_string_value(json_object_get(event, "content")), "");
	CHECK_STR(values(event, "t"), "short");
	json_decref(event);
	free(big);
}

int
main(void)
{
	nostr_crypto_init();
	table();
	content();
	/* offline: never announced, whatever else is known of it */
	CHECK(announce(&(Found) {.url = HOST,.closed = true,.read = "timeout",.write = "timeout",
				.doc = "{\"name\":\"x\"}",.served = "1"}) == NULL);
	return check_done();
}
