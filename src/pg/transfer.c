/*
 * transfer.c
 *
 * import_jsonl, export_jsonl, import_python: procedures that take one step
 * after the other and commit each; and the rows of bigbrotr.transfer.
 */
#include "pg/compat.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "pg/steps.h"
#include "pg/transfer.h"

extern PGDLLEXPORT Datum bigbrotr_import_jsonl(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_import_jsonl);
extern PGDLLEXPORT Datum bigbrotr_export_jsonl(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_export_jsonl);
extern PGDLLEXPORT Datum bigbrotr_import_python(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_import_python);

void
transfer_need_role(bool write)
{
	if (!has_privs_of_role(GetUserId(), write ? ROLE_PG_WRITE_SERVER_FILES : ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be a member of role %s to access files of the server", write ? "pg_write_server_files" : "pg_read_server_files"),
				 errhint("To access files of the client, use psql's \\copy; see docs/transfer.md.")));
}

static char *
text_of(int column)
{
	char	   *v = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);

	return v != NULL ? v : pstrdup("");
}

static int64
number_of(int column)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull));
}

void
transfer_read(BbTransfer *t, int32 id, const char *direction)
{
	Oid			types[2] = {INT4OID, TEXTOID};
	Datum		values[2] = {Int32GetDatum(id), CStringGetTextDatum(direction)};

	memset(t, 0, sizeof(*t));
	if (SPI_execute_with_args("SELECT t.source, t.relay_url, t.position, coalesce((t.place ->> 'key')::bigint, -1), t.place IS NOT NULL "
							  "FROM bigbrotr.transfer AS t WHERE t.id = $1 AND t.direction = $2 FOR UPDATE",
							  2, types, values, NULL, false, 0) != SPI_OK_SELECT || SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("there is no %s with id %d", direction, id)));
	t->id = id;
	t->source = text_of(1);
	t->relay_url = text_of(2);
	t->position = number_of(3);
	t->key = number_of(4);
	t->begun = text_of(5)[0] == 't';
}

void
transfer_write(const BbTransfer *t, bool finished)
{
	static const char *const sql =
		"UPDATE bigbrotr.transfer AS t SET position = $2, size = $3, place = jsonb_build_object('key', $4), "
		"events = t.events + $5, observations = t.observations + $6, known = t.known + $7, invalid = t.invalid + $8, "
		"updated_at = clock_timestamp(), finished_at = CASE WHEN $9 THEN clock_timestamp() END WHERE t.id = $1";
	Oid			types[9] = {INT4OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, BOOLOID};
	Datum		values[9];

	values[0] = Int32GetDatum(t->id);
	values[1] = Int64GetDatum(t->position);
	values[2] = Int64GetDatum(t->size);
	values[3] = Int64GetDatum(t->key);
	values[4] = Int64GetDatum(t->events);
	values[5] = Int64GetDatum(t->observations);
	values[6] = Int64GetDatum(t->known);
	values[7] = Int64GetDatum(t->invalid);
	values[8] = BoolGetDatum(finished);
	if (SPI_execute_with_args(sql, 9, types, values, NULL, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not write bigbrotr.transfer");
}

/* The row of this transfer: a new one, or where the last call stopped. */
static int32
begin(const char *direction, const char *source, const char *relay_url, bool restart)
{
	static const char *const sql =
		"INSERT INTO bigbrotr.transfer AS t (direction, source, relay_url) VALUES ($1, $2, $3) "
		"ON CONFLICT (direction, source, relay_url) DO UPDATE SET finished_at = NULL, "
		"position = CASE WHEN $4 THEN 0 ELSE t.position END, place = CASE WHEN $4 THEN NULL ELSE t.place END "
		"RETURNING t.id";
	Oid			types[4] = {TEXTOID, TEXTOID, TEXTOID, BOOLOID};
	Datum		values[4];
	bool		isnull;

	values[0] = CStringGetTextDatum(direction);
	values[1] = CStringGetTextDatum(source);
	values[2] = CStringGetTextDatum(relay_url);
	values[3] = BoolGetDatum(restart);
	if (SPI_execute_with_args(sql, 4, types, values, NULL, false, 0) != SPI_OK_INSERT_RETURNING || SPI_processed != 1)
		elog(ERROR, "could not write bigbrotr.transfer");
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* Every step is committed, the first together with the row: what is refused
 * leaves none, and changes none. */
static void
run(FunctionCallInfo fcinfo, const char *direction, const char *function, const char *relay_url, bool restart)
{
	char	   *source;
	int32		id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("path or schema name must not be null")));
	source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bb_steps_begin(fcinfo);
	id = begin(direction, source, relay_url, restart);
	bb_steps_run(function, INT4OID, Int32GetDatum(id));
}

Datum
bigbrotr_import_jsonl(PG_FUNCTION_ARGS)
{
	transfer_need_role(false);
	run(fcinfo, "import", "import_step", PG_ARGISNULL(1) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(1)),
		!PG_ARGISNULL(2) && PG_GETARG_BOOL(2));
	PG_RETURN_VOID();
}

Datum
bigbrotr_export_jsonl(PG_FUNCTION_ARGS)
{
	transfer_need_role(true);
	run(fcinfo, "export", "export_step", "", !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}

Datum
bigbrotr_import_python(PG_FUNCTION_ARGS)
{
	run(fcinfo, "python", "import_python_step", "", !PG_ARGISNULL(1) && PG_GETARG_BOOL(1));
	PG_RETURN_VOID();
}
