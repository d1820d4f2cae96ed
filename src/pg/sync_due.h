/*
 * sync_due.h
 *
 * Which relay gets a connection next.
 */
#ifndef BB_SYNC_DUE_H
#define BB_SYNC_DUE_H

#include "postgres.h"

/*
 * Starts relays that are due as far as their networks have room, and ends
 * live tails where others wait.  One transaction.  Returns how long to wait
 * for the next relay, in ms.
 */
extern long sync_due_start(int me, int nworkers);

#endif
