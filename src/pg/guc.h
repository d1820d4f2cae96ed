/*
 * guc.h
 *
 * The settings of bigbrotr, as C variables.  guc.c defines them; units are
 * in the comments.
 */
#ifndef BB_GUC_H
#define BB_GUC_H

#include "postgres.h"

#include "nostr/relay_url.h"

#define BB_MAX_DATABASES 64

extern char *bb_databases;		/* comma-separated names; '' = none */
extern bool bb_enabled;
extern int	bb_seeder_interval;	/* s; 0 = off */
extern char *bb_seeder_file;	/* '' = table seed only */
extern int	bb_validator_interval;	/* s */
extern int	bb_validator_concurrency;	/* candidates at once */
extern int	bb_finder_interval;	/* s; 0 = off */
extern int	bb_refresher_interval;	/* s; 0 = off */
extern bool bb_finder_events;	/* mentions in events become candidates */
extern int	bb_finder_max_per_host;	/* addresses */
extern int	bb_finder_max_per_domain;
extern int	bb_synchronizer_interval;	/* s between passes over one relay */
extern int	bb_synchronizer_workers;
extern int	bb_synchronizer_page;	/* REQ limit */
extern int	bb_synchronizer_overlap;	/* s re-asked below the head */
extern int	bb_synchronizer_slice;	/* ms of one turn of a relay */
extern int	bb_synchronizer_tail;	/* s subscribed after a pass; 0 = off */
extern int	bb_synchronizer_recheck;	/* s between rounds of re-checks; 0 = off */
extern char *bb_synchronizer_filter;	/* NIP-01 filter, JSON object */
extern int	bb_synchronizer_since;	/* unix seconds */

typedef struct BbNetworkGuc
{
	bool		enabled;
	char	   *proxy;			/* socks5h://host:port */
	int			max_connections;
	int			timeout;		/* ms */
} BbNetworkGuc;
extern BbNetworkGuc bb_network[NOSTR_NETWORK_COUNT];

extern char *bb_allow_networks;	/* CIDR list */
extern int	bb_invalid_certificate;	/* 0 refuse, 1 accept */
extern int	bb_max_message_size;	/* kB */
extern int	bb_net_memory_limit;	/* MB, RLIMIT_AS of bigbrotr-net */
extern char *bb_ca_file;
extern char *bb_dns_servers;
extern char *bb_key_file;
extern char *bb_net_program;	/* '' = pkglibdir/bigbrotr-net */
extern bool bb_synchronous_commit;
extern int	bb_archive;			/* 0 full, 1 light */
extern bool bb_allow_drop;
extern int	bb_compact_after;		/* s; 0: never */

extern void bb_guc_define(void);

#endif
