/*
 * fatal.c
 *
 * The one way out when memory is out.
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
