/*
 * cli_sync.h
 *
 * bigbrotr-net sync: the program as its own worker.  Answers every offer with
 * "all unknown", so what it prints went the same way as what a worker stores:
 * verified, in order.  Events go to stdout, what is known of windows to
 * stderr.
 */
#ifndef NETD_CLI_SYNC_H
#define NETD_CLI_SYNC_H

#include "../crawl/sync.h"

typedef struct CliSync
{
	SyncSpec	spec;			/* its window is the one below */
	SyncWindow	window;
	uint64_t	limit;			/* of events printed */
	const char *held;			/* file of events that need not be fetched, or NULL */
} CliSync;

/* Stops the loop when it is done; *status is 0 unless the job failed.  false:
 * cannot start, *why is static. */
extern bool cli_sync_start(Net *net, const NostrRelayUrl *url, const CliSync *what,
						   int *status, const char **why);

#endif
