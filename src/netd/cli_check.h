/*
 * cli_check.h
 *
 * bigbrotr-net check: what a monitor measures of one relay, as one JSON
 * object on stdout: how it opened, the times in microseconds (those that were
 * not reached are absent), and the documents as they would be stored.
 */
#ifndef NETD_CLI_CHECK_H
#define NETD_CLI_CHECK_H

#include "../crawl/check.h"

/* Stops the loop when it is done; *status is 0 when the relay opened, else 1.
 * false: cannot start, *why is static.  The MaxMind databases are those of
 * the Net's configuration. */
extern bool cli_check_start(Net *net, const NostrRelayUrl *url, const CheckSpec *spec,
							int *status, const char **why);

#endif
