/*
 * test_guard.c
 *
 * No spelling of an address that is not a public one is ever connected to, by
 * whatever way it comes in: relay URL, source URL, redirects of a WebSocket
 * upgrade, of a NIP-11 document and of each hop of a source, behind a proxy,
 * and answers of the name server, also when they change.
 *
 * Every connect() of this process, those of the libraries too, goes through
 * the one below.  It lets pass what belongs to the test, counts the others,
 * and keeps them from leaving.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/crawl/check.h"
#include "../../src/net/http.h"
#include "dnscheck.h"
#include "netcheck.h"

#define FRIEND	"127.0.0.9"		/* the one address that may be connected to */
#define PUBLIC	"93.184.215.14"

static uv_loop_t loop;
static Net *net;
static NetConfig config;
static char servers[64];
static int	port;				/* of the friend */
static int	dns_port;
static int	forbidden;
static int	to_public;
static int	to_friend;

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *) to;
	char		text[64] = "?";

	if (to->sa_family == AF_INET && (ntohs(in->sin_port) == dns_port ||
									 ntohl(in->sin_addr.s_addr) == 0x7f000009))
	{
		to_friend += ntohs(in->sin_port) != dns_port;
		return (int) syscall(SYS_connect, fd, to, len);
	}
	uv_ip_name(to, text, sizeof(text));
	if (strcmp(text, PUBLIC) == 0)
		to_public++;
	else
	{
		forbidden++;
		fprintf(stderr, "connect to %s\n", text);
	}
	errno = ENETUNREACH;
	return -1;
}

/* Ways to write a host; none is a public one. */
static const char *const hosts[] = {
	/* loopback: decimal, octal, hexadecimal, short, with zeros, with dots */
	"127.0.0.1", "127.0.0.1.", "127.0.0.1..", "127.1", "127.0.1", "127.255.255.254", "2130706433", "2130706433.",
	"017700000001", "0x7f000001", "0X7F000001", "0x7f.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.1", "127.0.0.01",
	"127.000.000.001", "00177.0.0.1", "4294967295.1", "127.0.0.257", "6425673729",
	/* this network, private, shared, link-local */
	"0", "0.0.0.0", "0x0", "0.0.0.0.", "10.0.0.1", "10.1", "167772161", "012.0.0.1", "0xa.0.0.1", "0xa000001",
	"172.16.0.1", "172.31.255.254", "0xac.0x10.1", "192.168.0.1", "192.168.1", "3232235521", "0xc0a80001",
	"169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "100.64.0.1", "100.127.255.254",
	/* documentation, benchmarks, protocols, multicast, reserved */
	"192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.8", "192.88.99.1", "224.0.0.1",
	"239.255.255.250", "240.0.0.1", "255.255.255.255",
	/* IPv6, and IPv4 in it: mapped, compatible, NAT64, 6to4, Teredo */
	"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:10.0.0.1]",
	"[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]",
	"[2002:7f00:1::]", "[2002:a00:1::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[fc00::1]", "[fd12:3456::1]",
	"[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]", "[::1%lo]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
	"[3fff::1]", "[100::1]", "[5f00::1]", "[4000::1]", "[2001:2::1]", "[2001:20::1]", "[127.0.0.1]", "[1::2::3]", "::1",
	/* names that mean the same */
	"localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "relay.localhost", "ip6-localhost",
	"relay.local", "relay.internal", "relay.lan", "router.home.arpa", "relay",
	/* encoded, other digits and dots, invisible characters */
	"%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.%31", "%6c%6f%63%61%6c%68%6f%73%74", "%5b::1%5d", "127.0.0.1%00.relays.net",
	"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1",
	"127\xe3\x80\x82" "0\xe3\x80\x82" "0\xe3\x80\x82" "1", "127\xef\xbc\x8e" "0\xef\xbc\x8e" "0\xef\xbc\x8e" "1",
	"127\xef\xbd\xa1" "0\xef\xbd\xa1" "0\xef\xbd\xa1" "1", "\xd9\xa1\xd9\xa2\xd9\xa7.0.0.1", "12\xc2\xad" "7.0.0.1",
	"127.0.0.\xe2\x80\x8b" "1", "lo\xc2\xad" "calhost", "\xef\xbd\x8c\xef\xbd\x8f" "calhost", "\xe2\x93\x9b\xe2\x93\x9e" "calhost",
	/* hidden behind something else */
	"relay.relays.net@127.0.0.1", "127.0.0.1#@relay.relays.net", "127.0.0.1\\@relay.relays.net", "127.0.0.1?relay.relays.net",
	"127.0.0.1\t", " 127.0.0.1", "127.0.0.1\r\nHost: x", "relay.relays.net:80@127.0.0.1", "127.0.0.1:80:80",
};
#define HOSTS ((int) (sizeof(hosts) / sizeof(hosts[0])))

/* --- the friend: every request is answered with a redirect --- */

static char location[300];
static int	hops;				/* redirects to itself before that one */
static int	requests;

typedef struct Peer
{
	uv_tcp_t	tcp;
	uv_write_t	write;
	char		in[8192];
	size_t		len;
	char		out[600];
} Peer;

static void
peer_closed(uv_handle_t *h)
{
	free(h->data);
}

static void
on_written(uv_write_t *w, int status)
{
	(void) status;
	uv_close((uv_handle_t *) w->handle, peer_closed);
}

static void
on_alloc(uv_handle_t *h, size_t n, uv_buf_t *buf)
{
	Peer	   *p = h->data;

	(void) n;
	*buf = uv_buf_init(p->in + p->len, (unsigned) (sizeof(p->in) - 1 - p->len));
}

static void
on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	Peer	   *p = s->data;
	uv_buf_t	b;
	int			left = hops;

	(void) buf;
	if (n < 0)
	{
		uv_close((uv_handle_t *) s, peer_closed);
		return;
	}
	p->len += (size_t) n;
	p->in[p->len] = '\0';
	if (strstr(p->in, "\r\n\r\n") == NULL)
		return;
	uv_read_stop(s);
	requests++;
	sscanf(p->in, "GET /hop%d ", &left);
	if (left > 0)
		snprintf(p->out, sizeof(p->out), "HTTP/1.1 302 Found\r\nLocation: /hop%d\r\nContent-Length: 0\r\n\r\n", left - 1);
	else
		snprintf(p->out, sizeof(p->out), "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", location);
	b = uv_buf_init(p->out, (unsigned) strlen(p->out));
	uv_write(&p->write, s, &b, 1, on_written);
}

static void
on_accept(uv_stream_t *s, int status)
{
	Peer	   *p = calloc(1, sizeof(*p));

	(void) status;
	uv_tcp_init(&loop, &p->tcp);
	p->tcp.data = p;
	uv_accept(s, (uv_stream_t *) &p->tcp);
	uv_read_start((uv_stream_t *) &p->tcp, on_alloc, on_read);
}

static void
be_friendly(uv_tcp_t *listener)
{
	struct sockaddr_in sin;
	int			len = sizeof(sin);

	uv_tcp_init(&loop, listener);
	uv_ip4_addr(FRIEND, 0, &sin);
	CHECK(uv_tcp_bind(listener, (struct sockaddr *) &sin, 0) == 0);
	CHECK(uv_listen((uv_stream_t *) listener, 64, on_accept) == 0);
	uv_tcp_getsockname(listener, (struct sockaddr *) &sin, &len);
	port = ntohs(sin.sin_port);
}

/* --- the ways in --- */

static bool over;
static NetFailure failure;

static void
on_got(void *user, const HttpResult *r)
{
	(void) user;
	failure = r->failure;
	over = true;
}

static void
on_checked(void *user, const CheckResult *r)
{
	(void) user;
	failure = r->failure;
	CHECK(json_is_false(json_object_get(json_object_get(r->document[CHECK_NIP11], "logs"), "success")));
	over = true;
}

/* As a relay's address; strict is what a database has without allow_networks. */
static void
relay(const char *host, bool strict)
{
	NostrRelayUrl url;
	char		text[400];

	snprintf(text, sizeof(text), "ws://%s:%d/", host, port);
	if (nostr_relay_url_parse(text, strlen(text), !strict, &url) != NOSTR_URL_OK)
		return;
	CHECK(!strict);				/* all of them are known by their looks */
	failure = netcheck_look(&loop, net, &url, NULL).failure;
	CHECK(failure != NET_OK);
}

static void
source(const char *url)
{
	HttpSpec	spec = {.url = url,.max_body = 1000,.timeout_ms = 5000,.max_redirects = 5};

	over = false;
	CHECK(http_get(net, &spec, on_got, NULL) != NULL);
	WAIT_FOR(&loop, over);
	CHECK(failure != NET_OK);
}

/* The friend, as a relay, leads there. */
static void
check_relay(void)
{
	CheckSpec	spec = {.checks = 1u << CHECK_NIP11,.deadline_ms = 10000,.nip11_max_size = 1000,.precision = 9};
	char		url[64];

	snprintf(url, sizeof(url), "ws://" FRIEND ":%d", port);
	over = false;
	CHECK(check_start(net, netcheck_url(url), &spec, on_checked, NULL) != NULL);
	WAIT_FOR(&loop, over);
	CHECK(failure == NET_HTTP_STATUS);
}

static void
spellings(void)
{
	char		url[400];

	for (int i = 0; i < HOSTS; i++)
	{
		int			before = forbidden;

		relay(hosts[i], true);
		relay(hosts[i], false);
		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], port);
		source(url);
		snprintf(location, sizeof(location), "http://%s:%d/", hosts[i], port);
		check_relay();
		for (hops = 0; hops <= 3; hops++)
		{
			requests = 0;
			snprintf(url, sizeof(url), "http://" FRIEND ":%d/", port);
			source(url);
			CHECK(requests >= 1 + hops);
		}
		hops = 0;
		snprintf(location, sizeof(location), "//%s:%d/", hosts[i], port);
		source(url);
		if (forbidden != before)
			fprintf(stderr, "that was \"%s\"\n", hosts[i]);
	}
	CHECK(forbidden == 0);
}

/* Through a proxy as well: what is no name is not handed on. */
static void
behind_proxy(void)
{
	char		url[400];
	int			before;

	snprintf(config.network[NOSTR_CLEARNET].proxy, 256, "socks5h://" FRIEND ":%d", port);
	net_reconfigure(net, &config);
	before = to_friend;
	for (int i = 0; i < HOSTS; i++)
	{
		NostrRelayUrl parsed;

		snprintf(url, sizeof(url), "ws://%s:%d/", hosts[i], port);
		if (nostr_relay_url_parse(url, strlen(url), true, &parsed) == NOSTR_URL_OK && !parsed.ip_literal)
			continue;			/* a name: the proxy's business */
		relay(hosts[i], false);
		snprintf(url, sizeof(url), "http://%s:%d/", hosts[i], port);
		source(url);
	}
	CHECK(to_friend == before && forbidden == 0);
	config.network[NOSTR_CLEARNET].proxy[0] = '\0';
	net_reconfigure(net, &config);
}

/* --- names --- */

static const char zone[] =
	"relays.net. 300 IN SOA ns1.relays.net. admin.relays.net. 1 60 60 60 60\n"
	"a1.relays.net. 0 IN A 127.0.0.1\n"
	"a2.relays.net. 0 IN A 10.0.0.1\n"
	"a3.relays.net. 0 IN A 169.254.169.254\n"
	"a4.relays.net. 0 IN A 100.64.0.1\n"
	"a5.relays.net. 0 IN A 0.0.0.0\n"
	"a6.relays.net. 0 IN A 224.0.0.1\n"
	"a7.relays.net. 0 IN AAAA ::1\n"
	"a8.relays.net. 0 IN AAAA ::ffff:127.0.0.1\n"
	"a9.relays.net. 0 IN AAAA 64:ff9b::7f00:1\n"
	"a10.relays.net. 0 IN AAAA 2002:7f00:1::\n"
	"a11.relays.net. 0 IN AAAA fe80::1\n"
	"a12.relays.net. 0 IN AAAA fd00::1\n"
	"a13.relays.net. 0 IN CNAME a1.relays.net.\n"
	"a14.relays.net. 0 IN CNAME a7.relays.net.\n"
	"a15.relays.net. 0 IN A 10.0.0.1\n"
	"a15.relays.net. 0 IN A 127.0.0.1\n"
	"a15.relays.net. 0 IN AAAA ::1\n"
	"mixed.relays.net. 0 IN A 127.0.0.1\n"
	"mixed.relays.net. 0 IN A " PUBLIC "\n"
	"mixed.relays.net. 0 IN AAAA ::1\n"
	"flip.one.relays.net. 0 IN A " PUBLIC "\n"
	"flip.one.relays.net. 0 IN A 127.0.0.1\n"
	"flip.two.relays.net. 0 IN A " PUBLIC "\n"
	"flip.two.relays.net. 0 IN A 127.0.0.1\n";
#define NAMES 15

/* How many times the public address was tried, after one more look at a name. */
static int
tries(bool by_http, const char *name)
{
	char		url[100];

	to_public = 0;
	snprintf(url, sizeof(url), "http://%s:%d/", name, port);
	if (by_http)
		source(url);
	else
		relay(name, false);
	return to_public;
}

static void
names(void)
{
	char		name[64];

	for (int i = 1; i <= NAMES; i++)
	{
		snprintf(name, sizeof(name), "a%d.relays.net", i);
		for (int http = 0; http < 2; http++)
		{
			CHECK(tries(http, name) == 0);
			CHECK(failure == NET_ADDRESS_REFUSED);
		}
		snprintf(location, sizeof(location), "http://%s:%d/", name, port);
		check_relay();
	}
	/* of several addresses only those that are public are tried */
	CHECK(tries(false, "mixed.relays.net") == 1 && tries(true, "mixed.relays.net") == 1);
	/* public when it is looked at, private when it is asked again: connected by
	 * the number that was looked at, and looked at again the next time */
	CHECK(tries(false, "flip.one.relays.net") == 1 && failure != NET_ADDRESS_REFUSED);
	CHECK(tries(false, "flip.one.relays.net") == 0 && failure == NET_ADDRESS_REFUSED);
	CHECK(tries(true, "flip.two.relays.net") == 1 && failure != NET_ADDRESS_REFUSED);
	CHECK(tries(true, "flip.two.relays.net") == 0 && failure == NET_ADDRESS_REFUSED);
	CHECK(forbidden == 0);
}

int
main(void)
{
	uv_tcp_t	listener;
	size_t		bad;
	pid_t		dns = dnscheck_start(zone, servers, sizeof(servers));

	dns_port = atoi(strchr(servers, ':') + 1);
	uv_loop_init(&loop);
	netcheck_config(&config, 5000);
	strcpy(config.dns_servers, servers);
	CHECK(nostr_cidr_list_parse(FRIEND "/32", &config.allow, &bad));
	net = netcheck_open(&loop, &config);
	be_friendly(&listener);
	CHECK(HOSTS >= 60);
	spellings();
	behind_proxy();
	names();
	printf("%d spellings\n", HOSTS);

	/* the count can count */
	CHECK(to_friend > 0);
	CHECK(nostr_cidr_list_parse("127.0.0.0/8", &config.allow, &bad));
	net_reconfigure(net, &config);
	relay("127.0.0.1", false);
	source("http://127.0.0.1:1/");
	relay("a1.relays.net", false);
	CHECK(forbidden >= 3);

	net_close(net);
	uv_close((uv_handle_t *) &listener, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	dnscheck_stop(dns);
	return check_done();
}
