/*
 * delivery.c
 *
 * Guarantees: items leave in the order they were queued, so a WINDOW never
 * overtakes an event it speaks for (later events may join a batch before it);
 * an event leaves only after its signature was checked; at most
 * WIRE_MAX_OPEN_OFFERS offers are unanswered; memory is bounded because the
 * relay is paused beyond DELIVERY_MAX_PENDING.
 *
 * Pending events are kept parsed, in the form in which EVENTS carries them.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delivery.h"
#include "events_frame.h"
#include "fatal.h"
#include "rejects.h"
#include "verify.h"

typedef enum ItemState
{
	ITEM_FILLING,
	ITEM_WAITING,				/* for a free offer */
	ITEM_OFFERED,
	ITEM_VERIFYING,
	ITEM_READY
} ItemState;

typedef struct Pair
{
	size_t		at;				/* in records */
	size_t		len;
	bool		send;
	bool		bad;
} Pair;

typedef struct Item				/* a batch of events, or one made frame */
{
	struct Item *next;
	ItemState	state;
	bool		batch;
	NostrBuf	frame;			/* made frame */
	uint32_t	seq;
	int64_t		seen_at;
	uint32_t	n;
	Pair	   *pair;
	NostrBuf	records;
	VerifyBatch *verify;
	Delivery   *owner;
} Item;

struct Delivery
{
	uint32_t	job;
	DeliverySink sink;
	void	   *user;
	Item	   *head;
	Item	   *tail;
	Item	   *filling;		/* the batch that takes events; NULL: none */
	uint32_t	seq;
	int			open_offers;
	size_t		pending;
	bool		paused;
	bool		live;			/* PASSED is queued */
	bool		result_queued;
	bool		over;
	bool		pumping;
	Rejects		rejects;
	uv_timer_t *timer;
};

static void pump(Delivery *d);

static void
free_handle(uv_handle_t *h)
{
	free(h);
}

static void
item_free(Item *it)
{
	if (it->verify != NULL)
		verify_abandon(it->verify);
	nostr_buf_free(&it->frame);
	nostr_buf_free(&it->records);
	free(it->pair);
	free(it);
}

static Item *
item_new(Delivery *d, bool batch)
{
	Item	   *it = calloc(1, sizeof(*it));

	if (it == NULL)
		fatal_no_memory();
	it->owner = d;
	it->batch = batch;
	it->state = batch ? ITEM_FILLING : ITEM_READY;
	nostr_buf_init(&it->frame, WIRE_MAX_PAYLOAD + WIRE_HEADER_SIZE);
	nostr_buf_init(&it->records, WIRE_MAX_PAYLOAD - 64);
	if (d->tail != NULL)
		d->tail->next = it;
	else
		d->head = it;
	d->tail = it;
	return it;
}

static void
close_batch(Delivery *d)
{
	if (d->filling != NULL)
		d->filling->state = ITEM_WAITING;
	d->filling = NULL;
	uv_timer_stop(d->timer);
}

static void
on_timer(uv_timer_t *t)
{
	Delivery   *d = t->data;

	close_batch(d);
	pump(d);
}

static void
make_offer(Delivery *d, Item *it)
{
	NostrBuf   *out = d->sink.out(d->user);
	size_t		mark = wire_begin(out, WIRE_OFFER, d->job);

	it->seq = ++d->seq;
	it->state = ITEM_OFFERED;
	d->open_offers++;
	wire_put_u32(out, it->seq);
	wire_put_u64(out, (uint64_t) it->seen_at);
	wire_put_u16(out, (uint16_t) it->n);
	for (uint32_t i = 0; i < it->n; i++)	/* a record begins with key and id */
		wire_put_fixed(out, it->records.data + it->pair[i].at, 8 + 32);
	wire_end(out, mark);
}

static void
put_bad_signatures(NostrBuf *out, Item *it, uint32_t job, uint16_t nbad)
{
	size_t		mark = wire_begin(out, WIRE_REJECTED, job);

	wire_put_u64(out, (uint64_t) it->seen_at);
	wire_put_u16(out, nbad);
	for (uint32_t i = 0; i < it->n; i++)
	{
		WireReader	r = {it->records.data + it->pair[i].at,
		it->records.data + it->pair[i].at + it->pair[i].len, false};
		NostrEvent	ev;
		NostrBuf	json;
		int64_t		key;

		if (!it->pair[i].bad)
			continue;
		wire_get_event(&r, &key, &ev);
		nostr_buf_init(&json, NOSTR_EVENT_MAX_SIZE * 6);
		nostr_event_json(&ev, &json);
		rejects_put(out, nostr_reject_name(NOSTR_INVALID_SIGNATURE), ev.id, 1,
				   json.data, json.failed ? 0 : json.len);
		nostr_buf_free(&json);
	}
	wire_end(out, mark);
}

static void
send_batch(Delivery *d, Item *it)
{
	NostrBuf   *out = d->sink.out(d->user);
	EventsFrame frame;
	uint16_t	nbad = 0;

	events_frame_start(&frame, out, d->job, it->seen_at);
	for (uint32_t i = 0; i < it->n; i++)
	{
		const Pair *p = &it->pair[i];

		if (p->send && !p->bad)
			events_frame_add(&frame, it->records.data + p->at, p->len);
		nbad += p->send && p->bad;
	}
	events_frame_end(&frame);
	if (nbad > 0)
		put_bad_signatures(out, it, d->job, nbad);
	d->pending -= it->records.len;
}

/* Moves everything as far as it can go. */
static void
pump(Delivery *d)
{
	bool		full;

	if (d->pumping || d->over)
		return;
	d->pumping = true;
	for (Item *it = d->head; it != NULL && d->open_offers < WIRE_MAX_OPEN_OFFERS; it = it->next)
		if (it->state == ITEM_WAITING)
			make_offer(d, it);
	while (d->head != NULL && d->head->state == ITEM_READY)
	{
		Item	   *it = d->head;

		if (it->batch)
			send_batch(d, it);
		else
			nostr_buf_append(d->sink.out(d->user), it->frame.data, it->frame.len);
		d->head = it->next;
		if (d->head == NULL)
			d->tail = NULL;
		item_free(it);
	}
	d->over = d->result_queued && d->head == NULL;
	d->sink.flush(d->user);
	full = d->pending > DELIVERY_MAX_PENDING || d->open_offers >= WIRE_MAX_OPEN_OFFERS;
	if (full != d->paused && !d->result_queued)
	{
		d->paused = full;
		d->sink.pause(d->user, full);
	}
	d->pumping = false;
	if (d->over)
		d->sink.gone(d->user);
}

Delivery *
delivery_new(uv_loop_t *loop, uint32_t job, const DeliverySink *sink, void *user)
{
	Delivery   *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->timer = calloc(1, sizeof(*d->timer));
	if (d->timer == NULL)
	{
		free(d);
		return NULL;
	}
	d->job = job;
	d->sink = *sink;
	d->user = user;
	uv_timer_init(loop, d->timer);
	d->timer->data = d;
	return d;
}

void
delivery_free(Delivery *d)
{
	while (d->head != NULL)
	{
		Item	   *it = d->head;

		d->head = it->next;
		item_free(it);
	}
	rejects_free(&d->rejects);
	uv_close((uv_handle_t *) d->timer, free_handle);
	free(d);
}

void
delivery_event(Delivery *d, const NostrEvent *ev)
{
	Item	   *it = d->filling;
	size_t		before;

	if (it == NULL)
	{
		it = d->filling = item_new(d, true);
		it->seen_at = (int64_t) time(NULL);
		it->pair = calloc(DELIVERY_OFFER_PAIRS, sizeof(Pair));
		if (it->pair == NULL)
			fatal_no_memory();
		uv_timer_start(d->timer, on_timer, DELIVERY_OFFER_MS, 0);
	}
	before = it->records.len;
	wire_put_event(&it->records, nostr_event_key(ev->created_at, ev->id), ev);
	if (it->records.failed)
		fatal_no_memory();
	it->pair[it->n].at = before;
	it->pair[it->n].len = it->records.len - before;
	it->n++;
	d->pending += it->records.len - before;
	if (it->n == DELIVERY_OFFER_PAIRS || it->records.len > DELIVERY_OFFER_BYTES)
	{
		close_batch(d);
		pump(d);
	}
}

void
delivery_rejected(Delivery *d, const char *reason, const uint8_t id[32],
				  const char *sample, size_t len)
{
	rejects_add(&d->rejects, reason, id, sample, len);
}

/* The next page may go with this one: the larger the batches, the denser
 * the index of observations.  In a tail nothing waits. */
void
delivery_page_end(Delivery *d)
{
	if (d->live)
		close_batch(d);
	if (d->rejects.n > 0)
		rejects_take(&d->rejects, &item_new(d, false)->frame, d->job);
	pump(d);
}

void
delivery_window(Delivery *d, const SyncNews *w)
{
	Item	   *it;
	size_t		mark;

	/* what re-checks find is counted up to here */
	if (w->state != SYNC_PAGED)
		close_batch(d);
	it = item_new(d, false);
	mark = wire_begin(&it->frame, WIRE_WINDOW, d->job);
	wire_put_u64(&it->frame, (uint64_t) w->since);
	wire_put_u64(&it->frame, (uint64_t) w->until);
	wire_put_u8(&it->frame, (uint8_t) w->state);
	wire_put_str(&it->frame, w->proof);
	wire_put_str(&it->frame, w->reason);
	wire_put_u8(&it->frame, (uint8_t) w->purpose);
	wire_put_u64(&it->frame, w->held);
	wire_end(&it->frame, mark);
	pump(d);
}

static void
queue_result(Delivery *d, WireType type, const SyncResult *r)
{
	Item	   *it;
	size_t		mark;

	close_batch(d);
	delivery_page_end(d);
	it = item_new(d, false);
	mark = wire_begin(&it->frame, type, d->job);
	wire_put_u8(&it->frame, (uint8_t) r->outcome);
	wire_put_str(&it->frame, net_failure_name(r->failure));
	wire_put_str(&it->frame, r->reason);
	wire_put_u32(&it->frame, r->timings.dns);
	wire_put_u32(&it->frame, r->timings.tcp);
	wire_put_u32(&it->frame, r->timings.tls);
	wire_put_u32(&it->frame, r->timings.upgrade);
	wire_put_u32(&it->frame, r->first_answer_us);
	wire_put_u64(&it->frame, r->events_received);
	wire_put_u64(&it->frame, r->bytes_received);
	wire_put_u32(&it->frame, r->reqs);
	wire_put_u32(&it->frame, r->max_page);
	wire_put_u8(&it->frame, (uint8_t) r->negentropy);
	wire_put_u8(&it->frame, (uint8_t) r->auth);
	wire_put_u32(&it->frame, r->retry_after_ms);
	wire_put_u32(&it->frame, r->max_reqs_per_minute);
	wire_end(&it->frame, mark);
}

void
delivery_passed(Delivery *d, const SyncResult *r)
{
	queue_result(d, WIRE_PASSED, r);
	d->live = true;
	pump(d);
}

void
delivery_result(Delivery *d, const SyncResult *r)
{
	queue_result(d, WIRE_RESULT, r);
	d->result_queued = true;
	pump(d);
}

static void
on_verified(void *user, const VerifyItem *v, uint32_t n)
{
	Item	   *it = user;
	uint32_t	k = 0;

	it->verify = NULL;
	for (uint32_t i = 0; i < it->n && k < n; i++)
	{
		Pair	   *p = &it->pair[i];

		if (p->send && p->bad)	/* "bad" until the check says otherwise */
			p->bad = !v[k++].ok;
	}
	it->state = ITEM_READY;
	pump(it->owner);
}

bool
delivery_answer(Delivery *d, uint32_t seq, uint32_t n, const uint8_t *bitmap, size_t len)
{
	Item	   *it = d->head;
	VerifyItem *v;
	uint32_t	k = 0;

	while (it != NULL && !(it->batch && it->state == ITEM_OFFERED && it->seq == seq))
		it = it->next;
	if (it == NULL || n != it->n || len != (n + 7) / 8)
		return false;
	d->open_offers--;
	v = calloc(n + 1, sizeof(VerifyItem));
	if (v == NULL)
		fatal_no_memory();
	for (uint32_t i = 0; i < n; i++)
	{
		const uint8_t *rec = it->records.data + it->pair[i].at + 8;

		it->pair[i].send = (bitmap[i / 8] >> (i % 8)) & 1;
		if (!it->pair[i].send || verify_recent(rec, rec + 64))
			continue;
		it->pair[i].bad = true;
		memcpy(v[k].id, rec, 32);
		memcpy(v[k].pubkey, rec + 32, 32);
		memcpy(v[k].sig, rec + 64, 64);
		k++;
	}
	if (k == 0)
	{
		free(v);
		it->state = ITEM_READY;
	}
	else
	{
		it->state = ITEM_VERIFYING;
		it->verify = verify_submit(v, k, on_verified, it);
		if (it->verify == NULL)
			fatal_no_memory();
	}
	pump(d);
	return true;
}
