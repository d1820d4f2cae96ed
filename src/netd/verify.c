/*
 * verify.c
 *
 * Guarantees: the threads touch only queued items and never the loop's data;
 * they block all signals; the cache is the loop thread's alone and holds only
 * pairs whose check succeeded.
 *
 * The threads yield to everything else: they are most of the work, and when
 * they held up the worker that writes what they have checked, they would be
 * waiting for it in the end, with a core idle.
 */
#include "../nostr/pgfree.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../nostr/crypto.h"
#include "verify.h"

#define THREADS		2
#define CHUNK		16
#define CACHE_SIZE	8192		/* a power of two */
#define NICE		5			/* a third of the share of what has priority 0 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
static int	nstarted;
static VerifyBatch *todo_head;
static VerifyBatch *todo_tail;
static VerifyBatch *finished_head;
static VerifyBatch *finished_tail;
static uv_async_t async;
static struct
{
	uint8_t		id[32];
	uint8_t		sig[64];
	bool		used;
}			cache[CACHE_SIZE];

static uint32_t
slot(const uint8_t id[32])
{
	return (((uint32_t) id[8] << 8) | id[9]) & (CACHE_SIZE - 1);
}

bool
verify_recent(const uint8_t id[32], const uint8_t sig[64])
{
	uint32_t	s = slot(id);

	return cache[s].used && memcmp(cache[s].id, id, 32) == 0 &&
		memcmp(cache[s].sig, sig, 64) == 0;
}

static void
remember(const VerifyItem *it)
{
	uint32_t	s = slot(it->id);

	memcpy(cache[s].id, it->id, 32);
	memcpy(cache[s].sig, it->sig, 64);
	cache[s].used = true;
}

static void
push(VerifyBatch **head, VerifyBatch **tail, VerifyBatch *b)
{
	b->link = NULL;
	if (*head == NULL)
		*head = b;
	else
		(*tail)->link = b;
	*tail = b;
}

static void *
thread_main(void *arg)
{
	NostrKeyCache *keys = arg;

	/* this thread's, on Linux */
	(void) setpriority(PRIO_PROCESS, 0, NICE);
	pthread_mutex_lock(&lock);
	nstarted++;
	pthread_cond_signal(&started);
	for (;;)
	{
		VerifyBatch *b;
		uint32_t	from;
		uint32_t	to;

		while (todo_head == NULL)
			pthread_cond_wait(&wake, &lock);
		b = todo_head;
		from = b->next;
		to = b->n - from > CHUNK ? from + CHUNK : b->n;
		b->next = to;
		if (to == b->n)
			todo_head = b->link;
		pthread_mutex_unlock(&lock);
		for (uint32_t i = from; i < to; i++)
			b->item[i].ok = nostr_schnorr_verify_cached(keys, b->item[i].sig, b->item[i].id,
														b->item[i].pubkey);
		pthread_mutex_lock(&lock);
		b->finished += to - from;
		if (b->finished == b->n)
		{
			push(&finished_head, &finished_tail, b);
			uv_async_send(&async);
		}
	}
	return NULL;
}

static void
on_async(uv_async_t *a)
{
	VerifyBatch *b;

	(void) a;
	pthread_mutex_lock(&lock);
	b = finished_head;
	finished_head = NULL;
	pthread_mutex_unlock(&lock);
	while (b != NULL)
	{
		VerifyBatch *next = b->link;

		for (uint32_t i = 0; i < b->n; i++)
			if (b->item[i].ok)
				remember(&b->item[i]);
		if (b->done != NULL)
			b->done(b->user, b->item, b->n);
		free(b->item);
		free(b);
		b = next;
	}
}

bool
verify_open(uv_loop_t *loop)
{
	sigset_t	all;
	sigset_t	old;
	int			n = 0;

	if (!nostr_crypto_init() || uv_async_init(loop, &async, on_async) != 0)
		return false;
	uv_unref((uv_handle_t *) &async);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 0; i < THREADS; i++)
	{
		pthread_t	t;

		/* a thread without a cache is only slower */
		if (pthread_create(&t, NULL, thread_main, nostr_key_cache_new()) != 0)
			break;
		pthread_detach(t);
		n++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	/* The sandbox that comes next does not let them set their priority. */
	pthread_mutex_lock(&lock);
	while (nstarted < n)
		pthread_cond_wait(&started, &lock);
	pthread_mutex_unlock(&lock);
	return n == THREADS;
}

VerifyBatch *
verify_submit(VerifyItem *item, uint32_t n,
			  void (*done) (void *, const VerifyItem *, uint32_t), void *user)
{
	VerifyBatch *b = n > 0 ? calloc(1, sizeof(*b)) : NULL;

	if (b == NULL)
		return NULL;
	b->item = item;
	b->n = n;
	b->done = done;
	b->user = user;
	pthread_mutex_lock(&lock);
	push(&todo_head, &todo_tail, b);
	pthread_cond_broadcast(&wake);
	pthread_mutex_unlock(&lock);
	return b;
}

void
verify_abandon(VerifyBatch *b)
{
	b->done = NULL;				/* read on the loop's thread only */
}
