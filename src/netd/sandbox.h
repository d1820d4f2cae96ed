/*
 * sandbox.h
 *
 * Gives up what the network process does not need, once everything that needs
 * files and threads has been opened.
 */
#ifndef NETD_SANDBOX_H
#define NETD_SANDBOX_H

/* What is active, for people: "no_new_privs landlock(6) seccomp". */
extern const char *sandbox_enter(void);

#endif
