/*
 * fatal.c
 *
 * The only exit when memory is exhausted.
 */
#include "../nostr/pgfree.h"

#include <unistd.h>

#include "../wire/messages.h"
#include "fatal.h"

void
fatal_no_memory(void)
{
	_exit(WIRE_EXIT_NO_MEMORY);
}
