/*
 * neg.c
 *
 * NIP-77, the relay's side: sessions by subscription id, and refusals.
 */
#include "internal.h"

#include <string.h>

void
neg_take(Conn *c, const char *verb, const char *sub, json_t *msg)
{
	(void) msg;
	if (strcmp(verb, "NEG-OPEN") == 0)
		c->relay->counters.neg_opens++;
	else if (strcmp(verb, "NEG-MSG") == 0)
		c->relay->counters.neg_msgs++;
	if (strcmp(verb, "NEG-OPEN") != 0)
		return;
	switch (c->script->neg)
	{
		case RELAY_NEG_CLOSED:
			message_say(c, "NEG-ERR", sub, "closed: took too long");
			break;
		case RELAY_NEG_BLOCKED:
			message_say(c, "NEG-ERR", sub, "blocked: this query is too big");
			break;
		case RELAY_NEG_ERROR:
			message_say(c, "NEG-ERR", sub, "error: bad filter");
			break;
		case RELAY_NEG_V0:
			message_say(c, "NEG-MSG", sub, "60");
			break;
		case RELAY_NEG_GARBAGE:
			message_say(c, "NEG-MSG", sub, "61ffffffffffffffffffff02");
			break;
		default:
			break;
	}
}

void
neg_free(Conn *c)
{
	(void) c;
}
