/*
 * lifecycle.h
 *
 * Hooks on the commands that need a database, or the extension, alone.
 */
#ifndef BB_LIFECYCLE_H
#define BB_LIFECYCLE_H

extern void bb_lifecycle_install(void);

#endif
