/*
 * identity.c
 *
 * See identity.h.  Must survive any document: it is bounded, and what is
 * odd in it is left out.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <string.h>

#include "../nostr/crypto.h"
#include "document.h"
#include "identity.h"
#include "nip11.h"

#define MAX_REDIRECTS	3

HttpGet *
identity_get(Net *net, const char *relay_url, HttpCallback done, void *user)
{
	char		url[NOSTR_RELAY_URL_MAX + 8];
	HttpSpec	spec = {
		.url = url,
		.accept = "application/nostr+json",
		.max_body = IDENTITY_MAX_DOCUMENT,
		.max_redirects = MAX_REDIRECTS,
	};

	/* wss: and ws: become https: and http:, all else stays */
	snprintf(url, sizeof(url), "http%s", relay_url + 2);
	return http_get(net, &spec, done, user);
}

static uint32_t
limit(int64_t n)
{
	return n > 0 && n <= IDENTITY_MAX_LIMIT ? (uint32_t) n : 0;
}

static bool
has_text(const json_t *document, const char *name)
{
	const char *s = json_string_value(json_object_get(document, name));

	return s != NULL && s[0] != '\0';
}

void
identity_read(const HttpResult *r, Identity *out)
{
	Nip11		doc;
	NostrBuf	text;

	memset(out, 0, sizeof(*out));
	if (r->failure != NET_OK || r->status != 200)
		return;
	nip11_parse((const char *) r->body, r->len, &doc);
	nostr_buf_init(&text, DOCUMENT_MAX_SIZE);
	if (doc.data != NULL && json_object_size(doc.data) > 0 && document_write(&text, doc.data))
	{
		out->found = true;
		out->named = has_text(doc.data, "name") || has_text(doc.data, "pubkey") ||
			has_text(doc.data, "self");
		nostr_sha256(text.data, text.len, out->digest);
		out->max_limit = limit(doc.max_limit);
		out->default_limit = limit(doc.default_limit);
		out->max_subid_length = limit(doc.max_subid_length);
		out->max_message_length = limit(doc.max_message_length);
		out->max_subscriptions = limit(doc.max_subscriptions);
	}
	nostr_buf_free(&text);
	nip11_free(&doc);
}
