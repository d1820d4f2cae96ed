/*
 * cli.c
 *
 * The command line of bigbrotr-net: validate a relay, check it, fetch its
 * events.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../crawl/validate.h"
#include "../net/socks.h"
#include "../nostr/keys.h"
#include "../wire/messages.h"
#include "cli_check.h"
#include "cli_sync.h"
#include "events_frame.h"
#include "jobs.h"

static int	status;
static NostrKeys key;

static const char help[] =
"bigbrotr-net does the network I/O of bigbrotr, and examines single relays.\n"
"\n"
"Usage:\n"
"  bigbrotr-net validate wss://relay [OPTION VALUE]...   does it speak Nostr?\n"
"  bigbrotr-net check wss://relay [OPTION VALUE]...      measure its health; one JSON object\n"
"  bigbrotr-net sync wss://relay [OPTION VALUE]...       fetch its events; one JSON object per line\n"
"  bigbrotr-net --worker                                 serve a worker on descriptor 3\n"
"  bigbrotr-net --help                                   show this help\n"
"\n"
"Options for all commands:\n"
"  --timeout N            time to connect, and for each answer, in milliseconds\n"
"  --allow CIDR,...       also connect to these special networks\n"
"  --dns IP[:PORT],...    DNS servers (default: those of the system)\n"
"  --ca FILE              trusted certificates (default: those of the system)\n"
"  --proxy URL            proxy for the network of this relay, socks5h://HOST:PORT\n"
"\n"
"Options for check:\n"
"  --key FILE             secret key to sign one event with (default: write nothing)\n"
"  --pow N                proof of work for that event, in bits (default: 0)\n"
"  --deadline N           time for the whole check, in milliseconds (default: 60000)\n"
"  --city FILE            MaxMind database of locations\n"
"  --asn FILE             MaxMind database of networks\n"
"\n"
"Options for sync:\n"
"  --since N, --until N   oldest and newest created_at, in seconds since 1970\n"
"  --filter JSON          NIP-01 filter without since, until and limit\n"
"  --limit N              stop after this many events\n"
"  --page N               events to ask for per request (default: 500)\n"
"  --negentropy FILE      fetch only events not in this file, one per line (NIP-77)\n"
"  --tail N               stay subscribed for this many seconds afterwards\n"
"  --key FILE             secret key to authenticate with (NIP-42; default: a fresh one)\n"
"  --auth on|off          authenticate when asked to (default: on)\n"
"  --ahead on|off         fetch several pages of a distant relay at a time\n"
"                         (default: on without --limit)\n"
"\n"
"The exit status is 0 if the command succeeded, 1 if the relay failed, 2 for\n"
"wrong usage or a local error.\n";

typedef struct Cli				/* the options as they were given */
{
	int64_t		since;
	int64_t		until;
	int64_t		limit;
	int64_t		page;
	int64_t		tail;
	int64_t		timeout;		/* 0: the default */
	int64_t		pow;
	int64_t		deadline;
	const char *filter;
	const char *held;
	const char *auth;
	const char *ahead;
	const char *key;
	const char *allow;
	const char *dns;
	const char *ca;
	const char *proxy;
	const char *city;
	const char *asn;
} Cli;

#define VALIDATE	1
#define CHECK		2
#define SYNC		4
#define ALL			(VALIDATE | CHECK | SYNC)

static const struct
{
	const char *name;
	int			verbs;
	size_t		offset;			/* of its member in Cli */
	const char *takes;			/* for a number; NULL: a text */
	int64_t		min;
	int64_t		max;
}			options[] = {
	{"--timeout", ALL, offsetof(Cli, timeout), "milliseconds", 1, INT32_MAX},
	{"--allow", ALL, offsetof(Cli, allow), NULL, 0, 0},
	{"--dns", ALL, offsetof(Cli, dns), NULL, 0, 0},
	{"--ca", ALL, offsetof(Cli, ca), NULL, 0, 0},
	{"--proxy", ALL, offsetof(Cli, proxy), NULL, 0, 0},
	{"--key", CHECK | SYNC, offsetof(Cli, key), NULL, 0, 0},
	{"--pow", CHECK, offsetof(Cli, pow), "a number of bits", 0, CHECK_MAX_POW},
	{"--deadline", CHECK, offsetof(Cli, deadline), "milliseconds", 1, INT32_MAX},
	{"--city", CHECK, offsetof(Cli, city), NULL, 0, 0},
	{"--asn", CHECK, offsetof(Cli, asn), NULL, 0, 0},
	{"--since", SYNC, offsetof(Cli, since), "seconds since 1970", 0, INT64_MAX},
	{"--until", SYNC, offsetof(Cli, until), "seconds since 1970", 0, INT64_MAX},
	{"--filter", SYNC, offsetof(Cli, filter), NULL, 0, 0},
	{"--limit", SYNC, offsetof(Cli, limit), "a number of events", 1, INT64_MAX},
	{"--page", SYNC, offsetof(Cli, page), "a number of events", 1, INT32_MAX},
	{"--negentropy", SYNC, offsetof(Cli, held), NULL, 0, 0},
	{"--tail", SYNC, offsetof(Cli, tail), "seconds", 0, INT32_MAX / 1000},
	{"--auth", SYNC, offsetof(Cli, auth), NULL, 0, 0},
	{"--ahead", SYNC, offsetof(Cli, ahead), NULL, 0, 0},
};

static void
on_validated(void *user, const ValidateResult *r)
{
	printf("%s: %s (%s)\n", r->is_relay ? "relay" : "no relay", r->reason,
		   net_failure_name(r->failure));
	status = r->is_relay ? 0 : 1;
	uv_stop(net_loop(user));
}

static int
usage(const char *why, const char *what)
{
	if (why != NULL)
		fprintf(stderr, "bigbrotr-net: %s%s\n", why, what);
	fputs(help, stderr);
	return 2;
}

static bool
is_on(const char *value)
{
	return value == NULL || strcmp(value, "on") == 0;
}

static bool
on_or_off(const char *value)
{
	return is_on(value) || strcmp(value, "off") == 0;
}

/* A whole number between min and max; nothing behind it. */
static bool
number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	char	   *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
		*out >= min && *out <= max;
}

/* One option and its value; 0, or the status to end with. */
static int
option(Cli *cli, int verb, const char *name, const char *value)
{
	char		why[160];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
	{
		void	   *member = (char *) cli + options[i].offset;

		if (strcmp(name, options[i].name) != 0 || (options[i].verbs & verb) == 0)
			continue;
		if (value == NULL)
			return usage("a value is missing after ", name);
		if (options[i].takes == NULL)
		{
			*(const char **) member = value;
			return 0;
		}
		if (number(value, options[i].min, options[i].max, member))
			return 0;
		snprintf(why, sizeof(why), "%s takes %s, not ", name, options[i].takes);
		return usage(why, value);
	}
	return usage("unknown option ", name);
}

static bool
copy(char *to, size_t size, const char *text)
{
	return text == NULL || snprintf(to, size, "%s", text) < (int) size;
}

/* The configuration that the options ask for; 0, or the status to end with. */
static int
configure(const Cli *cli, NostrNetwork network, NetConfig *c)
{
	NetNetworkConfig *n = &c->network[network];
	char		host[WIRE_MAX_PROXY];
	uint16_t	port;

	if (!copy(c->dns_servers, sizeof(c->dns_servers), cli->dns) ||
		!copy(c->ca_file, sizeof(c->ca_file), cli->ca) ||
		!copy(n->proxy, sizeof(n->proxy), cli->proxy) ||
		!copy(c->mmdb_city, sizeof(c->mmdb_city), cli->city) ||
		!copy(c->mmdb_asn, sizeof(c->mmdb_asn), cli->asn))
		return usage("a value is too long", "");
	if (cli->proxy != NULL && !socks_parse(cli->proxy, host, sizeof(host), &port))
		return usage("--proxy takes socks5h://HOST:PORT, not ", cli->proxy);
	n->enabled = true;
	if (cli->timeout > 0)
		n->timeout_ms = (uint32_t) cli->timeout;
	if (cli->key != NULL && nostr_keys_load(cli->key, &key) != NULL)
		return usage("not a usable key file: ", cli->key);
	if (!on_or_off(cli->auth))
		return usage("--auth takes on or off, not ", cli->auth);
	if (!on_or_off(cli->ahead))
		return usage("--ahead takes on or off, not ", cli->ahead);
	if (cli->since > cli->until)
		return usage("--since is after --until", "");
	return 0;
}

static bool
start(Net *net, int verb, const NostrRelayUrl *url, const Cli *cli, const char **why)
{
	const uint8_t *seckey = cli->key != NULL ? key.seckey : NULL;
	CheckSpec	check = {
		.checks = (1u << CHECK_TYPES) - 1,.deadline_ms = (uint32_t) cli->deadline,
		.nip11_max_size = WIRE_MAX_NIP11,.max_pow = (uint8_t) cli->pow,.precision = 9,
		.probe_kind = CHECK_PROBE_KIND,.write = true,.seckey = seckey
	};
	CliSync		sync = {
		.limit = (uint64_t) cli->limit,.held = cli->held,
		.window = {cli->since, cli->until, SYNC_FETCH},
		.spec = {
			.filter = cli->filter,.filter_len = strlen(cli->filter),
			.page_limit = (uint32_t) (cli->limit < cli->page ? cli->limit : cli->page),
			.tail_ms = (uint32_t) cli->tail * 1000,.timeout_ms = (uint32_t) cli->timeout,
			.seckey = seckey,.may_auth = is_on(cli->auth),
			.ahead = is_on(cli->ahead) && cli->limit == INT64_MAX ? SYNC_AHEAD_AUTO : SYNC_AHEAD_NEVER
		}
	};

	if (verb == CHECK)
		return cli_check_start(net, url, &check, &status, why);
	if (verb == SYNC)
		return cli_sync_start(net, url, &sync, &status, why);
	*why = "out of memory";
	return validate_start(net, url, on_validated, net) != NULL;
}

int
cli_main(int argc, char **argv)
{
	Cli			cli = {
		.until = INT64_MAX,.limit = INT64_MAX,.page = 500,.deadline = 60000,.filter = "{}"
	};
	NetConfig	c;
	NostrRelayUrl url;
	NostrUrlReject bad;
	Net		   *net;
	const char *why = NULL;
	size_t		at;
	int			verb;
	int			rc = 0;

	if (argc >= 2 && strcmp(argv[argc - 1], "--help") == 0)
	{
		fputs(help, stdout);
		return 0;
	}
	if (argc < 2)
		return usage(NULL, NULL);
	verb = strcmp(argv[1], "validate") == 0 ? VALIDATE : strcmp(argv[1], "check") == 0 ? CHECK :
		strcmp(argv[1], "sync") == 0 ? SYNC : 0;
	if (verb == 0)
		return usage("unknown command ", argv[1]);
	if (argc < 3)
		return usage("the address of the relay is missing", "");
	for (int i = 3; i < argc && rc == 0; i += 2)
		rc = option(&cli, verb, argv[i], argv[i + 1]);	/* argv ends with NULL */
	if (rc != 0)
		return rc;
	net_config_default(&c);
	if (cli.allow != NULL && !nostr_cidr_list_parse(cli.allow, &c.allow, &at))
		return usage("--allow takes networks as in 127.0.0.0/8, not ", cli.allow);
	bad = nostr_relay_url_parse(argv[2], strlen(argv[2]), c.allow.n > 0, &url);
	if (bad != NOSTR_URL_OK)
	{
		fprintf(stderr, "bigbrotr-net: %s\n", nostr_url_reject_text(bad));
		return 2;
	}
	if ((rc = configure(&cli, url.network, &c)) != 0)
		return rc;
	net = net_open(uv_default_loop(), &c, &why);
	events_frame_open(net);
	if (net == NULL || !start(net, verb, &url, &cli, &why))
	{
		fprintf(stderr, "bigbrotr-net: %s\n", why != NULL ? why : "cannot start");
		return 2;
	}
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	fflush(stdout);
	return status;
}
