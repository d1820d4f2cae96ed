/*
 * monitor_due.c
 *
 * See monitor_due.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/due_queue.h"
#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/monitor_due.h"
#include "pg/monitor_jobs.h"
#include "pg/monitor_publish.h"
#include "pg/netd.h"
#include "pg/networks.h"
#include "pg/shmem.h"

#define MONITOR_MAX_KINDS	100

/*
 * Kinds of the newest events that the relay was seen to serve and of those it
 * took from us, then those of ours that it refused for their kind.
 */
static int
observed_kinds(int32 relay_id, const char *url, uint16 *kinds, int *nrefused)
{
	static const char *const sql =
		"SELECT x.kind, bool_or(x.taken) FROM ("
		"SELECT e.kind::int, true AS taken FROM (SELECT o.key FROM bigbrotr.observation_all AS o "
		"WHERE o.relay_id = $1 ORDER BY o.key DESC LIMIT 500) AS o "
		"JOIN bigbrotr.event AS e ON e.key = o.key "
		"UNION ALL SELECT split_part(p.slot, ':', 1)::int, p.outcome = 'taken' FROM bigbrotr.publication AS p "
		"WHERE p.target = $2 AND (p.outcome = 'taken' OR p.outcome = 'refused' AND p.reason ~* '[[:<:]]kinds?[[:>:]]')"
		") AS x GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 100";
	Oid			types[2] = {INT4OID, TEXTOID};
	Datum		values[2] = {Int32GetDatum(relay_id), CStringGetTextDatum(url)};
	int			n = 0;

	*nrefused = 0;
	SPI_execute_with_args(sql, 2, types, values, NULL, true, 0);
	for (uint64 i = 0; i < SPI_processed && i < MONITOR_MAX_KINDS; i++)
	{
		HeapTuple	t = SPI_tuptable->vals[i];
		bool		isnull;

		kinds[i] = (uint16) DatumGetInt32(SPI_getbinval(t, SPI_tuptable->tupdesc, 1, &isnull));
		if (DatumGetBool(SPI_getbinval(t, SPI_tuptable->tupdesc, 2, &isnull)))
			n++;
		else
			++*nrefused;
	}
	return n;
}

static void
start_check(int32 relay_id, const char *url, NostrNetwork network)
{
	MonitorJob *j = monitor_job_new(MONITOR_CHECK, url, relay_id, network);
	uint16		kinds[MONITOR_MAX_KINDS];
	int			nrefused = 0;
	int			n = monitor_publishing() ? observed_kinds(relay_id, url, kinds, &nrefused) : 0;
	NostrBuf   *out = netd_out();
	size_t		mark;

	if (j == NULL)
		return;
	mark = wire_begin(out, WIRE_CHECK, j->id);
	wire_put_str(out, url);
	wire_put_u32(out, bb_monitor_mask(bb_monitor_checks));
	wire_put_u32(out, bb_monitor_timeout);
	wire_put_u32(out, bb_monitor_document_size * 1024);
	wire_put_u8(out, bb_monitor_max_pow);
	wire_put_u8(out, bb_monitor_precision);
	wire_put_u16(out, bb_monitor_probe_kind);
	wire_put_u8(out, (bb_monitor_write ? WIRE_CHECK_WRITE : 0) | (monitor_publishing() ? WIRE_CHECK_ANNOUNCE : 0));
	wire_put_u16(out, n);
	wire_put_u16(out, nrefused);
	for (int i = 0; i < n + nrefused; i++)
		wire_put_u16(out, kinds[i]);
	wire_end(out, mark);
}

/* Those that somebody waits for, whenever they would be due. */
static void
start_requested(void)
{
	int32		ids[BB_MAX_CHECKS];
	int			n = bb_check_take(MyDatabaseId, ids, BB_MAX_CHECKS);

	for (int i = 0; i < n; i++)
	{
		Oid			types[1] = {INT4OID};
		Datum		values[1] = {Int32GetDatum(ids[i])};
		NostrNetwork network;

		SPI_execute_with_args("SELECT url, network FROM bigbrotr.relay WHERE id = $1",
							  1, types, values, NULL, true, 0);
		if (SPI_processed == 1 && monitor_jobs_count() < MONITOR_MAX_JOBS &&
			bb_network_by_name(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2), &network) &&
			!monitor_job_runs(MONITOR_CHECK, ids[i], NULL))
			start_check(ids[i], SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), network);
	}
}

/* Relays that nobody has checked yet are due. */
static void
add_new(void)
{
	SPI_execute("INSERT INTO bigbrotr.relay_monitor (relay_id) SELECT r.id FROM bigbrotr.relay AS r "
				"WHERE NOT r.excluded AND r.alias_of IS NULL AND NOT EXISTS "
				"(SELECT FROM bigbrotr.relay_monitor AS m WHERE m.relay_id = r.id) ON CONFLICT DO NOTHING", false, 0);
}

static int
room_of(NostrNetwork network)
{
	return Min(Min(bb_monitor_concurrency - monitor_checks_count(), MONITOR_MAX_JOBS - monitor_jobs_count()),
			   bb_network[network].max_connections - monitor_checks_of(network));
}

static bool
runs(const DueEntry *e)
{
	return monitor_job_runs(MONITOR_CHECK, e->id, NULL);
}

static DueQueue queue = {
	.sql = "SELECT r.id, r.url, pg_catalog.ceil(extract(epoch FROM m.next_check_at - pg_catalog.now()) * 1000)::bigint "
	"FROM bigbrotr.relay_monitor AS m JOIN bigbrotr.relay AS r ON r.id = m.relay_id "
	"WHERE NOT r.excluded AND r.alias_of IS NULL AND r.state <> 'parked' "
	"AND r.network = $1 ORDER BY m.next_check_at LIMIT $2",
	.room = room_of,
	.running = monitor_checks_of,
	.runs = runs
};

bool
monitor_due_possible(void)
{
	return due_possible(&queue);
}

void
monitor_due_start(bool all, long *wait_ms)
{
	const DueEntry *e;

	SPI_connect();
	if (all)
	{
		add_new();
		start_requested();
		due_forget(&queue);
	}
	while ((e = due_next(&queue, wait_ms)) != NULL)
		start_check(e->id, e->url, e->network);
	SPI_finish();
}
