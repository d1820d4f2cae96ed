/*
 * networks.c
 *
 * See networks.h.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "pg/guc.h"
#include "pg/networks.h"

char *
bb_enabled_networks(void)
{
	StringInfoData s;

	initStringInfo(&s);
	appendStringInfoChar(&s, '{');
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		if (bb_network[i].enabled)
			appendStringInfo(&s, "%s%s", s.len > 1 ? "," : "", nostr_network_name(i));
	}
	appendStringInfoChar(&s, '}');
	return s.data;
}

bool
bb_network_by_name(const char *name, NostrNetwork *network)
{
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		if (strcmp(name, nostr_network_name(i)) == 0)
		{
			*network = i;
			return true;
		}
	}
	return false;
}
