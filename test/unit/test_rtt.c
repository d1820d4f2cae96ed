/*
 * test_rtt.c
 *
 * Where the time of a check goes: a delay of the network lands in the phase
 * in which it happened and in no other, and the time in which our loop is
 * busy with something else lands in none.  The relay is a process of its own,
 * so that it answers while we are busy.
 *
 * The machine may pause us at any time, which is a delay too: a case is tried
 * again a few times, and must come out right once.
 */
#include "../../src/crawl/check.h"
#include "dnscheck.h"
#include "relaycheck.h"

#define DELAY_MS	300
#define BUSY_MS		50
#define TICK_MS		10			/* timers of the servers may be so early */
#define TRIES		10

static const char zone[] =
	"relays.net. 300 IN SOA ns1.relays.net. admin.relays.net. 1 60 60 60 60\n"
	"relay.relays.net. 300 IN A 127.0.0.1\n"
	"slow300.relays.net. 300 IN A 127.0.0.1\n";

static const uint8_t key[32] = {[31] = 7};
static char dir[] = "/tmp/bigbrotr-rtt-XXXXXX";
static uv_loop_t loop;
static Net *net;

typedef enum Phase
{
	DNS, TCP, TLS, UPGRADE, READ, WRITE, PHASES
} Phase;

typedef struct Times
{
	bool		over;
	bool		opened;
	uint32_t	us[PHASES];
	uint32_t	nip11_us;
} Times;

static void
on_checked(void *user, const CheckResult *r)
{
	Times	   *t = user;

	t->over = true;
	t->opened = r->open.ok;
	t->us[DNS] = r->timings.dns;
	t->us[TCP] = r->timings.tcp;
	t->us[TLS] = r->timings.tls;
	t->us[UPGRADE] = r->timings.upgrade;
	t->us[READ] = r->read.us;
	t->us[WRITE] = r->write.us;
	t->nip11_us = r->nip11_us;
}

static pid_t
fork_relay(const char *settings, int *port)
{
	int			to_us[2];
	pid_t		pid;

	CHECK(pipe(to_us) == 0);
	pid = fork();
	if (pid == 0)
	{
		uv_loop_t	own;
		RelayStore	store;
		Relay	   *relay;
		char		script[300];

		uv_loop_init(&own);
		nostr_crypto_init();
		relay_store_init(&store);
		snprintf(script, sizeof(script), "{\"tls\":\"%s/relay\"%s}", dir, settings);
		*port = relaycheck_start(&own, script, &store, &relay)->port;
		if (write(to_us[1], port, sizeof(*port)) == sizeof(*port))
			uv_run(&own, UV_RUN_DEFAULT);
		_exit(1);
	}
	close(to_us[1]);
	CHECK(read(to_us[0], port, sizeof(*port)) == sizeof(*port));
	close(to_us[0]);
	return pid;
}

static Times
check(const char *host, int port)
{
	static Times t;
	CheckSpec	spec = {
		.checks = (1u << CHECK_TYPES) - 1,.deadline_ms = 20000,.nip11_max_size = 100000,
		.precision = 9,.probe_kind = CHECK_PROBE_KIND,.write = true,.seckey = key
	};
	char		url[64];

	memset(&t, 0, sizeof(t));
	snprintf(url, sizeof(url), "wss://%s:%d", host, port);
	CHECK(check_start(net, netcheck_url(url), &spec, on_checked, &t) != NULL);
	WAIT_FOR(&loop, t.over);
	CHECK(t.opened && t.us[READ] > 0 && t.us[WRITE] > 0 && t.us[TLS] > 0 && t.us[DNS] > 0);
	return t;
}

static bool
others_below(const Times *t, int except, uint32_t ms)
{
	for (int i = 0; i < PHASES; i++)
	{
		if (i != except && t->us[i] >= ms * 1000)
			return false;
	}
	return true;
}

static void
attribution(void)
{
	static const struct
	{
		Phase		phase;
		const char *host;
		const char *settings;
	}			cases[] = {
		{DNS, "slow300.relays.net", ""},
		{TLS, "relay.relays.net", ",\"tls_delay_ms\":300"},
		{UPGRADE, "relay.relays.net", ",\"upgrade_delay_ms\":300"},
		{READ, "relay.relays.net", ",\"eose_delay_ms\":300"},
		{WRITE, "relay.relays.net", ",\"ok_delay_ms\":300"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int			port;
		pid_t		pid = fork_relay(cases[i].settings, &port);
		Times		t;
		bool		right = false;

		for (int n = 0; n < TRIES && !right; n++)
		{
			t = check(cases[i].host, port);
			CHECK(t.us[cases[i].phase] >= (DELAY_MS - TICK_MS) * 1000);
			CHECK(cases[i].phase != UPGRADE || t.nip11_us >= (DELAY_MS - TICK_MS) * 1000);
			right = others_below(&t, (int) cases[i].phase, DELAY_MS - TICK_MS);
		}
		printf("%s%s: %u %u %u %u %u %u\n", cases[i].host, cases[i].settings,
			   t.us[0], t.us[1], t.us[2], t.us[3], t.us[4], t.us[5]);
		CHECK(right);
		dnscheck_stop(pid);
	}
}

static void
be_busy(uv_timer_t *t)
{
	(void) t;
	usleep(BUSY_MS * 1000);
}

static void
busy(void)
{
	int			port;
	pid_t		pid = fork_relay("", &port);
	uv_timer_t	timer;
	Times		t;
	bool		right = false;

	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, be_busy, 1, 1);
	for (int n = 0; n < TRIES && !right; n++)
	{
		t = check("relay.relays.net", port);
		right = others_below(&t, PHASES, BUSY_MS - TICK_MS) && t.nip11_us > 0 &&
			t.nip11_us < (BUSY_MS - TICK_MS) * 1000;
	}
	printf("busy: %u %u %u %u %u %u, %u\n", t.us[0], t.us[1], t.us[2], t.us[3], t.us[4], t.us[5], t.nip11_us);
	CHECK(right);
	uv_close((uv_handle_t *) &timer, NULL);
	dnscheck_stop(pid);
}

int
main(void)
{
	NetConfig	config;
	char		cmd[400];
	char		servers[64];
	pid_t		dns = dnscheck_start(zone, servers, sizeof(servers));

	CHECK(mkdtemp(dir) != NULL);
	snprintf(cmd, sizeof(cmd), "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
			 "-subj /CN=relay -addext subjectAltName=DNS:relay.relays.net,DNS:slow300.relays.net "
			 "-keyout %s/relay.key -out %s/relay.crt 2>/dev/null", dir, dir);
	CHECK(system(cmd) == 0);
	uv_loop_init(&loop);
	netcheck_config(&config, 10000);
	strcpy(config.dns_servers, servers);
	snprintf(config.ca_file, sizeof(config.ca_file), "%s/relay.crt", dir);
	net = netcheck_open(&loop, &config);
	attribution();
	busy();
	net_close(net);
	uv_run(&loop, UV_RUN_DEFAULT);
	dnscheck_stop(dns);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	CHECK(system(cmd) == 0);
	return check_done();
}
