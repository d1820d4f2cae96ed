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
	{"bigbrotr.seeder_interval", "Sets the time between runs of the seeder.",
		"The seeder makes the addresses in the seed file and in table bigbrotr.seed candidates. 0 disables it.",
	&bb_seeder_interval, 3600, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.validator_interval", "Sets the time between checks for candidates that are due.",
		"The validator connects to candidates and makes those that speak Nostr relays. 0 disables it.",
	&bb_validator_interval, 60, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.validator_concurrency", "Sets the maximum number of candidates validated concurrently.",
		"The connection limits of the networks apply as well.",
	&bb_validator_concurrency, 64, 1, 1024, 0},
	{"bigbrotr.finder_interval", "Sets the time between checks for lists of relays that are due.",
		"The finder reads the lists on the web in table bigbrotr.source, each at its own interval. 0 disables it; relays mentioned by events are still found, see bigbrotr.finder_events.",
	&bb_finder_interval, 300, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.refresher_interval", "Sets the time between runs of the refresher.",
		"The refresher keeps the analytics up to date and maintains the archive; table bigbrotr.maintenance shows its progress. 0 disables it.",
	&bb_refresher_interval, 60, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.finder_max_per_host", "Sets the maximum number of addresses taken per host.",
		"Addresses of a host differ in port or path. Those beyond the limit are counted in table bigbrotr.mention_refused. Seeds are always taken.",
	&bb_finder_max_per_host, 20, 1, 1000000, 0},
	{"bigbrotr.finder_max_per_domain", "Sets the maximum number of addresses taken per registrable domain.",
		"For numeric addresses, per network (/24 or /48). Those beyond the limit are counted in table bigbrotr.mention_refused. Seeds are always taken.",
	&bb_finder_max_per_domain, 500, 1, 1000000, 0},
	{"bigbrotr.synchronizer_interval", "Sets the time between passes over a relay.",
		"A pass asks for whatever the coverage of the relay still lacks. 0 disables the synchronizer.",
	&bb_synchronizer_interval, 300, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_workers", "Sets the number of synchronizer processes per database.",
		"The relays are divided among them. Each takes a slot of max_worker_processes.",
	&bb_synchronizer_workers, 1, 0, 64, 0},
	{"bigbrotr.synchronizer_page", "Sets the number of events to ask for per request.",
		"This is the \"limit\" of a REQ. Relays may send fewer events; small pages allow fewer conclusions about completeness.",
	&bb_synchronizer_page, 500, 100, 10000, 0},
	{"bigbrotr.synchronizer_overlap", "Sets the time before the start of a pass that the next pass asks for again.",
		"Events that reach a relay late are found if they are not older than this.",
	&bb_synchronizer_overlap, 600, 0, 30 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_slice", "Sets the maximum duration of a relay's turn before others get theirs.",
		"A relay with years of events is read in many turns.",
	&bb_synchronizer_slice, 60000, 1000, 24 * 3600 * 1000, GUC_UNIT_MS},
	{"bigbrotr.synchronizer_tail", "Sets the time for which a relay stays subscribed after a pass.",
		"New events of a subscribed relay arrive at once. A relay that is due takes over the connection if no other is free. 0 disconnects after the pass.",
	&bb_synchronizer_tail, 600, 0, DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_recheck", "Sets the time after which windows proved complete are asked for again.",
		"This finds events published with an old date and measures how much was missed. 0 disables it.",
	&bb_synchronizer_recheck, 7 * DAY_S, 0, 365 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.synchronizer_since", "Sets the oldest event time to ask for, in seconds since 1970.",
		"0 asks for everything that a relay has; a time in the future asks for nothing.",
	&bb_synchronizer_since, 0, 0, INT_MAX, 0},
	{"bigbrotr.compact_after", "Sets the age at which observations are packed and indexes rebuilt.",
		"The age counts from the end of the month in which the events were created and is at least one day. Packed observations take about a sixth of the space. 0 disables it.",
	&bb_compact_after, 30 * DAY_S, 0, 3650 * DAY_S, GUC_UNIT_S},
	{"bigbrotr.max_message_size", "Sets the maximum size of a message from a relay.",
		"A relay that sends a larger message is disconnected.",
	&bb_max_message_size, 1024, 16, 16 * 1024, GUC_UNIT_KB},
	{"bigbrotr.net_memory_limit", "Sets the maximum address space of each bigbrotr-net process.",
		"A process that needs more exits and is restarted.",
	&bb_net_memory_limit, 1024, 128, 1024 * 1024, GUC_UNIT_MB},
};

static const StringSetting strings[] = {
	{"bigbrotr.databases", "Sets the databases in which the workers run.",
		"Database names separated by commas. An empty list runs none. The workers wait until the extension is created there.",
	&bb_databases, "", GUC_LIST_INPUT, bb_check_databases},
	{"bigbrotr.seeder_file", "Sets the file with addresses of relays to start from, one per line.",
		"An absolute path on the server. If empty, only table bigbrotr.seed is read.",
	&bb_seeder_file, "", GUC_SUPERUSER_ONLY, bb_check_path},
	{"bigbrotr.synchronizer_filter", "Sets the filter of events to ask for.",
		"A NIP-01 filter (JSON object) without since, until and limit. '{}' asks for all events.",
	&bb_synchronizer_filter, "{}", 0, bb_check_filter},
	{"bigbrotr.allow_networks", "Sets the special networks that may be connected to.",
		"Networks separated by commas, such as 10.0.0.0/8. Loopback, private and other special addresses are refused unless listed here.",
	&bb_allow_networks, "", GUC_LIST_INPUT, bb_check_networks},
	{"bigbrotr.ca_file", "Sets the file with the certificates of trusted authorities.",
		"An absolute path to a PEM file. If empty, those of the system are used.",
	&bb_ca_file, "", GUC_SUPERUSER_ONLY, bb_check_path},
	{"bigbrotr.dns_servers", "Sets the DNS servers to use.",
		"Addresses separated by commas, with a port if it is not 53. If empty, those of the system are used.",
	&bb_dns_servers, "", GUC_LIST_INPUT, bb_check_dns},
	{"bigbrotr.key_file", "Sets the file with the private key of this observer.",
		"An absolute path; only the server's user may have access to the file. The key signs published events, events that measure writing, and authentication (NIP-42), for which temporary keys are used without it.",
	&bb_key_file, "", GUC_SUPERUSER_ONLY, bb_check_path},
	{"bigbrotr.net_program", "Sets the program that does the network I/O.",
		"An absolute path. If empty, bigbrotr-net in the package library directory is used.",
	&bb_net_program, "", GUC_SUPERUSER_ONLY, bb_check_path},
};

static const BoolSetting bools[] = {
	{"bigbrotr.enabled", "Enables the workers.",
		"Turning this off stops all of them, for example during a restore.",
	&bb_enabled, true, PGC_SIGHUP},
	{"bigbrotr.finder_events", "Enables discovering relays in new events.",
		"If off, only seeds and lists on the web yield candidates.",
	&bb_finder_events, true, PGC_SIGHUP},
	{"bigbrotr.synchronous_commit", "Sets whether the workers' transactions wait for WAL to be flushed.",
		"If off, a crash may lose the last transactions; relays are asked for those events again.",
	&bb_synchronous_commit, false, PGC_SIGHUP},
	{"bigbrotr.allow_drop", "Allows DROP EXTENSION to destroy an archive that contains events.",
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

	DefineCustomBoolVariable(n->names[0], "Enables connections to relays of this network.",
							 "Relays of a disabled network are kept but not contacted.",
							 &g->enabled, n->enabled, PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomStringVariable(n->names[1], "Sets the SOCKS5 proxy for this network.",
							   overlay ? "socks5h://host:port; the proxy resolves the names." :
							   "socks5h://host:port; the proxy resolves the names. If empty, connections are direct.",
							   &g->proxy, n->proxy, PGC_SIGHUP, 0,
							   overlay ? bb_check_overlay_proxy : bb_check_proxy, NULL, NULL);
	DefineCustomIntVariable(n->names[2], "Sets the maximum number of concurrent connections in this network.",
							"The limit applies to each worker separately.",
							&g->max_connections, n->max_connections, 1, 10000,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable(n->names[3], "Sets the maximum time to wait for a relay of this network.",
							"The limit applies to connecting and to each answer.",
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
							 "Sets what to do with a relay whose certificate is invalid.",
							 "Events are signed by their authors, so such a relay can still be archived.",
							 &bb_invalid_certificate, 0, certificate_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("bigbrotr.archive",
							 "Sets what is stored of new events.",
							 "\"light\" verifies events and stores them without tags, content and signature. Stored events remain as they are.",
							 &bb_archive, 0, archive_options,
							 PGC_SIGHUP, 0, NULL, NULL, NULL);
}
