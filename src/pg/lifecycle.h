/*
 * lifecycle.h
 *
 * Hooks on the commands that need a database, or the extension, alone.
 */
#ifndef BB_LIFECYCLE_H
#define BB_LIFECYCLE_H

extern void bb_lifecycle_install(void);

/* The launcher and the scheduler of this database look again after commit. */
extern void bb_wake_at_commit(void);

#endif
