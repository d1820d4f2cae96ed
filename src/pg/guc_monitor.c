/*
 * guc_monitor.c
 *
 * See guc_monitor.h; the rules of guc.c hold.
 */
#include "pg/compat.h"

#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "nostr/json.h"
#include "nostr/relay_url.h"
#include "pg/guc_check.h"
#include "pg/guc_monitor.h"

#define DAY_S	86400
#define ALL_CHECKS "nip11_info, nip66_rtt, nip66_ssl, nip66_geo, nip66_net, nip66_dns, nip66_http"

int			bb_monitor_interval = 14400;
int			bb_monitor_concurrency = 64;
int			bb_monitor_timeout = 30000;
char	   *bb_monitor_checks;
char	   *bb_monitor_store;
bool		bb_monitor_write = true;
int			bb_monitor_probe_kind = 22456;
int			bb_monitor_max_pow = 16;
int			bb_monitor_document_size = 1024;
int			bb_monitor_precision = 9;
char	   *bb_monitor_city_file;
char	   *bb_monitor_asn_file;
char	   *bb_monitor_publish;
int			bb_monitor_announce_interval = DAY_S;
char	   *bb_monitor_profile;
char	   *bb_monitor_geohash;

/* In the order of CheckType. */
static const char *const check_names[] = {
	"nip11_info", "nip66_rtt", "nip66_ssl", "nip66_geo", "nip66_net", "nip66_dns", "nip66_http"
};

static int
check_number(const char *name)
{
	for (int i = 0; i < lengthof(check_names); i++)
	{
		if (strcmp(check_names[i], name) == 0)
			return i;
	}
	return -1;
}

uint32
bb_monitor_mask(const char *names)
{
	char	   *raw = pstrdup(names != NULL ? names : "");
	List	   *list = NIL;
	ListCell   *lc;
	uint32		mask = 0;

	if (SplitIdentifierString(raw, ',', &list))
	{
		foreach(lc, list)
		{
			int			n = check_number(lfirst(lc));

			if (n >= 0)
				mask |= 1u << n;
		}
	}
	list_free(list);
	pfree(raw);
	return mask;
}

static bool
check_checks(char **newval, void **extra, GucSource source)
{
	char	   *raw = pstrdup(*newval);
	List	   *list = NIL;
	ListCell   *lc;
	bool		ok = SplitIdentifierString(raw, ',', &list);

	if (!ok)
		GUC_check_errdetail("List syntax is invalid.");
	foreach(lc, list)
	{
		if (ok && check_number(lfirst(lc)) < 0)
		{
			GUC_check_errdetail("Unrecognized check: \"%s\".", (char *) lfirst(lc));
			ok = false;
		}
	}
	if (!ok)
		GUC_check_errhint("Available checks: " ALL_CHECKS ".");
	list_free(list);
	pfree(raw);
	return ok;
}

static bool
check_relays(char **newval, void **extra, GucSource source)
{
	char	   *raw = pstrdup(*newval);
	char	   *state = NULL;
	bool		ok = true;

	for (char *word = strtok_r(raw, ", \t\r\n", &state); word != NULL && ok;
		 word = strtok_r(NULL, ", \t\r\n", &state))
	{
		NostrRelayUrl *url = palloc(sizeof(NostrRelayUrl));
		NostrUrlReject why = nostr_relay_url_parse(word, strlen(word), true, url);

		if (why != NOSTR_URL_OK)
		{
			GUC_check_errdetail("\"%s\" is not the address of a relay: %s.", word, nostr_url_reject_text(why));
			GUC_check_errhint("For example \"wss://relay.example.org, wss://other.example.org\".");
			ok = false;
		}
		pfree(url);
	}
	pfree(raw);
	return ok;
}

static bool
check_profile(char **newval, void **extra, GucSource source)
{
	NostrJson	js;

	if (**newval == '\0')
		return true;
	nostr_json_init(&js, *newval, strlen(*newval));
	if (nostr_json_peek(&js) == '{' && nostr_json_skip(&js) && nostr_json_end(&js))
		return true;
	GUC_check_errdetail("The profile is not a JSON object.");
	GUC_check_errhint("For example '{\"name\":\"my monitor\",\"about\":\"...\"}'. If empty, no profile is published.");
	return false;
}

static bool
check_geohash(char **newval, void **extra, GucSource source)
{
	if (strlen(*newval) <= 12 && strspn(*newval, "0123456789bcdefghjkmnpqrstuvwxyz") == strlen(*newval))
		return true;
	GUC_check_errdetail("\"%s\" is not a geohash.", *newval);
	GUC_check_errhint("A geohash has at most 12 characters from 0-9 and b-z except i, l and o.");
	return false;
}

static void
define_numbers(void)
{
	DefineCustomIntVariable("bigbrotr.monitor_interval", "Sets the time between checks of a relay.",
							"Unstable relays are checked sooner, unreachable ones later. 0 disables the monitor.",
							&bb_monitor_interval, 14400, 0, 365 * DAY_S, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_concurrency", "Sets the maximum number of relays checked concurrently.",
							"The connection limits of the networks apply as well.",
							&bb_monitor_concurrency, 64, 1, 2048, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_timeout", "Sets the maximum duration of a check.",
							"The timeout of the network applies to each step of it.",
							&bb_monitor_timeout, 30000, 100, 600000, PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_probe_kind", "Sets the kind of the event that is written to measure writing.",
							"The default is an ephemeral kind (NIP-01), which relays forward but are not expected to store.",
							&bb_monitor_probe_kind, 22456, 0, 65535, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_max_pow", "Sets the maximum proof of work for a relay, in bits (NIP-13).",
							"Each bit doubles the work. A relay that demands more counts as not accepting events. 0 does no work.",
							&bb_monitor_max_pow, 16, 0, 24, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_document_size", "Sets the maximum size of a NIP-11 document.",
							"A larger document counts as a failure of that check.",
							&bb_monitor_document_size, 1024, 1, 10240, PGC_SIGHUP, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_precision", "Sets the number of characters in the geohash of a relay.",
							"Nine characters are about five metres, finer than any geolocation database.",
							&bb_monitor_precision, 9, 1, 12, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("bigbrotr.monitor_announce_interval",
							"Sets the time between announcements of the monitor itself.",
							"Announcements are kinds 0, 10002 and 10166 (NIP-66), sent to the relays in bigbrotr.monitor_publish. 0 disables them.",
							&bb_monitor_announce_interval, DAY_S, 0, 365 * DAY_S, PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

static void
define_texts(void)
{
	DefineCustomStringVariable("bigbrotr.monitor_checks", "Sets the checks to perform.",
							   "A list of " ALL_CHECKS ". Without nip66_rtt, a relay is only opened.",
							   &bb_monitor_checks, ALL_CHECKS, PGC_SIGHUP, GUC_LIST_INPUT, check_checks, NULL, NULL);
	DefineCustomStringVariable("bigbrotr.monitor_store", "Sets the checks whose results are stored as documents.",
							   "A list as in bigbrotr.monitor_checks. Times are always stored.",
							   &bb_monitor_store, ALL_CHECKS, PGC_SIGHUP, GUC_LIST_INPUT, check_checks, NULL, NULL);
	DefineCustomStringVariable("bigbrotr.monitor_city_file", "Sets the MaxMind database of locations (GeoLite2-City).",
							   "An absolute path. If empty, relays are not located. A replaced file is read again.",
							   &bb_monitor_city_file, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, bb_check_path, NULL, NULL);
	DefineCustomStringVariable("bigbrotr.monitor_asn_file", "Sets the MaxMind database of networks (GeoLite2-ASN).",
							   "An absolute path. If empty, the operators of networks are not looked up. A replaced file is read again.",
							   &bb_monitor_asn_file, "", PGC_SIGHUP, GUC_SUPERUSER_ONLY, bb_check_path, NULL, NULL);
	DefineCustomStringVariable("bigbrotr.monitor_publish", "Sets the relays to which results are published (NIP-66).",
							   "Addresses separated by commas. If empty, nothing is published. Requires bigbrotr.key_file.",
							   &bb_monitor_publish, "", PGC_SIGHUP, GUC_LIST_INPUT, check_relays, NULL, NULL);
	DefineCustomStringVariable("bigbrotr.monitor_profile", "Sets the profile of the monitor: the content of its kind 0.",
							   "A JSON object. If empty, no profile is published.",
							   &bb_monitor_profile,
							   "{\"name\":\"BigBrotr Monitor\",\"about\":\"Nostr relay monitoring service\"}",
							   PGC_SIGHUP, 0, check_profile, NULL, NULL);
	DefineCustomStringVariable("bigbrotr.monitor_geohash", "Sets the location of the monitor, as a geohash.",
							   "It is part of the announcement. If empty, no location is published.",
							   &bb_monitor_geohash, "", PGC_SIGHUP, 0, check_geohash, NULL, NULL);
}

void
bb_guc_define_monitor(void)
{
	define_numbers();
	define_texts();
	DefineCustomBoolVariable("bigbrotr.monitor_write", "Enables writing an event to each relay to measure writing.",
							 "Requires bigbrotr.key_file.",
							 &bb_monitor_write, true, PGC_SIGHUP, 0, NULL, NULL, NULL);
}
