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
/* Closes the socket, gives the process wait_ms to end by itself, else kills
 * it (it has nothing to save), and collects it.  True when it ended by
 * itself; then *status is that of waitpid. */
extern bool bb_spawn_end(int pid, int sock, int wait_ms, int *status);

#endif
