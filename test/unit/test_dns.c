/*
 * test_dns.c
 *
 * Questions to a real name server on loopback (test/relay/dns.pl): every
 * record type and every way of not answering.
 */
#include "../../src/net/dns_record.h"
#include "../../src/net/ws.h"
#include "dnscheck.h"
#include "netcheck.h"

static const char zone[] =
	"relays.net. 300 IN SOA ns1.relays.net. admin.relays.net. 1 60 60 60 60\n"
	"relays.net. 86400 IN NS ns2.relays.net.\n"
	"relays.net. 86400 IN NS ns1.relays.net.\n"
	"relay.relays.net. 300 IN A 192.0.2.20\n"
	"relay.relays.net. 200 IN A 192.0.2.10\n"
	"relay.relays.net. 100 IN AAAA 2001:db8::1\n"
	"alias.relays.net. 50 IN CNAME relay.relays.net.\n"
	"local.relays.net. 60 IN A 127.0.0.1\n"
	"dead.relays.net. 60 IN A 127.0.0.1\n"
	"private.relays.net. 60 IN A 10.0.0.1\n"
	"flip.relays.net. 0 IN A 192.0.2.1\n"
	"flip.relays.net. 0 IN A 127.0.0.1\n"
	"10.2.0.192.in-addr.arpa. 77 IN PTR relay.relays.net.\n";

static uv_loop_t loop;
static Dns *dns;
static DnsRecords got;
static int	callbacks;
static char servers[64];

static void
records(void *user, const DnsRecords *r)
{
	(void) user;
	got = *r;
	callbacks++;
}

static void
ask(const char *name, DnsType type)
{
	callbacks = 0;
	CHECK(dns_query(dns, name, type, records, NULL));
	CHECK(callbacks == 0);
	WAIT_FOR(&loop, callbacks > 0);
}

static void
answers(void)
{
	char		name[DNS_MAX_NAME];
	NostrAddr	addr;

	ask("relay.relays.net", DNS_A);
	CHECK(got.status == DNS_OK && got.n == 2 && got.ttl == 200 && got.us > 0);
	CHECK_STR(got.value[0], "192.0.2.10");
	CHECK_STR(got.value[1], "192.0.2.20");
	ask("relay.relays.net", DNS_AAAA);
	CHECK(got.status == DNS_OK && got.n == 1 && got.ttl == 100);
	CHECK_STR(got.value[0], "2001:db8::1");
	ask("alias.relays.net", DNS_CNAME);
	CHECK(got.status == DNS_OK && got.n == 1 && got.ttl == 50);
	CHECK_STR(got.value[0], "relay.relays.net");
	ask("alias.relays.net", DNS_A);
	CHECK(got.status == DNS_OK && got.n == 2 && got.ttl == 200);
	ask("relays.net", DNS_NS);
	CHECK(got.status == DNS_OK && got.n == 2);
	CHECK_STR(got.value[0], "ns1.relays.net");
	/* where the zone begins is told with the answer that there is nothing */
	ask("relay.relays.net", DNS_NS);
	CHECK(got.status == DNS_NO_DATA && got.n == 0);
	CHECK_STR(got.zone, "relays.net");

	CHECK(nostr_addr_parse("192.0.2.10", &addr));
	dns_reverse_name(&addr, name);
	CHECK_STR(name, "10.2.0.192.in-addr.arpa");
	ask(name, DNS_PTR);
	CHECK(got.status == DNS_OK && got.n == 1 && got.ttl == 77);
	CHECK_STR(got.value[0], "relay.relays.net");
	CHECK(nostr_addr_parse("2001:db8::567:89ab", &addr));
	dns_reverse_name(&addr, name);
	CHECK_STR(name, "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

static void
no_answers(void)
{
	ask("nothing.relays.net", DNS_A);
	CHECK(got.status == DNS_NXDOMAIN && got.n == 0);
	CHECK_STR(got.zone, "relays.net");
	ask("servfail.relays.net", DNS_A);
	CHECK(got.status == DNS_SERVFAIL);
	ask("refused.relays.net", DNS_A);
	CHECK(got.status == DNS_REFUSED);
	ask("silent.relays.net", DNS_A);
	CHECK(got.status == DNS_TIMEOUT);
	ask("garbage.relays.net", DNS_A);
	CHECK(got.status == DNS_BAD_ANSWER || got.status == DNS_TIMEOUT || got.status == DNS_SERVFAIL);
	ask("a..b", DNS_A);
	CHECK(got.status == DNS_NOT_ASKED);
	CHECK_STR(dns_status_name(DNS_NXDOMAIN), "nxdomain");
}

/* --- connections by name: resolved once, checked, connected by number --- */

static NetLook look;

static void
connect_to(const char *text)
{
	NetConfig	config;
	Net		   *net;

	netcheck_config(&config, 8000);
	strcpy(config.dns_servers, servers);
	net = netcheck_open(&loop, &config);
	look = netcheck_look(&loop, net, netcheck_url(text), NULL);
	net_close(net);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void
connections(void)
{
	/* nobody listens on port 1: the name was resolved and the number tried */
	connect_to("wss://nothing.relays.net:1");
	CHECK(look.failure == NET_DNS_NXDOMAIN);
	connect_to("wss://private.relays.net:1");
	CHECK(look.failure == NET_ADDRESS_REFUSED);
	connect_to("wss://silent.relays.net:1");
	CHECK(look.failure == NET_DNS_FAILED);
	connect_to("wss://servfail.relays.net:1");
	CHECK(look.failure == NET_DNS_FAILED);
	connect_to("wss://dead.relays.net:1");
	CHECK(look.failure == NET_CONNECT_FAILED || look.failure == NET_CONNECT_REFUSED);
	CHECK(look.timings.dns > 0);
}

int
main(void)
{
	const char *why;
	pid_t		pid;

	uv_loop_init(&loop);
	pid = dnscheck_start(zone, servers, sizeof(servers));
	dns = dns_open(&loop, servers, true, &why);
	CHECK(dns != NULL);
	answers();
	no_answers();
	/* closed with a question open: answered all the same */
	callbacks = 0;
	CHECK(dns_query(dns, "silent.relays.net", DNS_A, records, NULL));
	dns_close(dns);
	CHECK(callbacks == 1 && got.status == DNS_NOT_ASKED);
	uv_run(&loop, UV_RUN_DEFAULT);
	connections();
	dnscheck_stop(pid);
	uv_loop_close(&loop);
	return check_done();
}
