/*
 * relay_sql.c
 *
 * relay_normalize and relay_reject_reason.
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/relay_sql.h"
#include "utils/builtins.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

extern PGDLLEXPORT Datum bigbrotr_relay_normalize(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_relay_normalize);
extern PGDLLEXPORT Datum bigbrotr_relay_reject_reason(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_relay_reject_reason);

NostrRelayUrl *
bb_relay_parse(text *url, NostrUrlReject *why)
{
	NostrRelayUrl *u = palloc0(sizeof(*u));
	bool		special = bb_allow_networks != NULL && bb_allow_networks[0] != '\0';

	*why = nostr_relay_url_parse(VARDATA_ANY(url), VARSIZE_ANY_EXHDR(url), special, u);
	return *why == NOSTR_URL_OK ? u : NULL;
}

Datum
bigbrotr_relay_normalize(PG_FUNCTION_ARGS)
{
	NostrUrlReject why;
	NostrRelayUrl *u = bb_relay_parse(PG_GETARG_TEXT_PP(0), &why);

	if (u == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(u->url));
}

Datum
bigbrotr_relay_reject_reason(PG_FUNCTION_ARGS)
{
	NostrUrlReject why;

	if (bb_relay_parse(PG_GETARG_TEXT_PP(0), &why) != NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s: %s", nostr_url_reject_name(why),
											  nostr_url_reject_text(why))));
}
