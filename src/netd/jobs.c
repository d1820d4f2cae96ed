/*
 * jobs.c
 *
 * Guarantees: one RESULT per job, its last frame; a number in use is never
 * taken twice; an ANSWER or CANCEL for a job that is over is ignored (the
 * worker may have sent it before it saw RESULT).
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../crawl/validate.h"
#include "../nostr/keys.h"
#include "channel.h"
#include "check_job.h"
#include "events_frame.h"
#include "fetch_job.h"
#include "jobs.h"
#include "sync_job.h"

typedef struct Job
{
	struct Job *next;
	uint32_t	id;
	Validate   *validate;
	SyncJob    *sync;
	CheckJob   *check;
	FetchJob   *fetch;
} Job;

#define BUCKETS 1024

static Net *net;
static NostrKeys key;			/* for NIP-42 */
static bool have_key;
static Geo *geo;				/* NULL: a database cannot be opened */
static Job *table[BUCKETS];
static bool all_paused;

static Job **
find(uint32_t id)
{
	Job		  **p = &table[id % BUCKETS];

	while (*p != NULL && (*p)->id != id)
		p = &(*p)->next;
	return p;
}

static Job *
add(uint32_t id)
{
	Job		   *j = calloc(1, sizeof(*j));

	if (j != NULL)
	{
		j->id = id;
		*find(id) = j;
	}
	return j;
}

static void
drop(Job *j)
{
	*find(j->id) = j->next;
	free(j);
}

static void
plain_result(uint32_t id, WireOutcome outcome, const char *class, const char *reason,
			 const ValidateResult *v)
{
	static const ValidateResult none;
	NostrBuf   *out = channel_out();
	size_t		mark = wire_begin(out, WIRE_RESULT, id);

	if (v == NULL)
		v = &none;
	wire_put_u8(out, (uint8_t) outcome);
	wire_put_str(out, class);
	wire_put_str(out, reason);
	wire_put_u32(out, v->timings.dns);
	wire_put_u32(out, v->timings.tcp);
	wire_put_u32(out, v->timings.tls);
	wire_put_u32(out, v->timings.upgrade);
	wire_put_u32(out, v->first_answer_us);
	wire_put_u64(out, 0);
	wire_put_u64(out, v->bytes_received);
	wire_put_u32(out, v->timings.upgrade > 0 ? 1 : 0);
	wire_put_u32(out, 0);		/* nothing was learned: max_page, ... */
	wire_put_u8(out, WIRE_SUPPORT_UNKNOWN);
	wire_put_u8(out, 0);
	wire_put_u32(out, 0);
	wire_put_u32(out, 0);
	wire_end(out, mark);
	channel_flush();
}

/* The job is over before it began. */
static void
failed(uint32_t id, NetFailure failure, const char *reason)
{
	plain_result(id, WIRE_OUTCOME_FAILED, net_failure_name(failure), reason, NULL);
}

static void
put_identity(uint32_t id, const Identity *i)
{
	NostrBuf   *out = channel_out();
	size_t		mark = wire_begin(out, WIRE_IDENTITY, id);

	wire_put_fixed(out, i->digest, 32);
	wire_put_u8(out, i->named ? 1 : 0);
	wire_put_u32(out, i->max_limit);
	wire_put_u32(out, i->default_limit);
	wire_put_u32(out, i->max_subid_length);
	wire_put_u32(out, i->max_message_length);
	wire_put_u32(out, i->max_subscriptions);
	wire_end(out, mark);
}

static void
on_validated(void *user, const ValidateResult *r)
{
	Job		   *j = user;
	WireOutcome o = r->is_relay ? WIRE_OUTCOME_OK :
		r->failure == NET_CANCELLED ? WIRE_OUTCOME_CANCELLED : WIRE_OUTCOME_FAILED;

	if (r->is_relay && r->identity.found)
		put_identity(j->id, &r->identity);
	plain_result(j->id, o, net_failure_name(r->failure), r->reason, r);
	drop(j);
}

static bool
read_url(WireReader *r, NostrRelayUrl *url, const char **bad)
{
	size_t		n;
	const uint8_t *p = wire_get_bytes(r, WIRE_MAX_URL, &n);
	NostrUrlReject why;

	*bad = NULL;
	if (p == NULL)
		return false;
	why = nostr_relay_url_parse((const char *) p, n, net_config(net)->allow.n > 0, url);
	if (why != NOSTR_URL_OK)
		*bad = nostr_url_reject_text(why);
	return true;
}

static bool
start_validate(Job *j, const WireFrame *f, WireReader *r, const NostrRelayUrl *url)
{
	(void) f;
	if (!wire_done(r))
		return false;
	j->validate = validate_start(net, url, on_validated, j);
	return true;
}

static void
on_sync_gone(void *user)
{
	drop(user);
}

static bool
start_sync(Job *j, const WireFrame *f, WireReader *r, const NostrRelayUrl *url)
{
	SyncWindow	w[WIRE_MAX_WINDOWS];
	SyncSpec	spec;

	if (!sync_job_read(r, &spec, w))
		return false;
	spec.seckey = have_key ? key.seckey : NULL;
	j->sync = sync_job_start(net, f->job, url, &spec, on_sync_gone, j);
	if (j->sync != NULL)
		sync_job_pause(j->sync, all_paused);
	return true;
}

static void
on_gone(void *user, NetFailure failure, const char *reason)
{
	Job		   *j = user;

	plain_result(j->id, failure == NET_OK ? WIRE_OUTCOME_OK :
				 failure == NET_CANCELLED ? WIRE_OUTCOME_CANCELLED : WIRE_OUTCOME_FAILED,
				 net_failure_name(failure), reason, NULL);
	drop(j);
}

/* CHECK and PUBLISH */
static bool
start_check(Job *j, const WireFrame *f, WireReader *r, const NostrRelayUrl *url)
{
	return check_job_start(net, f, r, url, geo, have_key ? key.seckey : NULL, on_gone, j, &j->check);
}

static bool
start_fetch(Job *j, const WireFrame *f, WireReader *r, const NostrRelayUrl *url)
{
	(void) r, (void) url;
	return fetch_job_start(net, f, on_gone, j, &j->fetch);
}

/*
 * Starts a job with one of the functions above, of which each sets its own
 * member of Job unless there is no memory, and answers false when the rest of
 * the frame is malformed.
 */
static bool
start(const WireFrame *f, bool of_relay,
	  bool (*of_type) (Job *j, const WireFrame *f, WireReader *r, const NostrRelayUrl *url))
{
	WireReader	r;
	NostrRelayUrl url;
	const char *bad = NULL;
	Job		   *j;
	bool		ok = true;

	wire_reader(&r, f);
	if (of_relay && !read_url(&r, &url, &bad))
		return false;
	if (bad != NULL)
	{
		failed(f->job, NET_ADDRESS_REFUSED, bad);
		return true;
	}
	j = add(f->job);
	if (j != NULL)
	{
		ok = of_type(j, f, &r, &url);
		if (j->validate != NULL || j->sync != NULL || j->check != NULL || j->fetch != NULL)
			return true;
		drop(j);
	}
	if (ok)
		failed(f->job, NET_RESOURCES, f->type == WIRE_SYNC ?
			   "out of memory, or the filter is not an object" : "out of memory");
	return ok;
}

static bool
sign(const WireFrame *f)
{
	const char *why;

	if (!check_job_sign(f, have_key ? key.seckey : NULL, &why))
		return false;
	plain_result(f->job, why == NULL ? WIRE_OUTCOME_OK : WIRE_OUTCOME_FAILED,
				 why == NULL ? "" : "key", why == NULL ? "" : why, NULL);
	return true;
}

static void
open_geo(void)
{
	const NetConfig *c = net_config(net);
	const char *why;

	geo = geo_open(c->mmdb_city, c->mmdb_asn, &why);
	if (geo == NULL)
		channel_log(2, why);
}

void
jobs_open(Net *n)
{
	const char *why = NULL;

	net = n;
	open_geo();
	events_frame_open(n);
	if (net_config(n)->key_file[0] == '\0')
		return;
	why = nostr_keys_load(net_config(n)->key_file, &key);
	have_key = why == NULL;
	if (why != NULL)
	{
		char		text[128];

		snprintf(text, sizeof(text), "key_file: %s; ephemeral keys are used", why);
		channel_log(2, text);
	}
}

bool
jobs_frame(const WireFrame *f, const char **why)
{
	Job		   *j = *find(f->job);

	switch (f->type)
	{
		case WIRE_VALIDATE:
			*why = "malformed VALIDATE";
			return f->job != 0 && j == NULL && start(f, true, start_validate);
		case WIRE_SYNC:
			*why = "malformed SYNC";
			return f->job != 0 && j == NULL && start(f, true, start_sync);
		case WIRE_CHECK:
		case WIRE_PUBLISH:
			*why = "malformed CHECK or PUBLISH";
			return f->job != 0 && j == NULL && start(f, true, start_check);
		case WIRE_GET:
			*why = "malformed GET";
			return f->job != 0 && j == NULL && start(f, false, start_fetch);
		case WIRE_SIGN:
			*why = "malformed SIGN";
			return f->job != 0 && j == NULL && sign(f);
		case WIRE_ANSWER:
		case WIRE_SET:
			*why = "malformed ANSWER or SET";
			return sync_job_frame(j != NULL ? j->sync : NULL, f);
		case WIRE_CANCEL:
			*why = "malformed CANCEL";
			if (f->len == 0 && j != NULL && j->validate != NULL)
				validate_cancel(j->validate);
			else if (f->len == 0 && j != NULL && j->sync != NULL)
				sync_job_cancel(j->sync);
			else if (f->len == 0 && j != NULL && j->check != NULL)
				check_job_cancel(j->check);
			else if (f->len == 0 && j != NULL && j->fetch != NULL)
				fetch_job_cancel(j->fetch);
			return f->len == 0;
		default:
			*why = "unknown frame";
			return false;
	}
}

void
jobs_pause_all(bool paused)
{
	all_paused = paused;
	for (int i = 0; i < BUCKETS; i++)
		for (Job *j = table[i]; j != NULL; j = j->next)
			if (j->sync != NULL)
				sync_job_pause(j->sync, paused);
}
