/*
 * check_job.c
 *
 * See check_job.h.  Documents are made canonical and hashed here, so that the
 * server process never reads JSON of others.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "../crawl/document.h"
#include "../nostr/crypto.h"
#include "../nostr/sign.h"
#include "../nostr/tags.h"
#include "channel.h"
#include "check_job.h"

struct CheckJob
{
	uint32_t	id;
	Check	   *check;
	Publish    *publish;
	uint8_t    *frame;			/* PUBLISH: what its events point into */
	void		(*gone) (void *user, NetFailure failure, const char *reason);
	void	   *user;
	uint8_t		event_id[PUBLISH_MAX_EVENTS][32];
};

/* --- documents --- */

/* What changes from one look to the next although nothing has changed. */
static json_t *
stable_part(CheckType t, json_t *document)
{
	json_t	   *copy;
	json_t	   *data;

	if (t != CHECK_DNS)
		return json_incref(document);
	copy = json_deep_copy(document);
	data = json_object_get(copy, "data");
	json_object_del(data, "dns_ttl");
	json_object_del(data, "dns_ttls");
	return copy;
}

static bool
hash(json_t *document, NostrBuf *text, uint8_t id[32])
{
	nostr_buf_reset(text);
	if (!document_write(text, document))
		return false;
	nostr_sha256(text->data, text->len, id);
	return true;
}

static void
put_document(uint32_t job, CheckType t, const CheckResult *r)
{
	json_t	   *stable = stable_part(t, r->document[t]);
	NostrBuf	text;
	uint8_t		id[32];
	uint8_t		stable_id[32];

	nostr_buf_init(&text, DOCUMENT_MAX_SIZE);
	if (hash(stable, &text, stable_id) && hash(r->document[t], &text, id))
	{
		NostrBuf   *out = channel_out();
		size_t		mark = wire_begin(out, WIRE_DOCUMENT, job);
		bool		raw = t == CHECK_NIP11 && r->nip11_raw != NULL;

		wire_put_str(out, check_type_name(t));
		wire_put_fixed(out, id, 32);
		wire_put_fixed(out, stable_id, 32);
		wire_put_bytes(out, text.data, text.len);
		wire_put_bytes(out, raw ? r->nip11_raw : (const uint8_t *) "", raw ? r->nip11_raw_len : 0);
		wire_end(out, mark);
	}
	else
		channel_log(1, "a document larger than its limit was dropped");
	json_decref(stable);
	nostr_buf_free(&text);
}

static void
put_answer(NostrBuf *out, const CheckAnswer *a)
{
	wire_put_u8(out, a->asked);
	wire_put_u8(out, a->ok);
	wire_put_u32(out, a->us);
	wire_put_str(out, a->reason);
}

static void
on_checked(void *user, const CheckResult *r)
{
	CheckJob   *j = user;
	NostrBuf   *out = channel_out();
	size_t		mark;

	for (int t = 0; t < CHECK_TYPES; t++)
	{
		if (r->document[t] != NULL)
			put_document(j->id, (CheckType) t, r);
	}
	mark = wire_begin(out, WIRE_CHECKED, j->id);
	wire_put_u32(out, r->timings.dns);
	wire_put_u32(out, r->timings.tcp);
	wire_put_u32(out, r->timings.tls);
	wire_put_u32(out, r->timings.upgrade);
	put_answer(out, &r->open);
	put_answer(out, &r->read);
	put_answer(out, &r->write);
	wire_put_u8(out, (uint8_t) (r->write_live | r->write_stored << 1 | r->challenged << 2));
	wire_put_u32(out, r->nip11_us);
	wire_put_u16(out, (uint16_t) r->nip11_status);
	wire_put_fixed(out, r->announcement_id, 32);
	wire_put_bytes(out, r->announcement.data, r->announcement.len);
	wire_end(out, mark);
	j->gone(j->user, r->failure, r->open.reason);
	free(j);
}

static bool
read_check(WireReader *r, CheckSpec *spec, uint16_t *kinds)
{
	uint8_t		flags;

	spec->checks = wire_get_u32(r);
	spec->deadline_ms = wire_get_u32(r);
	spec->nip11_max_size = wire_get_u32(r);
	spec->max_pow = wire_get_u8(r);
	spec->precision = wire_get_u8(r);
	spec->probe_kind = wire_get_u16(r);
	flags = wire_get_u8(r);
	spec->write = (flags & WIRE_CHECK_WRITE) != 0;
	spec->announce = (flags & WIRE_CHECK_ANNOUNCE) != 0;
	spec->n_kinds = wire_get_u16(r);
	spec->n_refused = wire_get_u16(r);
	spec->kinds = kinds;
	for (int i = 0; i < spec->n_kinds + spec->n_refused && i < CHECK_MAX_KINDS; i++)
		kinds[i] = wire_get_u16(r);
	return wire_done(r) && spec->n_kinds + spec->n_refused <= CHECK_MAX_KINDS && spec->deadline_ms > 0 &&
		spec->max_pow <= CHECK_MAX_POW && spec->nip11_max_size <= WIRE_MAX_NIP11 &&
		spec->precision >= 1 && spec->precision <= 12;
}

/* --- publishing --- */

static void
on_answer(void *user, int i, PublishOutcome outcome, const char *reason)
{
	CheckJob   *j = user;
	NostrBuf   *out = channel_out();
	size_t		mark = wire_begin(out, WIRE_PUBLISHED, j->id);

	wire_put_fixed(out, j->event_id[i], 32);
	wire_put_u8(out, (uint8_t) outcome);
	wire_put_str(out, reason);
	wire_end(out, mark);
}

static void
on_published(void *user, NetFailure failure, const char *reason)
{
	CheckJob   *j = user;

	j->gone(j->user, failure, reason);
	free(j->frame);
	free(j);
}

static bool
read_publish(CheckJob *j, WireReader *r, PublishEvent *event, int *n)
{
	*n = wire_get_u16(r);
	if (*n < 1 || *n > PUBLISH_MAX_EVENTS)
		return false;
	for (int i = 0; i < *n && !r->bad; i++)
	{
		const uint8_t *id = wire_get_fixed(r, 32);

		event[i].json = (const char *) wire_get_bytes(r, NOSTR_EVENT_MAX_SIZE, &event[i].len);
		if (r->bad)
			break;
		memcpy(event[i].id, id, 32);
		memcpy(j->event_id[i], id, 32);
	}
	return wire_done(r);
}

static bool
start_publish(CheckJob *j, Net *net, WireReader *r, const NostrRelayUrl *url, const uint8_t *seckey)
{
	static const PublishCallbacks cb = {on_answer, on_published};
	PublishEvent event[PUBLISH_MAX_EVENTS];
	WireReader	own;
	size_t		len = (size_t) (r->end - r->p);
	int			n;

	/* the frame is gone when we return: read from a copy */
	j->frame = malloc(len + 1);
	if (j->frame == NULL)
		return true;
	memcpy(j->frame, r->p, len);
	own = (WireReader) {j->frame, j->frame + len, false};
	if (!read_publish(j, &own, event, &n))
		return false;
	j->publish = publish_start(net, url, event, n, seckey, &cb, j);
	return true;
}

bool
check_job_start(Net *net, const WireFrame *f, WireReader *r, const NostrRelayUrl *url,
				const Geo *geo, const uint8_t *seckey,
				void (*gone) (void *user, NetFailure failure, const char *reason),
				void *user, CheckJob **job)
{
	CheckJob   *j = calloc(1, sizeof(*j));
	uint16_t	kinds[CHECK_MAX_KINDS];
	CheckSpec	spec = {.seckey = seckey, .geo = geo};
	bool		ok = true;

	*job = NULL;
	if (j == NULL)
		return true;
	j->id = f->job;
	j->gone = gone;
	j->user = user;
	if (f->type == WIRE_PUBLISH)
		ok = start_publish(j, net, r, url, seckey);
	else if ((ok = read_check(r, &spec, kinds)))
		j->check = check_start(net, url, &spec, on_checked, j);
	if (ok && (j->check != NULL || j->publish != NULL))
	{
		*job = j;
		return true;
	}
	free(j->frame);
	free(j);
	return ok;
}

void
check_job_cancel(CheckJob *job)
{
	if (job->check != NULL)
		check_cancel(job->check);
	else
		publish_cancel(job->publish);
}

/* --- signing --- */

bool
check_job_sign(const WireFrame *f, const uint8_t *seckey, const char **why)
{
	NostrEvent	ev = {0};
	WireReader	r;
	NostrBuf	tags;
	NostrBuf	json;
	const uint8_t *text;
	size_t		len;
	size_t		offset;

	*why = NULL;
	wire_reader(&r, f);
	ev.kind = wire_get_u16(&r);
	ev.created_at = (int64_t) wire_get_u64(&r);
	text = wire_get_bytes(&r, NOSTR_EVENT_MAX_SIZE, &len);
	ev.content = wire_get_bytes(&r, NOSTR_EVENT_MAX_SIZE, &ev.content_len);
	if (!wire_done(&r))
		return false;
	nostr_buf_init(&tags, NOSTR_EVENT_MAX_SIZE);
	nostr_buf_init(&json, NOSTR_EVENT_MAX_SIZE);
	if (seckey == NULL)
		*why = "there is no key: set bigbrotr.key_file";
	else if (nostr_tags_from_json((const char *) text, len, &tags, why, &offset))
	{
		ev.tags = tags.data;
		ev.tags_len = tags.len;
		if (nostr_event_sign(&ev, seckey))
		{
			NostrBuf   *out = channel_out();
			size_t		mark = wire_begin(out, WIRE_SIGNED, f->job);

			nostr_event_json(&ev, &json);
			wire_put_fixed(out, ev.id, 32);
			wire_put_bytes(out, json.data, json.len);
			wire_end(out, mark);
		}
		else
			*why = "cannot sign the event";
	}
	nostr_buf_free(&tags);
	nostr_buf_free(&json);
	return true;
}
