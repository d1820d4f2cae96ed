/*
 * synchronizer.c
 *
 * Archives what relays publish: passes bigbrotr-net the windows that coverage
 * still lacks, several relays at once, and writes what comes back.  A relay
 * that has been asked for everything stays subscribed until another one needs
 * the connection.
 *
 * With several workers, each owns the relays whose id modulo the number of
 * workers is its own: no locks, no leases.  All frames that are ready are
 * handled in one transaction, so events, observations and the coverage that
 * vouches for them are committed together.  A job in flight when this process
 * or its child dies is due again at once, and coverage tells where it
 * continues.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pg/archive.h"
#include "pg/guc.h"
#include "pg/mention_store.h"
#include "pg/net_service.h"
#include "pg/netd.h"
#include "pg/relay_life.h"
#include "pg/shmem.h"
#include "pg/sync_batch.h"
#include "pg/sync_due.h"
#include "pg/sync_jobs.h"
#include "pg/worker.h"

extern PGDLLEXPORT void bb_synchronizer_main(Datum main_arg);

static int	me;
static int	nworkers;

/* Nobody is subscribed when this process or its child is new. */
static void
no_tails(void)
{
	bb_tx_begin("forgetting subscriptions");
	relay_life_no_tails(me, nworkers);
	bb_tx_end();
}

static void
jobs_lost(void)
{
	bb_tx_begin("forgetting jobs");
	sync_jobs_forget(netd_lost_quickly());
	relay_life_no_tails(me, nworkers);
	bb_tx_end();
}

static void
count(const char *name, int64 n)
{
	if (n > 0)
		archive_count("synchronizer", me, name, n);
}

/* All frames that are ready, up to a bound, are one transaction. */
static bool
handle_frames(void)
{
	static SyncBatch b;
	WireFrame	f;
	bool		ok = true;

	if (!netd_next(&f))
		return false;
	bb_tx_begin("writing the archive");
	sync_batch_begin(&b);
	do
		ok = sync_batch_add(&b, &f);
	while (ok && b.nframes < SYNC_BATCH_FRAMES && netd_next(&f));
	sync_batch_store(&b);
	for (int i = 0; i < b.nframes; i++)
	{
		if (!sync_batch_take(&b, i, me))
		{
			ok = false;
			break;
		}
	}
	archive_rejects_write(b.rejects);
	count("events", b.counts.events);
	count("observations", b.counts.observations);
	count("duplicates", b.counts.duplicates);
	count("rejected", b.counts.rejected);
	mention_flush(false, &b.counts.mentions);
	count("candidates", b.counts.mentions.candidates);
	count("mentions_refused", b.counts.mentions.refused);
	bb_tx_end();
	if (b.counts.mentions.candidates > 0)
		bb_run_request(MyDatabaseId, BB_VALIDATOR);
	/* Answers leave only now: what they call known is committed. */
	netd_flush();
	if (!ok)
		netd_malformed("frame of a synchronizer");
	return b.nframes == SYNC_BATCH_FRAMES;
}

static long
start_due(bool all)
{
	return sync_due_start(me, nworkers);
}

/* A job that ended, or became a live tail, made room. */
static int
busy(void)
{
	return sync_jobs_count() + sync_jobs_busy();
}

static const char *
activity(void)
{
	return sync_jobs_count() > 0 ? "synchronizing" : "idle";
}

void
bb_synchronizer_main(Datum main_arg)
{
	static const BbNetService service = {
		.forget = jobs_lost,.start = start_due,.frames = handle_frames,
		.busy = busy,.activity = activity
	};

	me = bb_worker_init(BB_SYNCHRONIZER, main_arg, &nworkers);
	no_tails();
	bb_net_service(&service);
}
