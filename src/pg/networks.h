/*
 * networks.h
 *
 * Which overlay networks are enabled (bigbrotr.<network>_enabled).
 */
#ifndef BB_NETWORKS_H
#define BB_NETWORKS_H

#include "postgres.h"

#include "nostr/relay_url.h"

/* The enabled ones as an array literal, "{clearnet,tor}"; palloc'ed.  Fit for
 * use inside a quoted SQL literal: the names are ours. */
extern char *bb_enabled_networks(void);
extern bool bb_network_by_name(const char *name, NostrNetwork *network);

#endif
