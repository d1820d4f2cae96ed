/*
 * fetch_job.c
 *
 * Guarantees: BODY frames only for a whole, valid text; GOT whenever a server
 * answered.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../nostr/json_clean.h"
#include "channel.h"
#include "fetch_job.h"

struct FetchJob
{
	uint32_t	id;
	HttpGet    *get;
	void		(*gone) (void *user, NetFailure failure, const char *reason);
	void	   *user;
};

static void
put_header(NostrBuf *out, const HttpResult *r, const char *name)
{
	size_t		len;
	const char *v = http_header(r, name, &len);

	wire_put_bytes(out, v, v != NULL && len <= HTTP_MAX_VALUE ? len : 0);
}

static void
put_body(uint32_t id, const NostrBuf *text)
{
	NostrBuf   *out = channel_out();

	for (size_t at = 0; at < text->len; at += WIRE_MAX_BODY)
	{
		size_t		n = text->len - at < WIRE_MAX_BODY ? text->len - at : WIRE_MAX_BODY;
		size_t		mark = wire_begin(out, WIRE_BODY, id);

		wire_put_bytes(out, text->data + at, n);
		wire_end(out, mark);
	}
}

static void
on_done(void *user, const HttpResult *r)
{
	FetchJob   *j = user;
	NetFailure	failure = r->failure;
	char		reason[256];
	NostrBuf	text;
	NostrReject why;
	size_t		at;
	size_t		mark;

	snprintf(reason, sizeof(reason), "%s", r->reason);
	nostr_buf_init(&text, r->len + 64);
	if (failure == NET_OK && r->status != 304)
	{
		why = nostr_json_clean((const char *) r->body, r->len, &text, &at);
		if (why == NOSTR_OK)
			put_body(j->id, &text);
		else
		{
			failure = why == NOSTR_OUT_OF_MEMORY ? NET_RESOURCES : NET_PROTOCOL;
			snprintf(reason, sizeof(reason), "the answer is not JSON: at byte %zu: %s", at,
					 nostr_reject_text(why));
		}
	}
	nostr_buf_free(&text);
	if (r->status != 0)
	{
		mark = wire_begin(channel_out(), WIRE_GOT, j->id);
		wire_put_u16(channel_out(), (uint16_t) r->status);
		put_header(channel_out(), r, "etag");
		put_header(channel_out(), r, "last-modified");
		wire_end(channel_out(), mark);
	}
	j->gone(j->user, failure, reason);
	free(j);
}

static char *
get_text(WireReader *r, size_t max)
{
	size_t		n;
	const uint8_t *p = wire_get_bytes(r, max, &n);

	return p == NULL || memchr(p, 0, n) != NULL ? NULL : strndup((const char *) p, n);
}

bool
fetch_job_start(Net *net, const WireFrame *f,
				void (*gone) (void *user, NetFailure failure, const char *reason),
				void *user, FetchJob **job)
{
	WireReader	r;
	HttpSpec	spec = {.accept = "application/json"};
	FetchJob   *j = NULL;
	char	   *url;
	char	   *etag;
	char	   *modified;
	bool		ok;

	wire_reader(&r, f);
	spec.url = url = get_text(&r, HTTP_MAX_URL);
	spec.max_body = wire_get_u32(&r);
	spec.timeout_ms = wire_get_u32(&r);
	spec.max_redirects = wire_get_u8(&r);
	spec.if_none_match = etag = get_text(&r, HTTP_MAX_VALUE);
	spec.if_modified_since = modified = get_text(&r, HTTP_MAX_VALUE);
	ok = wire_done(&r) && url != NULL && etag != NULL && modified != NULL &&
		spec.max_body <= WIRE_MAX_GET;
	if (ok && (j = calloc(1, sizeof(*j))) != NULL)
	{
		j->id = f->job;
		j->gone = gone;
		j->user = user;
		j->get = http_get(net, &spec, on_done, j);
		if (j->get == NULL)
		{
			free(j);
			j = NULL;
		}
	}
	free(url);
	free(etag);
	free(modified);
	*job = j;
	return ok;
}

void
fetch_job_cancel(FetchJob *job)
{
	http_cancel(job->get);
	job->gone(job->user, NET_CANCELLED, "cancelled");
	free(job);
}
