/*
 * fold_network.h
 *
 * What a step changes in the sums of each network.
 */
#ifndef BB_FOLD_NETWORK_H
#define BB_FOLD_NETWORK_H

#include "pg/fold.h"

typedef struct FoldRelay
{
	int32		id;
	int32		network;		/* in FoldNetworks.v */
} FoldRelay;

typedef struct FoldNetwork
{
	char	   *name;
	int64		events;
	int64		authors;
	int64		kinds;
} FoldNetwork;

typedef struct FoldNetworks
{
	FoldNetwork *v;				/* the first is clearnet */
	int			n;
	FoldRelay  *relays;			/* sorted by id; those that exist */
	int			nrelays;
} FoldNetworks;

/* The networks of all relays of a step. */
extern void fold_networks_load(FoldNetworks *n, const FoldStep *s);
/* Authors by (relay, author) and kinds by (relay, kind) that have turned. */
extern void fold_networks_turn(FoldNetworks *n, const FoldSums *authors, const FoldSums *kinds);
/* Counts the events that no removal of the step touches, and writes the sums. */
extern void fold_networks_count(FoldNetworks *n, const FoldStep *s);

#endif
