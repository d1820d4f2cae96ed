/*
 * spawn.h
 *
 * Starts and ends the private network process of a worker.
 */
#ifndef BB_SPAWN_H
#define BB_SPAWN_H

#include "postgres.h"

/* Returns its pid and our end of the socket (non-blocking), or -1 with errno
 * set.  program: absolute path. */
extern int	bb_spawn_net(const char *program, int memory_mb, int *sock);
/* Kills it (it has nothing to save) and collects it; closes the socket. */
extern void bb_spawn_end(int pid, int sock);

#endif
