/*
 * guc.c
 *
 * The settings of bigbrotr, described in tables.
 *
 * Guarantees: every setting has a unit, bounds and a description, and can be
 * changed by a reload; nothing that a check hook accepts can stop a worker.
 * Must survive: being called once in the postmaster or in any backend.
 */
#include "pg/compat.h"

#include <limits.h>

#include "pg/guc.h"
#include "pg/guc_check.h"
#include "pg/guc_monitor.h"

char	   *bb_databases;
bool		bb_enabled = true;
int			bb_seeder_interval = 3600;
char	   *bb_seeder_file;
int			bb_validator_interval = 60;
int			bb_validator_concurrency = 64;
int			bb_finder_interval = 300;
int			bb_refresher_interval = 60;
bool		bb_finder_events = true;
int			bb_finder_max_per_host = 20;
int			bb_finder_max_per_domain = 500;
int			bb_synchronizer_interval = 300;
int			bb_synchronizer_workers = 1;
int			bb_synchronizer_page = 500;
int			bb_synchronizer_overlap = 600;
int			bb_synchronizer_slice = 60000;
int			bb_synchronizer_tail = 600;
int			bb_synchronizer_recheck = 7 * 86400;
char	   *bb_synchronizer_filter;
int			bb_synchronizer_since = 0;
BbNetworkGuc bb_network[NOSTR_NETWORK_COUNT];
char	   *bb_allow_networks;
int			bb_invalid_certificate = 0;
int			bb_max_message_size = 1024;
int			bb_net_memory_limit = 1024;
char	   *bb_ca_file;
char	   *bb_dns_servers;
char	   *bb_key_file;
char	   *bb_net_program;
bool		bb_synchronous_commit = false;
int			bb_archive = 0;
bool		bb_allow_drop = false;
int			bb_compact_after = 30 * 86400;

typedef struct IntSetting
{
	const char *name;
	const char *brief;
	const char *detail;
	int		   *var;
	int			boot;
	int			min;
	int			max;
	int			flags;
} IntSetting;

typedef struct StringSetting
{
	const char *name;
	const char *brief;
	const char *detail;
	char	  **var;
	const char *boot;
	int			flags;
	GucStringCheckHook check;
} StringSetting;

typedef struct BoolSetting
{
	const char *name;
	const char *brief;
	const char *detail;
	bool	   *var;
	bool		boot;
	GucContext	context;
} BoolSetting;

static const struct config_enum_entry certificate_options[] = {
	{"refuse", 0, false},
	{"accept", 1, false},
	{NULL, 0, false}
};

static const struct config_enum_entry archive_options[] = {
	{"full", 0, false},
	{"light", 1, false},
	{NULL, 0, false}
};

#define DAY_S	86400

static const IntSetting ints[] = {
	{"bigbrotr.seeder_interval", "Time between two runs of the seeder.",
		"The seeder turns the seed file and the seed table into candidates. 0 turns it off.",
	&bb_seeder_interval, 3600, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.validator_interval", "Time between two looks for candidates that are due.",
		"The validator connects to candidates and makes those that speak Nostr relays. 0 turns it off.",
	&bb_validator_interval, 60, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.validator_concurrency", "Candidates that are validated at the same time.",
		"The limits of connections per network apply as well.",
	&bb_validator_concurrency, 64, 1, 1024, 0},
	{"bigbrotr.finder_interval", "Time between two looks for lists of relays that are due.",
		"The finder reads the lists on the web that bigbrotr.source names, each at its own interval. 0 turns it off; relays that events mention are found all the same.",
	&bb_finder_interval, 300, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.refresher_interval", "Time between two runs of the refresher.",
		"The refresher brings the analytics up to date and maintains the archive; bigbrotr.maintenance shows how far it is. 0 turns it off.",
	&bb_refresher_interval, 60, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.finder_max_per_host", "Addresses of one host that the finder takes.",
		"Ports and paths make addresses. What is over the limit is counted in mention_refused. Seeds are always taken.",
	&bb_finder_max_per_host, 20, 1, 1000000, 0},
	{"bigbrotr.finder_max_per_domain", "Addresses of one registrable domain that the finder takes.",
		"For numeric addresses, of one network (/24, /48). What is over the limit is counted in mention_refused.",
	&bb_finder_max_per_domain, 500, 1, 1000000, 0},
	{"bigbrotr.synchronizer_interval", "Time between two passes over one relay.",
		"A pass asks for what the coverage of the relay still misses. 0 turns the synchronizer off.",
	&bb_synchronizer_interval, 300, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_workers", "Number of synchronizer processes in each database.",
		"Relays are shared out between them. Each takes one of max_worker_processes.",
	&bb_synchronizer_workers, 1, 0, 64, 0},
	{"bigbrotr.synchronizer_page", "Events asked for in one request.",
		"The \"limit\" of a REQ. Relays may deliver fewer; from smaller pages less can be concluded.",
	&bb_synchronizer_page, 500, 100, 10000, 0},
	{"bigbrotr.synchronizer_overlap", "Time below the newest known event that is asked again.",
		"Events that arrive late are found when they are not older than this.",
	&bb_synchronizer_overlap, 600, 0, 30 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_slice", "Longest turn of one relay before others get theirs.",
		"An archive of years is read in many turns.",
	&bb_synchronizer_slice, 60000, 1000, 24 * 3600 * 1000, GUC_UNIT_MS},
	{"bigbrotr.synchronizer_tail", "Time for which a relay stays subscribed after a pass.",
		"Its new events arrive at once. A relay that is due takes the connection when no other is free. 0 ends it after the pass.",
	&bb_synchronizer_tail, 600, 0, DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_recheck", "Time after which what was proved complete is asked for again.",
		"Finds events that were published with an old date, and measures how much was missed. 0 turns it off.",
	&bb_synchronizer_recheck, 7 * DAY_S, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_since", "Oldest event time to ask for.",
		"In seconds since 1970. 0 asks for everything a relay has; a time to come asks for nothing.",
	&bb_synchronizer_since, 0, 0, INT_MAX, 0},
	{"bigbrotr.compact_after", "Age at which observations are packed.",
		"Counted from the end of the month in which the events were created; at least a day. The refresher packs them, to a tenth of the size. 0 turns it off.",
	&bb_compact_after, 30 * DAY_S, 0, 3650 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.max_message_size", "Largest message accepted from a relay.",
		"A relay that sends a larger one is disconnected.",
	&bb_max_message_size, 1024, 16, 16 * 1024, GUC_UNIT_KB},
	{"bigbrotr.net_memory_limit", "Address space of one bigbrotr-net process.",
		"A process that needs more ends and is started again.",
	&bb_net_memory_limit, 1024, 128, 1024 * 1024, GUC_UNIT_MB},
};

static const StringSetting strings[] = {
	{"bigbrotr.databases", "Databases in which bigbrotr works.",
		"A list of names separated by commas. Empty: nowhere. The extension must be created there.",
	&bb_databases, "", GUC_LIST_INPUT, bb_check_databases},
	{"bigbrotr.seeder_file", "File with relay addresses, one in a line.",
		"An absolute path on the server. Empty: only the table of seeds is read.",
	&bb_seeder_file, "", GUC_SUPERUSER_ONLY, bb_check_path},
	{"bigbrotr.synchronizer_filter", "Which events to ask for.",
		"A NIP-01 filter, a JSON object without since, until and limit. '{}' asks for all.",
	&bb_synchronizer_filter, "{}", 0, bb_check_filter},
	{"bigbrotr.allow_networks", "Special networks that may be connected to.",
		"A list of networks. Loopback, private and other special addresses are refused unless they are named here.",
	&bb_allow_networks, "", GUC_LIST_INPUT, bb_check_networks},
	{"bigbrotr.ca_file", "File with the certificates of trusted authorities.",
		"PEM, an absolute path. Empty: those of the system.",
	&bb_ca_file, "", GUC_SUPERUSER_ONLY, bb_check_path},
	{"bigbrotr.dns_servers", "DNS servers to ask.",
		"A list of addresses, with a port if it is not 53. Empty: those of the system.",
	&bb_dns_servers, "", GUC_LIST_INPUT, bb_check_dns},
	{"bigbrotr.key_file", "File with the private key of this observer.",
		"An absolute path; the file must be readable for the server only.",
	&bb_key_file, "", GUC_SUPERUSER_ONLY, bb_check_path},
	{"bigbrotr.net_program", "Program that does the network input and output.",
		"An absolute path. Empty: bigbrotr-net in the package library directory.",
	&bb_net_program, "", GUC_SUPERUSER_ONLY, bb_check_path},
};

static const BoolSetting bools[] = {
	{"bigbrotr.enabled", "Lets the workers run.",
		"Off stops all of them, for example during a restore.",
	&bb_enabled, true, PGC_SIGHUP},
	{"bigbrotr.finder_events", "Takes the relays that new events mention as candidates.",
		"Off: only seeds and lists on the web are tried.",
	&bb_finder_events, true, PGC_SIGHUP},
	{"bigbrotr.synchronous_commit", "Waits for the WAL of the workers' transactions.",
		"Off may lose the last moments before a crash; they are asked from the relays again.",
	&bb_synchronous_commit, false, PGC_SIGHUP},
	{"bigbrotr.allow_drop", "Lets DROP EXTENSION destroy an archive that has events.",
		"Set it in the session that drops the extension.",
	&bb_allow_drop, false, PGC_SUSET},
};

/* Names and texts outlive the call: PostgreSQL keeps the pointers. */
typedef struct NetworkSetting
{
	NostrNetwork network;
	const char *names[4];		/* enabled, proxy, max_connections, timeout */
	bool		enabled;
	const char *proxy;
	int			max_connections;
	int			timeout;		/* ms */
} NetworkSetting;

#define NAMES(net) {"bigbrotr." net "_enabled", "bigbrotr." net "_proxy", \
		"bigbrotr." net "_max_connections", "bigbrotr." net "_timeout"}

static const NetworkSetting networks[] = {
	{NOSTR_CLEARNET, NAMES("clearnet"), true, "", 30, 10000},
	{NOSTR_TOR, NAMES("tor"), false, "socks5h://127.0.0.1:9050", 10, 30000},
	{NOSTR_I2P, NAMES("i2p"), false, "socks5h://127.0.0.1:4447", 5, 45000},
	{NOSTR_LOKI, NAMES("loki"), false, "socks5h://127.0.0.1:1080", 5, 30000},
};

static void
define_network(const NetworkSetting *n)
{
	BbNetworkGuc *g = &bb_network[n->network];
	bool		overlay = n->network != NOSTR_CLEARNET;

	g->enabled = n->enabled;
	g->max_connections = n->max_connections;
	g->timeout = n->timeout;

	DefineCustomBoolVariable(n->names[0], "Lets bigbrotr connect to relays of this network.",
							 "Relays of a network that is off are kept, and not contacted.",
							 &g->enabled, n->enabled, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(n->names[1], "SOCKS5 proxy for this network.",
							   overlay ? "socks5h://host:port; the proxy resolves the names." :
							   "socks5h://host:port; the proxy resolves the names. Empty: direct connections.",
							   &g->proxy, n->proxy, PGC_SIGHUP, 0,
							   overlay ? bb_check_overlay_proxy : bb_check_proxy, NULL, NULL);
	DefineCustomIntVariable(n->names[2], "Connections open at the same time in this network.",
							"Counted in each worker by itself.",
							&g->max_connections, n->max_connections, 1, 10000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(n->names[3], "Longest wait for a relay of this network.",
							"Holds for connecting and for each answer.",
							&g->timeout, n->timeout, 100, 600000,
							PGC_SIGHUP, GUC_UNIT_MS, NULL, NULL, NULL);
}

void
bb_guc_define(void)
{
	for (int i = 0; i < (int) lengthof(ints); i++)
	{
		const IntSetting *s = &ints[i];

		DefineCustomIntVariable(s->name, s->brief, s->detail, s->var, s->boot, s->min,
								s->max, PGC_SIGHUP, s->flags, NULL, NULL, NULL);
	}
	for (int i = 0; i < (int) lengthof(strings); i++)
	{
		const StringSetting *s = &strings[i];

		DefineCustomStringVariable(s->name, s->brief, s->detail, s->var, s->boot,
								   PGC_SIGHUP, s->flags, s->check, NULL, NULL);
	}
	for (int i = 0; i < (int) lengthof(bools); i++)
	{
		const BoolSetting *s = &bools[i];

		DefineCustomBoolVariable(s->name, s->brief, s->detail, s->var, s->boot,
								 s->context, 0, NULL, NULL, NULL);
	}
	for (int i = 0; i < (int) lengthof(networks); i++)
		define_network(&networks[i]);
	bb_guc_define_monitor();

	DefineCustomEnumVariable("bigbrotr.invalid_certificate",
							 "What to do with a relay whose certificate is not valid.",
							 "Events are signed by their authors, so such a relay can still be archived.",
							 &bb_invalid_certificate, 0, certificate_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("bigbrotr.archive",
							 "What is stored of an event.",
							 "\"light\" verifies everything and stores neither tags nor content nor signature. What is stored stays as it is.",
							 &bb_archive, 0, archive_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}
