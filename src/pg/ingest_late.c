/*
 * ingest_late.c
 *
 * See ingest_late.h.
 *
 * Guarantees the order of all writers: events and observations come before,
 * then refusals, mentions and counters, each in one order.  Must survive that
 * role and search_path have changed since, and that the extension is gone.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "pg/ingest_late.h"

typedef struct LateCounts		/* of one subtransaction */
{
	SubTransactionId sub;
	BbIngestTotals totals;
	BbMentionCounts found;
	struct LateCounts *next;	/* of one around it */
} LateCounts;

typedef struct Late				/* of one transaction, in its context */
{
	MemoryContext context;
	Oid			user;
	BbRejects  *rejects;
	LateCounts *counts;
} Late;

static Late *late;

static void
add(LateCounts *to, const BbIngestTotals *totals, const BbMentionCounts *found)
{
	to->totals.events += totals->events;
	to->totals.observations += totals->observations;
	to->totals.invalid += totals->invalid;
	to->found.candidates += found->candidates;
	to->found.refused += found->refused;
}

static void
write_all(void)
{
	LateCounts	sum = {0};

	for (LateCounts *c = late->counts; c != NULL; c = c->next)
		add(&sum, &c->totals, &c->found);
	archive_rejects_write(late->rejects);
	mention_flush(true, &sum.found);
	archive_count("ingest", 0, "candidates", sum.found.candidates);
	archive_count("ingest", 0, "mentions_refused", sum.found.refused);
	archive_count("ingest", 0, "events", sum.totals.events);
	archive_count("ingest", 0, "observations", sum.totals.observations);
	archive_count("ingest", 0, "rejected", sum.totals.invalid);
}

/* As event_ingest itself runs: its user, and its search_path. */
static void
write_as_called(void)
{
	MemoryContext outer = MemoryContextSwitchTo(late->context);
	ResourceOwner owner = CurrentResourceOwner;
	int			nest = NewGUCNestLevel();
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(late->user, security | SECURITY_LOCAL_USERID_CHANGE);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	CurrentResourceOwner = TopTransactionResourceOwner;
	PushActiveSnapshot(GetTransactionSnapshot());
	write_all();
	PopActiveSnapshot();
	CurrentResourceOwner = owner;
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(user, security);
	MemoryContextSwitchTo(outer);
}

static void
at_end(XactEvent event, void *arg)
{
	if (late == NULL)
		return;
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		/* dropped by this very transaction: nothing to write to */
		if (OidIsValid(get_namespace_oid("bigbrotr", true)))
			write_as_called();
	}
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE || event == XACT_EVENT_ABORT)
	{
		mention_reset();
		late = NULL;			/* its memory goes with the transaction */
	}
}

/* What is counted goes with a savepoint, or to the one around it. */
static void
at_sub_end(SubXactEvent event, SubTransactionId sub, SubTransactionId parent, void *arg)
{
	LateCounts *c;

	if (late == NULL || (c = late->counts) == NULL || c->sub != sub)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		late->counts = c->next;
	else if (event != SUBXACT_EVENT_COMMIT_SUB)
		return;
	else if (c->next != NULL && c->next->sub == parent)
	{
		add(c->next, &c->totals, &c->found);
		late->counts = c->next;
	}
	else
		c->sub = parent;
}

BbRejects *
ingest_late_rejects(void)
{
	static bool registered = false;
	MemoryContext outer;

	if (!registered)
	{
		RegisterXactCallback(at_end, NULL);
		RegisterSubXactCallback(at_sub_end, NULL);
		registered = true;
	}
	if (late == NULL)
	{
		MemoryContext context = AllocSetContextCreate(TopTransactionContext, "bigbrotr ingest until commit",
													  ALLOCSET_DEFAULT_SIZES);
		Late	   *l = MemoryContextAllocZero(context, sizeof(*l));

		mention_reset();
		outer = MemoryContextSwitchTo(context);
		l->context = context;
		l->rejects = archive_rejects();
		MemoryContextSwitchTo(outer);
		late = l;
	}
	late->user = GetUserId();
	return late->rejects;
}

void
ingest_late_count(const BbIngestTotals *totals, const BbMentionCounts *found)
{
	SubTransactionId sub = GetCurrentSubTransactionId();
	LateCounts *c = late->counts;

	if (c == NULL || c->sub != sub)
	{
		c = MemoryContextAllocZero(late->context, sizeof(*c));
		c->sub = sub;
		c->next = late->counts;
		late->counts = c;
	}
	add(c, totals, found);
}
