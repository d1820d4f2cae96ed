/*
 * monitor.c
 *
 * Checks relays that are due, stores what bigbrotr-net measured, and gives
 * the results to the relays of bigbrotr.monitor_publish.
 *
 * Checking and publishing are jobs side by side: a publish relay that is slow
 * or gone never delays a check.  All state is in the database (relay_monitor,
 * publication): a job in flight when this process or its child dies is simply
 * due again.  All frames that are ready are one transaction.
 */
#include "pg/compat.h"

#include <sys/stat.h>
#include <time.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/archive.h"
#include "pg/check_store.h"
#include "pg/foreign_text.h"
#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/netd.h"
#include "pg/networks.h"
#include "pg/publication.h"
#include "pg/shmem.h"
#include "pg/suspects.h"
#include "pg/worker.h"

#define MONITOR_MAX_JOBS	2048
#define MONITOR_FRAMES_PER_TX 64
#define MONITOR_MAX_KINDS	100
#define MAX_PUBLISH_JOBS	16
#define FILES_EVERY_MS		60000	/* looks whether a MaxMind file was replaced */

extern PGDLLEXPORT void bb_monitor_main(Datum main_arg);

typedef enum JobType
{
	JOB_CHECK, JOB_PUBLISH, JOB_SIGN
} JobType;

typedef struct MonitorJob
{
	uint32		id;				/* 0 = free */
	JobType		type;
	int32		relay_id;		/* CHECK */
	NostrNetwork network;
	int64		started;		/* unix seconds */
	BbSample	sample;
	BbCheckReasons why;			/* malloc-like: TopMemoryContext, or NULL */
	bool		checked;		/* CHECKED came */
	char	   *name;			/* CHECK: relay, PUBLISH: target, SIGN: slot */
} MonitorJob;

static MonitorJob *jobs;
static int	njobs;
static int	nchecks;
static int	nchecks_of[NOSTR_NETWORK_COUNT];
static uint32 next_job = 1;
static int	me;

/* --- the table of jobs --- */

static MonitorJob *
job_find(uint32 id)
{
	for (int i = 0; i < MONITOR_MAX_JOBS; i++)
	{
		if (jobs[i].id == id)
			return &jobs[i];
	}
	return NULL;
}

static MonitorJob *
job_add(JobType type, const char *name)
{
	MonitorJob *j = job_find(0);

	if (j == NULL)
		return NULL;
	memset(j, 0, sizeof(*j));
	j->id = next_job++;
	if (next_job == 0)
		next_job = 1;
	j->type = type;
	j->name = MemoryContextStrdup(TopMemoryContext, name);
	j->started = (int64) time(NULL);
	njobs++;
	return j;
}

static void
free_text(const char **text)
{
	if (*text != NULL)
		pfree((char *) *text);
	*text = NULL;
}

static void
job_free(MonitorJob *j)
{
	if (j->type == JOB_CHECK)
	{
		nchecks--;
		nchecks_of[j->network]--;
	}
	free_text(&j->why.open);
	free_text(&j->why.read);
	free_text(&j->why.write);
	pfree(j->name);
	njobs--;
	j->id = 0;
}

/*
 * The child was lost.  What was being checked is due again, but for relays
 * that were in flight at two quick losses in a row: one may be to blame.
 */
static void
forget_all_jobs(void)
{
	BbCheckReasons why = {.open = BB_SUSPECT_REASON};

	bb_tx_begin("putting off relays at which bigbrotr-net ended");
	suspects_begin(netd_lost_quickly());
	for (int i = 0; i < MONITOR_MAX_JOBS; i++)
	{
		BbSample	lost = {.at = jobs[i].started,.failure = BB_SUSPECT_CLASS};

		if (jobs[i].id == 0)
			continue;
		if (jobs[i].type == JOB_CHECK && suspects_add(jobs[i].relay_id))
			check_store_sample(jobs[i].relay_id, &lost, &why);
		job_free(&jobs[i]);
	}
	suspects_end();
	bb_tx_end();
}

static bool
running(JobType type, int32 relay_id, const char *name)
{
	for (int i = 0; i < MONITOR_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 && jobs[i].type == type && jobs[i].relay_id == relay_id &&
			(name == NULL || strcmp(jobs[i].name, name) == 0))
			return true;
	}
	return false;
}

/* --- checks --- */

static bool
publishing(void)
{
	return bb_monitor_publish[0] != '\0' && bb_key_file[0] != '\0';
}

/*
 * Kinds of the newest events that the relay was seen to serve and of those it
 * took from us, then those of ours that it refused for their kind.
 */
static int
observed_kinds(int32 relay_id, const char *url, uint16 *kinds, int *nrefused)
{
	static const char *const sql =
		"SELECT x.kind, bool_or(x.taken) FROM ("
		"SELECT e.kind::int, true AS taken FROM (SELECT o.key FROM bigbrotr.observation AS o "
		"WHERE o.relay_id = $1 ORDER BY o.key DESC LIMIT 500) AS o "
		"JOIN bigbrotr.event AS e ON e.key = o.key "
		"UNION ALL SELECT split_part(p.slot, ':', 1)::int, p.outcome = 'taken' FROM bigbrotr.publication AS p "
		"WHERE p.target = $2 AND (p.outcome = 'taken' OR p.outcome = 'refused' AND p.reason ~* '\\mkinds?\\M')"
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
	MonitorJob *j = job_add(JOB_CHECK, url);
	uint16		kinds[MONITOR_MAX_KINDS];
	int			nrefused = 0;
	int			n = publishing() ? observed_kinds(relay_id, url, kinds, &nrefused) : 0;
	NostrBuf   *out = netd_out();
	size_t		mark;

	if (j == NULL)
		return;
	j->relay_id = relay_id;
	j->network = network;
	nchecks++;
	nchecks_of[network]++;

	mark = wire_begin(out, WIRE_CHECK, j->id);
	wire_put_str(out, url);
	wire_put_u32(out, bb_monitor_mask(bb_monitor_checks));
	wire_put_u32(out, bb_monitor_timeout);
	wire_put_u32(out, bb_monitor_document_size * 1024);
	wire_put_u8(out, bb_monitor_max_pow);
	wire_put_u8(out, bb_monitor_precision);
	wire_put_u16(out, bb_monitor_probe_kind);
	wire_put_u8(out, (bb_monitor_write ? WIRE_CHECK_WRITE : 0) | (publishing() ? WIRE_CHECK_ANNOUNCE : 0));
	wire_put_u16(out, n);
	wire_put_u16(out, nrefused);
	for (int i = 0; i < n + nrefused; i++)
		wire_put_u16(out, kinds[i]);
	wire_end(out, mark);
}

static bool
may_start(int32 relay_id, NostrNetwork network)
{
	return nchecks < bb_monitor_concurrency && nchecks_of[network] < bb_network[network].max_connections &&
		!running(JOB_CHECK, relay_id, NULL);
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
		if (SPI_processed == 1 && njobs < MONITOR_MAX_JOBS &&
			bb_network_by_name(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2), &network) &&
			!running(JOB_CHECK, ids[i], NULL))
			start_check(ids[i], SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), network);
	}
}

/* Starts relays that are due.  Lowers *wait to when the next one is. */
static void
start_checks(long *wait)
{
	SPITupleTable *rows;
	uint64		n;

	SPI_connect();
	SPI_execute("INSERT INTO bigbrotr.relay_monitor (relay_id) SELECT r.id FROM bigbrotr.relay AS r "
				"WHERE NOT r.excluded AND r.alias_of IS NULL AND NOT EXISTS "
				"(SELECT FROM bigbrotr.relay_monitor AS m WHERE m.relay_id = r.id) ON CONFLICT DO NOTHING", false, 0);
	start_requested();
	/* not read-only: it must see the rows made above */
	SPI_execute(psprintf("SELECT r.id, r.url, r.network, "
						 "ceil(extract(epoch FROM m.next_check_at - now()) * 1000)::bigint "
						 "FROM bigbrotr.relay_monitor AS m JOIN bigbrotr.relay AS r ON r.id = m.relay_id "
						 "WHERE NOT r.excluded AND r.alias_of IS NULL AND r.state <> 'parked' "
						 "AND r.network = ANY ('%s'::text[]) ORDER BY m.next_check_at LIMIT %d",
						 bb_enabled_networks(), bb_monitor_concurrency + nchecks + 1), false, 0);
	rows = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		int32		id = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		int64		ms = DatumGetInt64(SPI_getbinval(rows->vals[i], rows->tupdesc, 4, &isnull));
		NostrNetwork network;

		if (ms > 0)
		{
			*wait = Min(*wait, Max((long) ms, 100));
			break;
		}
		if (njobs < MONITOR_MAX_JOBS &&
			bb_network_by_name(SPI_getvalue(rows->vals[i], rows->tupdesc, 3), &network) &&
			may_start(id, network))
			start_check(id, SPI_getvalue(rows->vals[i], rows->tupdesc, 2), network);
	}
	SPI_finish();
}

/* --- publishing --- */

static void
start_publish(const char *target, const BbPublication *p, int n)
{
	MonitorJob *j = job_add(JOB_PUBLISH, target);
	NostrBuf   *out = netd_out();
	size_t		mark;

	if (j == NULL)
		return;
	mark = wire_begin(out, WIRE_PUBLISH, j->id);
	wire_put_str(out, target);
	wire_put_u16(out, n);
	for (int i = 0; i < n; i++)
	{
		wire_put_fixed(out, p[i].id, 32);
		wire_put_str(out, p[i].event);
	}
	wire_end(out, mark);
}

static void
start_publishing(long *wait)
{
	char	   *busy[MAX_PUBLISH_JOBS];
	int			nbusy = 0;

	for (int i = 0; i < MONITOR_MAX_JOBS; i++)
	{
		if (jobs[i].id != 0 && jobs[i].type == JOB_PUBLISH && nbusy < MAX_PUBLISH_JOBS)
			busy[nbusy++] = jobs[i].name;
	}
	while (nbusy < MAX_PUBLISH_JOBS && njobs < MONITOR_MAX_JOBS)
	{
		BbPublication p[BB_PUBLISH_BATCH];
		int			n;
		char	   *target = publication_due(busy, nbusy, p, &n, wait);

		if (target == NULL)
			break;
		if (n > 0)
			start_publish(target, p, n);
		busy[nbusy++] = target;
	}
}

static void
start_sign(const char *slot, int kind, const char *tags, const char *content)
{
	MonitorJob *j;
	NostrBuf   *out = netd_out();
	size_t		mark;
	int64		age = publication_age(slot);

	if ((age >= 0 && age < bb_monitor_announce_interval) || running(JOB_SIGN, 0, slot) ||
		(j = job_add(JOB_SIGN, slot)) == NULL)
		return;
	mark = wire_begin(out, WIRE_SIGN, j->id);
	wire_put_u16(out, kind);
	wire_put_u64(out, (uint64) time(NULL));
	wire_put_str(out, tags);
	wire_put_str(out, content);
	wire_end(out, mark);
}

/* The monitor itself: profile, relay list, announcement. */
static void
announce(void)
{
	if (!publishing() || bb_monitor_announce_interval == 0)
		return;
	if (bb_monitor_profile[0] != '\0')
		start_sign("0", 0, "[]", bb_monitor_profile);
	start_sign("10002", 10002, publication_relay_list_tags(), "");
	start_sign("10166", 10166, publication_announcement_tags(), "");
}

static long
start_due(void)
{
	long		wait = Max(1, Min(bb_monitor_interval, 60)) * 1000L;

	bb_tx_begin("looking for relays to check");
	start_checks(&wait);
	announce();
	if (publishing())
		start_publishing(&wait);
	bb_tx_end();
	netd_flush();
	return wait;
}

/* --- frames --- */

static bool
take_document(const WireFrame *f, MonitorJob *j)
{
	WireReader	r;
	BbDocument	d = {.relay_id = j->relay_id, .at = j->started};
	const uint8 *type;
	size_t		len;

	wire_reader(&r, f);
	type = wire_get_bytes(&r, 32, &len);
	d.id = wire_get_fixed(&r, 32);
	d.stable = wire_get_fixed(&r, 32);
	d.json = wire_get_bytes(&r, WIRE_MAX_DOCUMENT, &d.len);
	d.raw = wire_get_bytes(&r, WIRE_MAX_NIP11, &d.raw_len);
	if (!wire_done(&r))
		return false;
	d.type = bb_foreign_text(type, len);
	/* times are in the series */
	if (strcmp(d.type, "nip66_rtt") != 0 && (bb_monitor_mask(bb_monitor_store) & bb_monitor_mask(d.type)) != 0)
		check_store_document(&d);
	return true;
}

static void
take_answer(WireReader *r, bool *asked, bool *ok, uint32 *us, const char **why)
{
	const uint8 *reason;
	size_t		len;

	*asked = wire_get_u8(r) != 0;
	*ok = wire_get_u8(r) != 0;
	*us = wire_get_u32(r);
	reason = wire_get_bytes(r, WIRE_MAX_TEXT, &len);
	if (!r->bad && *asked && !*ok)
		*why = MemoryContextStrdup(TopMemoryContext, bb_foreign_text(reason, len));
}

static bool
take_checked(const WireFrame *f, MonitorJob *j)
{
	BbSample   *s = &j->sample;
	WireReader	r;
	bool		asked;
	uint32		open_us;
	uint8		bits;
	int			status;
	const uint8 *id;
	const uint8 *event;
	size_t		len;

	wire_reader(&r, f);
	for (int i = 0; i < 4; i++)
		s->us[i] = wire_get_u32(&r);
	take_answer(&r, &asked, &s->opened, &open_us, &j->why.open);
	take_answer(&r, &s->read_asked, &s->read_ok, &s->us[4], &j->why.read);
	take_answer(&r, &s->write_asked, &s->write_ok, &s->us[5], &j->why.write);
	bits = wire_get_u8(&r);
	s->us[6] = wire_get_u32(&r);
	status = wire_get_u16(&r);
	id = wire_get_fixed(&r, 32);
	event = wire_get_bytes(&r, WIRE_MAX_EVENT, &len);
	if (!wire_done(&r) || j->checked)
		return false;
	s->at = j->started;
	s->write_live = (bits & 1) != 0;
	s->write_stored = (bits & 2) != 0;
	s->challenged = (bits & 4) != 0;
	s->nip11_asked = (bb_monitor_mask(bb_monitor_checks) & bb_monitor_mask("nip11_info")) != 0;
	s->nip11_ok = status == 200;
	j->checked = true;
	if (len > 0 && publishing())
		publication_queue(psprintf("30166:%s", j->name), id, event, len);
	return true;
}

static bool
take_published(const WireFrame *f, MonitorJob *j)
{
	WireReader	r;
	const uint8 *id;
	const uint8 *reason;
	uint8		outcome;
	size_t		len;

	wire_reader(&r, f);
	id = wire_get_fixed(&r, 32);
	outcome = wire_get_u8(&r);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &len);
	if (!wire_done(&r) || outcome > 2)
		return false;
	publication_answer(j->name, id, outcome, bb_foreign_text(reason, len));
	archive_count("monitor", me, outcome == 0 ? "published" : "publish_failures", 1);
	return true;
}

static bool
take_signed(const WireFrame *f, MonitorJob *j)
{
	WireReader	r;
	const uint8 *id;
	const uint8 *event;
	size_t		len;

	wire_reader(&r, f);
	id = wire_get_fixed(&r, 32);
	event = wire_get_bytes(&r, WIRE_MAX_EVENT, &len);
	if (!wire_done(&r))
		return false;
	publication_queue(j->name, id, event, len);
	return true;
}

static bool
take_result(const WireFrame *f, MonitorJob *j)
{
	WireReader	r;
	uint8		outcome;
	const uint8 *class;
	const uint8 *reason;
	size_t		len;
	size_t		reason_len;

	wire_reader(&r, f);
	outcome = wire_get_u8(&r);
	class = wire_get_bytes(&r, WIRE_MAX_TEXT, &len);
	reason = wire_get_bytes(&r, WIRE_MAX_TEXT, &reason_len);
	if (r.bad)
		return false;
	if (j->type == JOB_CHECK)
	{
		/* without CHECKED the job could not even begin */
		j->sample.at = j->started;
		j->sample.failure = bb_foreign_text(class, len);
		if (!j->checked)
			j->why.open = MemoryContextStrdup(TopMemoryContext, bb_foreign_text(reason, reason_len));
		check_store_sample(j->relay_id, &j->sample, &j->why);
		if (!j->sample.opened)
			publication_withdraw(psprintf("30166:%s", j->name));
		archive_count("monitor", me, j->sample.opened ? "checks" : "failures", 1);
	}
	else if (j->type == JOB_SIGN && outcome != WIRE_OUTCOME_OK)
		ereport(LOG,
				(errmsg("the monitor cannot announce itself: %s", bb_foreign_text(reason, reason_len))));
	job_free(j);
	return true;
}

static bool
handle_frame(const WireFrame *f)
{
	MonitorJob *j = f->job == 0 ? NULL : job_find(f->job);

	if (j == NULL)
		return false;
	switch (f->type)
	{
		case WIRE_DOCUMENT:
			return j->type == JOB_CHECK && take_document(f, j);
		case WIRE_CHECKED:
			return j->type == JOB_CHECK && take_checked(f, j);
		case WIRE_PUBLISHED:
			return j->type == JOB_PUBLISH && take_published(f, j);
		case WIRE_SIGNED:
			return j->type == JOB_SIGN && take_signed(f, j);
		case WIRE_RESULT:
			return take_result(f, j);
		default:
			return false;
	}
}

static bool
handle_frames(void)
{
	WireFrame	f;
	int			n = 0;
	bool		ok = true;

	while (ok && n < MONITOR_FRAMES_PER_TX && netd_next(&f))
	{
		if (n++ == 0)
			bb_tx_begin("storing checks");
		ok = handle_frame(&f);
	}
	if (n > 0)
		bb_tx_end();
	if (!ok)
		netd_malformed("frame of the monitor");
	return n == MONITOR_FRAMES_PER_TX;
}

/* --- MaxMind files: bigbrotr-net cannot open them again --- */

static int64
file_mark(const char *path)
{
	struct stat st;

	if (path[0] == '\0' || stat(path, &st) != 0)
		return 0;
	return (int64) st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000 + (int64) st.st_ino;
}

static void
watch_files(void)
{
	static int64 marks;
	static TimestampTz next;
	TimestampTz now = GetCurrentTimestamp();
	int64		fresh;

	if (now < next)
		return;
	next = TimestampTzPlusMilliseconds(now, FILES_EVERY_MS);
	fresh = file_mark(bb_monitor_city_file) ^ file_mark(bb_monitor_asn_file) << 1;
	if (marks != 0 && fresh != marks)
		netd_replace("a MaxMind database was replaced");
	marks = fresh;
}

void
bb_monitor_main(Datum main_arg)
{
	long		wait = 1000;
	bool		look = true;

	me = bb_worker_init(BB_MONITOR, main_arg, NULL);
	jobs = MemoryContextAllocZero(TopMemoryContext, sizeof(MonitorJob) * MONITOR_MAX_JOBS);
	netd_start();

	for (;;)
	{
		int			before;

		if (bb_interrupts())
		{
			netd_reconfigure();
			look = true;
		}
		if (bb_run_requested())
			look = true;
		watch_files();
		if (netd_lost())
		{
			forget_all_jobs();
			look = true;
		}
		if (look && netd_ready())
			wait = start_due();
		bb_idle(nchecks > 0 ? "checking" : njobs > 0 ? "publishing" : "idle");
		before = njobs;
		look = !netd_poll(netd_ready() ? wait : 1000);
		while (handle_frames())
			CHECK_FOR_INTERRUPTS();
		/* Fill the room that results made, in steps: not a query for each. */
		if (njobs < before && (nchecks <= bb_monitor_concurrency / 2 || njobs == 0))
			look = true;
	}
}
