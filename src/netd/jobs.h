/*
 * jobs.h
 *
 * The job table: frames from the worker become jobs, jobs become frames.
 */
#ifndef NETD_JOBS_H
#define NETD_JOBS_H

#include "../net/net.h"
#include "../wire/messages.h"

/* Reads the key file and opens the MaxMind databases: before the sandbox. */
extern void jobs_open(Net *net);
/* false: malformed, the process must end.  *why is static. */
extern bool jobs_frame(const WireFrame *f, const char **why);
extern void jobs_pause_all(bool paused);

/* netd/cli.c */
extern int	cli_main(int argc, char **argv);

#endif
