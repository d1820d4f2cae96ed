/*
 * guard.c
 *
 * The one place that decides which addresses may be connected to.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>

#include "net_internal.h"

int
net_guard(const Net *net, NostrAddr *addr, int n, char *why, size_t size)
{
	int			kept = 0;

	why[0] = '\0';
	for (int i = 0; i < n; i++)
	{
		const char *special = nostr_addr_special(&addr[i]);
		char		text[64];

		if (special == NULL || nostr_cidr_list_contains(&net->config.allow, &addr[i]))
			addr[kept++] = addr[i];
		else if (why[0] == '\0')
		{
			nostr_addr_format(&addr[i], text);
			snprintf(why, size, "address %s is not allowed (%s)", text, special);
		}
	}
	return kept;
}
