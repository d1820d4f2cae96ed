/*
 * cli.c
 *
 * bigbrotr-net for people: check a relay, fetch its events.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../crawl/validate.h"
#include "../nostr/keys.h"
#include "cli_sync.h"
#include "events_frame.h"
#include "jobs.h"

static int	status;
static NostrKeys key;

static const char help[] =
"usage: bigbrotr-net check wss://relay [--allow CIDR]\n"
"       bigbrotr-net sync wss://relay [OPTION VALUE]...\n"
"       bigbrotr-net --worker         (serves a worker on descriptor 3)\n"
"\n"
"Options of sync:\n"
"  --since N, --until N   seconds since 1970\n"
"  --filter JSON          NIP-01, without since, until, limit\n"
"  --limit N              stop after so many events\n"
"  --page N               events to ask for at a time (500)\n"
"  --negentropy FILE      events that are held, one a line: fetch the others (NIP-77)\n"
"  --tail N               stay subscribed for so many seconds afterwards\n"
"  --key FILE             secret key to authenticate with (NIP-42); else a fresh one\n"
"  --auth on|off          authenticate when asked (on)\n"
"  --timeout N            milliseconds to connect, and for each answer\n"
"  --allow CIDR           connect to this special network too\n";

static void
on_validated(void *user, const ValidateResult *r)
{
	(void) user;
	printf("%s: %s (%s)\n", r->is_relay ? "relay" : "no relay", r->reason,
		   net_failure_name(r->failure));
	status = r->is_relay ? 0 : 1;
	uv_stop(uv_default_loop());
}

static bool
start(Net *net, const char *verb, const NostrRelayUrl *url, const CliSync *sync, const char **why)
{
	if (strcmp(verb, "check") == 0)
		return validate_start(net, url, on_validated, NULL) != NULL;
	return cli_sync_start(net, url, sync, &status, why);
}

static int
usage(const char *why, const char *what)
{
	if (why != NULL)
		fprintf(stderr, "bigbrotr-net: %s%s\n", why, what);
	fputs(help, stderr);
	return 2;
}

/* A whole number of at least min; nothing behind it. */
static bool
number(const char *text, int64_t min, int64_t *out)
{
	char	   *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *out >= min;
}

/* The options of sync that take a whole number. */
static bool
number_option(CliSync *sync, const char *name, const char *value, const char **why)
{
	int64_t		n;
	bool		ok = number(value, 0, &n);

	*why = NULL;
	if (strcmp(name, "--since") == 0)
		sync->window.since = n;
	else if (strcmp(name, "--until") == 0)
		sync->window.until = n;
	else if (strcmp(name, "--limit") == 0)
		sync->limit = (ok = ok && n > 0) ? (uint64_t) n : 0;
	else if (strcmp(name, "--page") == 0)
		sync->spec.page_limit = (ok = ok && n > 0 && n <= INT32_MAX) ? (uint32_t) n : 0;
	else if (strcmp(name, "--tail") == 0)
		sync->spec.tail_ms = (ok = ok && n <= INT32_MAX / 1000) ? (uint32_t) n * 1000 : 0;
	else if (strcmp(name, "--timeout") == 0)
		sync->spec.timeout_ms = (ok = ok && n > 0 && n <= INT32_MAX) ? (uint32_t) n : 0;
	else
		return false;
	if (!ok)
		*why = strcmp(name, "--since") == 0 ? "--since takes seconds since 1970, not " :
			strcmp(name, "--limit") == 0 ? "--limit takes a number of events, not " :
			"not a number that fits: ";
	return true;
}

/* One option and its value; NULL, or what is wrong. */
static const char *
option(NetConfig *c, CliSync *sync, const char *name, const char *value)
{
	const char *why;
	size_t		bad;

	if (number_option(sync, name, value, &why))
		return why;
	if (strcmp(name, "--allow") == 0)
		return nostr_cidr_list_parse(value, &c->allow, &bad) ? NULL :
			"--allow takes networks as in 127.0.0.0/8, not ";
	if (strcmp(name, "--filter") == 0)
	{
		sync->spec.filter = value;
		sync->spec.filter_len = strlen(value);
		return NULL;
	}
	if (strcmp(name, "--negentropy") == 0)
	{
		sync->held = value;
		return NULL;
	}
	if (strcmp(name, "--auth") == 0)
	{
		sync->spec.may_auth = strcmp(value, "on") == 0;
		return sync->spec.may_auth || strcmp(value, "off") == 0 ? NULL :
			"--auth takes on or off, not ";
	}
	if (strcmp(name, "--key") == 0)
	{
		sync->spec.seckey = key.seckey;
		return nostr_keys_load(value, &key) == NULL ? NULL : "not a usable key file: ";
	}
	return "unknown option ";
}

int
cli_main(int argc, char **argv)
{
	NetConfig	c;
	NostrRelayUrl url;
	NostrUrlReject bad;
	Net		   *net;
	CliSync		sync = {.limit = UINT64_MAX,.window = {0, INT64_MAX, SYNC_FETCH},
	.spec = {.filter = "{}",.filter_len = 2,.page_limit = 500,.may_auth = true}};
	const char *why = NULL;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
	{
		fputs(help, stdout);
		return 0;
	}
	if (argc < 2)
		return usage(NULL, NULL);
	if (strcmp(argv[1], "check") != 0 && strcmp(argv[1], "sync") != 0)
		return usage("unknown command ", argv[1]);
	if (argc < 3)
		return usage("which relay?", "");
	net_config_default(&c);
	c.network[NOSTR_CLEARNET].enabled = true;
	for (int i = 3; i < argc; i += 2)
	{
		if (i + 1 == argc)
			return usage("a value is missing after ", argv[i]);
		why = option(&c, &sync, argv[i], argv[i + 1]);
		if (why != NULL)
			return usage(why, strncmp(why, "unknown", 7) == 0 ? argv[i] : argv[i + 1]);
	}
	if (sync.limit < sync.spec.page_limit)
		sync.spec.page_limit = (uint32_t) sync.limit;
	if (sync.window.since > sync.window.until)
		return usage("--since is after --until", "");
	bad = nostr_relay_url_parse(argv[2], strlen(argv[2]), c.allow.n > 0, &url);
	if (bad != NOSTR_URL_OK)
	{
		fprintf(stderr, "bigbrotr-net: %s\n", nostr_url_reject_text(bad));
		return 2;
	}
	net = net_open(uv_default_loop(), &c, &why);
	events_frame_open(net);
	if (net == NULL || !start(net, argv[1], &url, &sync, &why))
	{
		fprintf(stderr, "bigbrotr-net: %s\n", why != NULL ? why : "cannot start");
		return 2;
	}
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	fflush(stdout);
	return status;
}
