/*
 * check_nip11.c
 *
 * The relay information document of a check, asked for at the relay's own
 * address (NIP-11).
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"
#include "document.h"

#define MAX_REDIRECTS 5

static void
over(Check *c)
{
	c->nip11_over = true;
	check_ws_nip11_over(c);
	check_part_over(c);
}

static void
set_document(Check *c, const char *reason)
{
	c->result.document[CHECK_NIP11] =
		document_result(c->nip11.data != NULL ? json_incref(c->nip11.data) : json_object(),
						document_logs(reason == NULL, reason));
}

static void
keep_body(Check *c, const HttpResult *r)
{
	c->result.nip11_raw = r->len > 0 ? malloc(r->len) : NULL;
	if (c->result.nip11_raw == NULL)
		return;
	memcpy(c->result.nip11_raw, r->body, r->len);
	c->result.nip11_raw_len = r->len;
}

static void
on_answer(void *user, const HttpResult *r)
{
	Check	   *c = user;
	char		reason[CHECK_MAX_REASON];
	char		type[128] = "";
	size_t		len = 0;
	const char *value = http_header(r, "content-type", &len);

	c->http = NULL;
	c->result.nip11_status = r->status;
	c->result.nip11_us = r->timings.first_byte;
	if (value != NULL)
		snprintf(type, sizeof(type), "%.*s", (int) len, value);
	if (r->failure != NET_OK)
		snprintf(reason, sizeof(reason), "%s", r->reason);
	else if (r->status != 200)
		snprintf(reason, sizeof(reason), "status %d", r->status);
	else if (!nip11_content_type_ok(value != NULL ? type : NULL))
		snprintf(reason, sizeof(reason), "invalid Content-Type: %s", value != NULL ? type : "none");
	else
	{
		keep_body(c, r);
		nip11_parse((const char *) r->body, r->len, &c->nip11);
		snprintf(reason, sizeof(reason), "%s", c->nip11.reason);
	}
	set_document(c, c->nip11.data != NULL ? NULL : reason);
	over(c);
}

void
check_nip11_start(Check *c)
{
	char		url[sizeof(c->url.url) + 8];
	HttpSpec	spec = {
		.url = url,
		.accept = "application/nostr+json",
		.max_body = c->spec.nip11_max_size,
		.timeout_ms = 0,		/* the network's: the write waits for it */
		.max_redirects = MAX_REDIRECTS,
	};

	c->nip11.min_pow_difficulty = NIP11_ABSENT;
	c->nip11_over = true;
	if (!check_wants(c, CHECK_NIP11))
		return;
	/* wss: and ws: become https: and http:, all else stays */
	snprintf(url, sizeof(url), "http%s", c->url.url + 2);
	c->http = http_get(c->net, &spec, on_answer, c);
	if (c->http == NULL)
	{
		set_document(c, "out of memory");
		return;
	}
	c->nip11_over = false;
	c->parts++;
}

void
check_nip11_stop(Check *c)
{
	if (c->http == NULL)
		return;
	http_cancel(c->http);
	c->http = NULL;
	set_document(c, c->stop_reason);
	over(c);
}
