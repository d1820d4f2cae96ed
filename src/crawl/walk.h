/*
 * walk.h
 *
 * Shared by walk.c, claim.c, proof.c, cutoff.c, hidden.c, dense.c and
 * scatter.c: the steps of one walk.
 */
#ifndef CRAWL_WALK_H
#define CRAWL_WALK_H

#include <stddef.h>

#include "sync_internal.h"

static inline SyncWalk *
sync_walk_of(SyncReq *r)
{
	return (SyncWalk *) ((char *) r - offsetof(SyncWalk, req));
}

/* claim.c: about what is left, or about [lo, hi] */
extern bool sync_walk_sure(const SyncWalk *w);
extern void sync_walk_say_open(SyncWalk *w, const char *reason);
extern void sync_walk_say_paged(SyncWalk *w, int64_t lo, int64_t hi, uint64_t held);
extern void sync_walk_over(SyncWalk *w);	/* all is said */
/* All down to, but not in, second "to" has come; what is left lies below. */
extern void sync_walk_lower(SyncWalk *w, int64_t to);
extern void sync_walk_answer(SyncWalk *w);	/* counts begin anew */
extern void sync_walk_ask_again(SyncWalk *w, void (*end) (SyncReq *, SyncEnd));
/* The relay ignores the bound from which the answer begins.  (An event outside
 * that comes behind others is only a stray one.) */
extern bool sync_walk_bound_ignored(const SyncWalk *w);
extern void sync_walk_page_end(SyncWalk *w, SyncEnd how);
/* true: the walk has begun again, in another order */
extern bool sync_walk_reorder(SyncWalk *w, SyncOrder found);
/* An event where none should be, and what is then to be done. */
extern void sync_proof_unexpected(SyncWalk *w, const NostrEvent *ev, bool valid);
extern void sync_proof_fresh(SyncWalk *w);	/* proof.c: events where none should be */
extern void sync_proof_confirmed(SyncWalk *w);
extern bool sync_proof_uncut(SyncWalk *w);	/* asks of all kinds; false: it had */
extern void sync_proof_no_doubt(SyncWalk *w);	/* confirmed, unless a kind may be hidden */
extern void sync_cutoff_ask(SyncWalk *w);	/* cutoff.c: was the last second cut off? */
extern bool sync_hidden_ask(SyncWalk *w);	/* hidden.c; false: nothing left to ask */
extern SyncOrder sync_order_of(const SyncReq *r);
extern bool sync_order_sure(const Sync *s); /* no accident */
extern void sync_scatter_abort(SyncWalk *w, const char *reason);

#endif
