/*
 * domain.c
 *
 * Uses libpsl's built-in list, so no file is opened.  A name below a suffix
 * that the list does not know belongs to its last two labels.
 */
#include "pgfree.h"

#include <libpsl.h>
#include <stdio.h>
#include <string.h>

#include "domain.h"
#include "special_addr.h"

static void
network_of(const char *host, char *out)
{
	NostrAddr	a;
	char		text[64];

	if (!nostr_addr_parse(host, &a))
	{
		strcpy(out, host);
		return;
	}
	memset(a.bytes + (a.v6 ? 6 : 3), 0, a.v6 ? 10 : 1);
	nostr_addr_format(&a, text);
	sprintf(out, "%s/%d", text, a.v6 ? 48 : 24);
}

void
nostr_domain(const NostrRelayUrl *u, char *out)
{
	const psl_ctx_t *psl = psl_builtin();
	const char *label = u->host;
	const char *dot;

	if (u->ip_literal)
	{
		network_of(u->host, out);
		return;
	}
	/* the longest suffix that is public, and one label in front of it */
	while ((dot = strchr(label, '.')) != NULL)
	{
		bool		public = psl == NULL || u->network != NOSTR_CLEARNET ?
			strchr(dot + 1, '.') == NULL :
			psl_is_public_suffix2(psl, dot + 1, PSL_TYPE_ICANN);

		if (public)
			break;
		label = dot + 1;
	}
	strcpy(out, label);
}
