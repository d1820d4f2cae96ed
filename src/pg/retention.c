/*
 * retention.c
 *
 * What retention policies refuse; see retention.h.  Guarantees that whatever
 * a policy removes is also refused, however many policies there are;
 * otherwise it would return with every re-check.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "pg/archive_plan.h"
#include "pg/retention.h"

#define MAX_KINDS		256		/* as the table says */
#define READ_AGAIN_MS	1000

typedef struct Policy
{
	char		name[65];
	int64		floor;
	int			nkinds;			/* 0: all */
	int32		kinds[MAX_KINDS];
} Policy;

static MemoryContext context;
static Policy *policies;			/* in the context */
static int	npolicies;
static TimestampTz read_at;

static void
read_one(Policy *p, HeapTuple t, TupleDesc d)
{
	bool		isnull;
	Datum		kinds;

	strlcpy(p->name, SPI_getvalue(t, d, 1), sizeof(p->name));
	p->floor = DatumGetInt64(SPI_getbinval(t, d, 2, &isnull));
	p->nkinds = 0;
	kinds = SPI_getbinval(t, d, 3, &isnull);
	if (!isnull)
	{
		Datum	   *k;
		bool	   *nulls;
		int			n;

		deconstruct_array(DatumGetArrayTypeP(kinds), INT4OID, 4, true, TYPALIGN_INT, &k, &nulls, &n);
		for (int i = 0; i < n && i < MAX_KINDS; i++)
			p->kinds[p->nkinds++] = DatumGetInt32(k[i]);
	}
}

static void
read_policies(void)
{
	TimestampTz now = GetCurrentTimestamp();

	if (read_at != 0 && now >= read_at && !TimestampDifferenceExceeds(read_at, now, READ_AGAIN_MS))
		return;
	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "bigbrotr policies", ALLOCSET_SMALL_SIZES);
	SPI_connect();
	archive_plan_run(BB_PLAN_RETENTION, NULL, NULL);
	npolicies = 0;
	MemoryContextReset(context);
	if (SPI_processed > 0)
		policies = MemoryContextAllocHuge(context, sizeof(Policy) * SPI_processed);
	for (uint64 i = 0; i < SPI_processed; i++)
		read_one(&policies[npolicies++], SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_finish();
	read_at = now;
}

const char *
retention_refuses(int32 kind, int64 created_at)
{
	read_policies();
	for (int i = 0; i < npolicies; i++)
	{
		const Policy *p = &policies[i];
		bool		match = p->nkinds == 0;

		for (int k = 0; k < p->nkinds && !match; k++)
			match = p->kinds[k] == kind;
		if (match && created_at < p->floor)
			return psprintf("retention: policy \"%s\" keeps no event of that age", p->name);
	}
	return NULL;
}

int64
retention_floor(void)
{
	int64		floor = 0;

	read_policies();
	for (int i = 0; i < npolicies; i++)
		if (policies[i].nkinds == 0)
			floor = Max(floor, policies[i].floor);
	return floor;
}
