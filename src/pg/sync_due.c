/*
 * sync_due.c
 *
 * See sync_due.h.
 *
 * Guarantees that nobody starves: relays are served in the order in which
 * they became due, each for one time slice, and go to the end of the queue;
 * a live tail never keeps a relay waiting that is due.  Relays with priority
 * have up to half of the connections of their network to themselves, and
 * take part in the queue for the rest like all others.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "pg/guc.h"
#include "pg/netd.h"
#include "pg/networks.h"
#include "pg/sync_due.h"
#include "pg/sync_jobs.h"
#include "pg/sync_start.h"
#include "pg/worker.h"

#define SHORTEST_WAIT	100

/* The connections of a network, and who may still take one. */
typedef struct Room
{
	NostrNetwork network;
	int			max;
	int			reserved;
	SyncSlots	used;
	int			waiting;		/* due, and no room for it */
	int			waiting_priority;
} Room;

static bool
has_room(const Room *r, bool priority)
{
	int			in_queue = r->used.ordinary + Max(0, r->used.priority - r->reserved);

	if (priority)
		return r->used.ordinary + r->used.priority < r->max;
	return in_queue < r->max - r->reserved;
}

static SPITupleTable *
select_due(const Room *room, int me, int nworkers, bool priority, uint64 *n)
{
	static const char *const sql =
		"SELECT r.id, r.url, r.priority > 0, pg_catalog.ceil(extract(epoch FROM "
		"least(greatest(r.next_sync_at, pg_catalog.now()), pg_catalog.now() + '1 day'::interval) "
		"- pg_catalog.now()) * 1000)::bigint "
		"FROM bigbrotr.relay AS r WHERE r.network = $1 AND NOT r.excluded AND r.alias_of IS NULL "
		"AND r.id %% $2 = $3%s ORDER BY %sr.next_sync_at LIMIT $4";
	Oid			types[4] = {TEXTOID, INT4OID, INT4OID, INT8OID};
	Datum		values[4];

	values[0] = CStringGetTextDatum(nostr_network_name(room->network));
	values[1] = Int32GetDatum(nworkers);
	values[2] = Int32GetDatum(me);
	/* those that run may still be due in the table: read that many more */
	values[3] = Int64GetDatum(sync_jobs_count() + room->max + 1);
	SPI_execute_with_args(psprintf(sql, priority ? " AND r.priority > 0" : "",
								   priority ? "r.next_sync_at > pg_catalog.now(), r.priority DESC, " : ""),
						  4, types, values, NULL, true, 0);
	*n = SPI_processed;
	return SPI_tuptable;
}

/* Starts what there is room for.  Returns ms until the next one is due. */
static long
start_some(Room *room, int me, int nworkers, bool priority)
{
	uint64		n;
	SPITupleTable *rows = select_due(room, me, nworkers, priority, &n);
	long		next = (long) bb_synchronizer_interval * 1000;

	for (uint64 i = 0; i < n; i++)
	{
		HeapTuple	t = rows->vals[i];
		bool		isnull;
		int32		id = DatumGetInt32(SPI_getbinval(t, rows->tupdesc, 1, &isnull));
		bool		preferred = DatumGetBool(SPI_getbinval(t, rows->tupdesc, 3, &isnull));
		int64		ms = DatumGetInt64(SPI_getbinval(t, rows->tupdesc, 4, &isnull));

		if (ms > 0)
		{
			next = Min(next, Max(ms, SHORTEST_WAIT));
			continue;
		}
		if (sync_job_of_relay(id) != NULL)
			continue;
		if (priority && room->used.priority >= room->reserved)
			break;
		if (!has_room(room, preferred))
		{
			room->waiting++;
			room->waiting_priority += preferred ? 1 : 0;
			continue;
		}
		if (!sync_start_job(id, SPI_getvalue(t, rows->tupdesc, 2), room->network, preferred))
			continue;
		if (preferred)
			room->used.priority++;
		else
			room->used.ordinary++;
	}
	return next;
}

/* Ends as many tails as relays wait, the oldest first. */
static void
make_room(Room *room)
{
	int			need = room->waiting - room->used.cancelled;
	int			priority = room->waiting_priority;

	for (; need > 0; need--)
	{
		SyncJob    *tail = NULL;

		/* a reserved connection is not for the queue */
		if (room->used.priority > room->reserved)
			tail = sync_jobs_oldest_tail(room->network, true);
		if (tail == NULL)
			tail = sync_jobs_oldest_tail(room->network, false);
		if (tail == NULL && priority-- > 0)
			tail = sync_jobs_oldest_tail(room->network, true);
		if (tail == NULL)
			return;
		if (tail->priority)
			room->used.priority--;
		sync_job_cancel(tail);
	}
}

/* Connections set aside: one per relay with priority, at most half. */
static int
count_reserved(const Room *room, int me, int nworkers)
{
	Oid			types[4] = {TEXTOID, INT4OID, INT4OID, INT8OID};
	Datum		values[4];

	values[0] = CStringGetTextDatum(nostr_network_name(room->network));
	values[1] = Int32GetDatum(nworkers);
	values[2] = Int32GetDatum(me);
	values[3] = Int64GetDatum(room->max / 2);
	SPI_execute_with_args("SELECT FROM bigbrotr.relay AS r WHERE r.network = $1 AND r.priority > 0 "
						  "AND NOT r.excluded AND r.alias_of IS NULL AND r.id % $2 = $3 "
						  "AND r.next_sync_at < 'infinity' LIMIT $4",
						  4, types, values, NULL, true, 0);
	return (int) SPI_processed;
}

/* Tails of relays that an operator has excluded since. */
static void
end_excluded(void)
{
	SPI_execute("SELECT r.id FROM bigbrotr.relay AS r WHERE r.live_since IS NOT NULL "
				"AND (r.excluded OR r.alias_of IS NOT NULL)", true, SYNC_MAX_JOBS);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		SyncJob    *job = sync_job_of_relay(DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[i],
																		SPI_tuptable->tupdesc, 1, &isnull)));

		if (job != NULL && !job->cancelled)
			sync_job_cancel(job);
	}
}

long
sync_due_start(int me, int nworkers)
{
	long		next = (long) bb_synchronizer_interval * 1000;

	bb_tx_begin("looking for relays");
	SPI_connect();
	end_excluded();
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		Room		room = {.network = i,.max = bb_network[i].max_connections};

		room.used = sync_jobs_slots(i);
		if (!bb_network[i].enabled ||
			(room.used.ordinary + room.used.priority >= room.max && room.used.tails == 0))
			continue;
		room.reserved = count_reserved(&room, me, nworkers);
		if (room.reserved > 0)
			next = Min(next, start_some(&room, me, nworkers, true));
		room.waiting = room.waiting_priority = 0;
		next = Min(next, start_some(&room, me, nworkers, false));
		make_room(&room);
	}
	SPI_finish();
	bb_tx_end();
	netd_flush();
	return next;
}
