/*
 * seeder.c
 *
 * Short-lived service: makes the addresses in a file (bigbrotr.seeder_file)
 * and in table bigbrotr.seed candidates.
 *
 * Every line and row gets an outcome: candidate, known, or invalid with the
 * reason.  Nothing is done twice: a line that is already in the table was
 * handled before.  The file is the operator's, but it is read with the same
 * bounds as anything else: a long line is invalid, not a reason to allocate.
 */
#include "postgres.h"

#include <sys/stat.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "nostr/relay_url.h"
#include "pg/guc.h"
#include "pg/shmem.h"
#include "pg/worker.h"

#define SEEDER_BATCH	1000	/* lines or rows in one transaction */
#define SEEDER_LINE_MAX	(NOSTR_RELAY_URL_MAX + 2)

extern PGDLLEXPORT void bb_seeder_main(Datum main_arg);

/* Offers one line to the table; a line seen before changes nothing. */
static void
seed_insert(const char *line)
{
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	values[0] = CStringGetTextDatum(line);
	SPI_execute_with_args("INSERT INTO bigbrotr.seed (url, origin) "
						  "VALUES ($1, 'file') ON CONFLICT DO NOTHING",
						  1, types, values, NULL, false, 0);
}

/*
 * Cleans one line in place: no line end, no blanks around it.  NULL when it
 * is empty or a comment.
 */
static char *
clean_line(char *line)
{
	size_t		len = strlen(line);

	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		line[--len] = '\0';
	while (*line == ' ' || *line == '\t')
		line++;
	return (*line == '\0' || *line == '#') ? NULL : line;
}

/* The next line, or the start of one that is longer than the buffer; a NUL in
 * it becomes a blank, which no address has.  False at the end of the file. */
static bool
read_line(FILE *f, char *line, size_t size)
{
	size_t		n = 0;
	int			c;

	while ((c = getc(f)) != EOF && c != '\n')
	{
		CHECK_FOR_INTERRUPTS();
		if (n + 1 < size)
			line[n++] = c == '\0' ? ' ' : c;
	}
	line[n] = '\0';
	return n > 0 || c != EOF;
}

/* NULL, and a warning, when there is nothing to read. */
static FILE *
open_seed_file(const char *path)
{
	struct stat st;
	FILE	   *f;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
	{
		ereport(WARNING,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("seed file \"%s\" is not a regular file", path)));
		return NULL;
	}
	f = AllocateFile(path, "r");
	if (f == NULL)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not open seed file \"%s\": %m", path),
				 errhint("Check bigbrotr.seeder_file; the server's user must be able to read it.")));
	return f;
}

/* path: not the setting itself, which a reload frees. */
static void
read_seed_file(const char *path)
{
	FILE	   *f;
	char		line[SEEDER_LINE_MAX + 1];
	bool		more = true;
	long		offset = 0;
	int64		number = 0;

	while (more)
	{
		bb_interrupts();
		bb_tx_begin("reading the seed file");

		/* An open file does not survive a transaction: reopen and seek. */
		f = open_seed_file(path);
		if (f == NULL)
		{
			bb_tx_end();
			return;
		}
		if (fseek(f, offset, SEEK_SET) != 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read seed file \"%s\": %m", path)));
		SPI_connect();
		for (int n = 0; n < SEEDER_BATCH; n++)
		{
			char	   *url;

			more = read_line(f, line, sizeof(line));
			if (!more)
				break;
			number++;
			url = clean_line(line);
			if (url == NULL)
				continue;
			/* What is not text of this database cannot be a row of it. */
			if (!pg_verifymbstr(url, strlen(url), true))
			{
				ereport(WARNING,
						(errmsg("skipped line %lld of seed file \"%s\": invalid byte sequence for the database encoding",
								(long long) number, path)));
				continue;
			}
			seed_insert(url);
		}
		offset = ftell(f);
		SPI_finish();
		FreeFile(f);
		bb_tx_end();
	}
}

/* One seed becomes a candidate, or gets the reason why not. */
static void
handle_seed(const char *raw, int64 *outcomes)
{
	static const char *const insert_sql =
		"INSERT INTO bigbrotr.candidate (url, network, source, discovered_at) "
		"SELECT $1, $2, 'seed', pg_catalog.floor(extract(epoch FROM pg_catalog.now()))::bigint "
		"WHERE NOT EXISTS (SELECT FROM bigbrotr.relay WHERE url = $1) "
		"ON CONFLICT DO NOTHING RETURNING url";
	static const char *const mark_sql =
		"UPDATE bigbrotr.seed SET seeded_at = pg_catalog.now(), outcome = $2, reason = $3 "
		"WHERE url = $1";
	Oid			types[3] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[3] = {0};
	char		nulls[3] = {' ', ' ', 'n'};
	NostrRelayUrl relay;
	NostrUrlReject reject;
	bool		allow = bb_allow_networks != NULL && bb_allow_networks[0] != '\0';
	const char *outcome;

	reject = nostr_relay_url_parse(raw, strlen(raw), allow, &relay);
	if (reject == NOSTR_URL_OK)
	{
		values[0] = CStringGetTextDatum(relay.url);
		values[1] = CStringGetTextDatum(nostr_network_name(relay.network));
		SPI_execute_with_args(insert_sql, 2, types, values, NULL, false, 0);
		outcome = SPI_processed > 0 ? "candidate" : "known";
		outcomes[SPI_processed > 0 ? 0 : 1]++;
	}
	else
	{
		outcome = "invalid";
		outcomes[2]++;
		values[2] = CStringGetTextDatum(psprintf("%s: %s",
												 nostr_url_reject_name(reject),
												 nostr_url_reject_text(reject)));
		nulls[2] = ' ';
	}
	values[0] = CStringGetTextDatum(raw);
	values[1] = CStringGetTextDatum(outcome);
	SPI_execute_with_args(mark_sql, 3, types, values, nulls, false, 0);
}

/* Handles one batch of the table; false when none is left. */
static bool
handle_batch(int64 *outcomes)
{
	uint64		n;
	char	  **urls;

	bb_tx_begin("making candidates of seeds");
	SPI_connect();
	SPI_execute("SELECT url FROM bigbrotr.seed WHERE seeded_at IS NULL "
				"ORDER BY url LIMIT " CppAsString2(SEEDER_BATCH), true, 0);
	n = SPI_processed;
	urls = palloc(sizeof(char *) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		urls[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
	for (uint64 i = 0; i < n; i++)
		handle_seed(urls[i], outcomes);
	SPI_finish();
	bb_tx_end();
	return n == SEEDER_BATCH;
}

void
bb_seeder_main(Datum main_arg)
{
	int			nworkers;
	int64		outcomes[3] = {0};

	(void) bb_worker_init(BB_SEEDER, main_arg, &nworkers);

	if (bb_seeder_file != NULL && bb_seeder_file[0] != '\0')
		read_seed_file(MemoryContextStrdup(TopMemoryContext, bb_seeder_file));
	while (handle_batch(outcomes))
		bb_interrupts();

	if (outcomes[0] + outcomes[1] + outcomes[2] > 0)
		ereport(LOG,
				(errmsg("bigbrotr seeder: %lld new candidates, %lld known, %lld invalid",
						(long long) outcomes[0], (long long) outcomes[1],
						(long long) outcomes[2])));
	if (outcomes[0] > 0)
		bb_run_request(MyDatabaseId, BB_VALIDATOR);
	proc_exit(0);
}
