/*
 * archive_peer.c
 *
 * Passes announcements and reports of monitors among the new events of a
 * batch on to bigbrotr.peer_fold.
 *
 * Guarantees: a batch without any costs one look at each kind.  Taken from
 * the event itself, since a light archive stores no tags.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pg/archive_plan.h"
#include "pg/archive_row.h"

#define KIND_ANNOUNCEMENT	10166
#define KIND_REPORT			30166
#define MAX_TAGS			8192	/* bytes, packed; a report has some hundreds */

static bool
is_news(const BbArchiveEvent *e)
{
	return e->outcome == BB_NEW && e->ev.tags_len <= MAX_TAGS &&
		(e->ev.kind == KIND_ANNOUNCEMENT || e->ev.kind == KIND_REPORT);
}

void
archive_peer_news(const BbArchiveEvent *e, int n)
{
	Datum	   *col[4];
	Datum		args[4];
	int			news = 0;
	int			m = 0;

	for (int i = 0; i < n; i++)
		news += is_news(&e[i]);
	if (news == 0)
		return;
	SPI_connect();
	for (int c = 0; c < 4; c++)
		col[c] = palloc(sizeof(Datum) * news);
	for (int i = 0; i < n; i++)
	{
		if (!is_news(&e[i]))
			continue;
		col[0][m] = archive_varlena(e[i].ev.pubkey, 32);
		col[1][m] = Int32GetDatum(e[i].ev.kind);
		col[2][m] = Int64GetDatum(e[i].ev.created_at);
		col[3][m++] = archive_varlena(e[i].ev.tags, e[i].ev.tags_len);
	}
	args[0] = archive_array(col[0], NULL, m, BYTEAOID);
	args[1] = archive_array(col[1], NULL, m, INT4OID);
	args[2] = archive_array(col[2], NULL, m, INT8OID);
	args[3] = archive_array(col[3], NULL, m, archive_tags_type());
	archive_plan_run(BB_PLAN_PEER_NEWS, args, NULL);
	SPI_finish();
}
