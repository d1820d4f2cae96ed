/*
 * test_relay_url.c
 *
 * Golden vectors of relay address normalisation, and every edge of the
 * special-purpose address registries.
 */
#include "check.h"

#include "../../src/nostr/relay_url.h"
#include "../../src/nostr/special_addr.h"

#define V2	"expyuzz4wqqyqhjn"
#define V3	"2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
#define L52	"abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"

typedef struct Vector
{
	const char *raw;
	const char *url;			/* NULL: refused, for this reason */
	NostrUrlReject reject;
} Vector;

#define OK(raw, url)	{raw, url, NOSTR_URL_OK}
#define NO(raw, why)	{raw, NULL, NOSTR_URL_##why}

static const Vector vectors[] = {
	OK("WSS://Relay.Damus.IO/", "wss://relay.damus.io"),
	OK(" \twss://relay.damus.io\r\n", "wss://relay.damus.io"),
	OK("ws://relay.damus.io", "wss://relay.damus.io"),
	OK("ws://relay.damus.io:443/", "wss://relay.damus.io"),
	OK("ws://relay.damus.io:80", "wss://relay.damus.io"),
	OK("wss://relay.damus.io:80", "wss://relay.damus.io:80"),
	OK("wss://h.io:00443", "wss://h.io"),
	OK("wss://h.io:", "wss://h.io"),
	NO("wss://h.io:0", BAD_PORT),
	NO("wss://h.io:65536", BAD_PORT),
	OK("wss://h.io:65535", "wss://h.io:65535"),
	NO("wss://h.io:443abc", BAD_PORT),
	NO("wss://h.io:-1", BAD_PORT),
	NO("wss://h.io:99999999999999999999", BAD_PORT),
	OK("wss://relay.damus.io./", "wss://relay.damus.io"),
	OK("wss://relay.damus.io//a//b//", "wss://relay.damus.io/a/b"),
	OK("wss://relay.damus.io/a/./b/../c", "wss://relay.damus.io/a/c"),
	OK("wss://h.io/a//../b", "wss://h.io/a/b"),
	OK("wss://h.io/../../a", "wss://h.io/a"),
	OK("wss://h.io/a/..", "wss://h.io"),
	OK("wss://h.io/%2e%2E/a", "wss://h.io/a"),
	OK("wss://h.io/Path/UPPER", "wss://h.io/Path/UPPER"),
	OK("wss://h.io/%61", "wss://h.io/a"),
	OK("wss://h.io/a%2fb", "wss://h.io/a%2Fb"),
	OK("wss://h.io/a%3ab", "wss://h.io/a%3Ab"),
	OK("wss://h.io/%2F", "wss://h.io/%2F"),
	NO("wss://h.io/%2561", BAD_PATH),
	NO("wss://h.io/a%2F..%2Fb", BAD_PATH),
	NO("wss://h.io/a%20b", BAD_PATH),
	NO("wss://h.io/a%00b", BAD_PATH),
	NO("wss://h.io/a%", BAD_PATH),
	NO("wss://h.io/a%zz", BAD_PATH),
	NO("wss://h.io/a b", BAD_CHARACTER),
	NO("wss://h.io/a@b", BAD_PATH),
	NO("wss://h.io/a,b", BAD_PATH),
	NO("wss://h.io/a+b", BAD_PATH),
	NO("wss://h.io/a=b", BAD_PATH),
	NO("wss://h.io/a;b", BAD_PATH),
	NO("wss://h.io/$a", BAD_PATH),
	NO("wss://h.io/a*b", BAD_PATH),
	NO("wss://h.io/\xc3\xa9", BAD_PATH),
	NO("wss://h.io/\xc3", BAD_CHARACTER),
	NO("wss://h.io/%C3%A9", BAD_PATH),
	NO("wss://h.io/-a", BAD_PATH),
	NO("wss://h.io/a-", BAD_PATH),
	NO("wss://h.io/.a", BAD_PATH),
	NO("wss://h.io/~a", BAD_PATH),
	NO("wss://h.io/a/:b", BAD_PATH),
	NO("wss://h.io/path\\x", BAD_CHARACTER),
	NO("wss://h.io/wss://other.com", BAD_PATH),
	OK("wss://h.io/a~b", "wss://h.io/a~b"),
	OK("wss://h.io/a:b", "wss://h.io/a:b"),
	OK("wss://h.io/npub1abc", "wss://h.io/npub1abc"),
	NO("wss://h.io?x=1", QUERY),
	NO("wss://h.io/?", QUERY),
	NO("wss://h.io#f", FRAGMENT),
	NO("wss://user:pw@h.io", USERINFO),
	NO("https://h.io", BAD_SCHEME),
	NO("wsx://h.io", BAD_SCHEME),
	NO("relay.damus.io", NO_SCHEME),
	NO("//h.io", NO_SCHEME),
	NO("wss:/h.io", NO_SCHEME),
	NO("wss:h.io", NO_SCHEME),
	NO("wss://", NO_HOST),
	NO("wss:///a", NO_HOST),
	NO("wss://:80", NO_HOST),
	NO("wss://.", NO_HOST),
	NO("", EMPTY),
	NO(" \n", EMPTY),
	NO("wss://localhost", SPECIAL_NAME),
	NO("wss://localhost:7777", SPECIAL_NAME),
	NO("wss://LOCALHOST.", SPECIAL_NAME),
	NO("wss://local\xc2\xadhost", SPECIAL_NAME),
	NO("wss://localhost.localdomain", SPECIAL_NAME),
	NO("wss://foo.localhost", SPECIAL_NAME),
	NO("wss://umbrel.local:4848", SPECIAL_NAME),
	NO("wss://relay.internal", SPECIAL_NAME),
	NO("wss://relay.lan", SPECIAL_NAME),
	NO("wss://relay.home", SPECIAL_NAME),
	NO("wss://relay.corp", SPECIAL_NAME),
	NO("wss://relay.home.arpa", SPECIAL_NAME),
	NO("wss://1.0.0.127.in-addr.arpa", SPECIAL_NAME),
	NO("wss://relay.test", SPECIAL_NAME),
	NO("wss://relay.example", SPECIAL_NAME),
	NO("wss://relay.invalid", SPECIAL_NAME),
	NO("wss://relay.alt", SPECIAL_NAME),
	NO("wss://example.com", SPECIAL_NAME),
	NO("wss://relay_1.example.com", SPECIAL_NAME),
	NO("wss://ex%61mple.com", SPECIAL_NAME),
	NO("wss://relay.example.net", SPECIAL_NAME),
	NO("wss://relay.example.org", SPECIAL_NAME),
	OK("wss://myexample.com", "wss://myexample.com"),
	OK("wss://notlocalhost.io", "wss://notlocalhost.io"),
	NO("wss://127.0.0.1", SPECIAL_ADDRESS),
	NO("wss://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1", SPECIAL_ADDRESS),
	NO("wss://%31%32%37.0.0.1", SPECIAL_ADDRESS),
	NO("wss://127.0.0.1.", SPECIAL_ADDRESS),
	NO("wss://10.1.2.3", SPECIAL_ADDRESS),
	NO("wss://192.168.1.1", SPECIAL_ADDRESS),
	NO("wss://100.100.0.1", SPECIAL_ADDRESS),
	NO("wss://169.254.1.1", SPECIAL_ADDRESS),
	NO("wss://[::1]", SPECIAL_ADDRESS),
	NO("wss://[::ffff:8.8.8.8]", SPECIAL_ADDRESS),
	NO("wss://[2001:db8::1]", SPECIAL_ADDRESS),
	NO("wss://[2002:808:808::1]", SPECIAL_ADDRESS),
	NO("wss://[fe80::1%25eth0]", BAD_HOST),
	NO("wss://[8.8.8.8]", BAD_HOST),
	NO("wss://[2606:4700::1111", BAD_HOST),
	NO("wss://[2606:4700::1111]x", BAD_HOST),
	NO("wss://2606:4700::1111", BAD_HOST),
	OK("wss://8.8.8.8", "wss://8.8.8.8"),
	OK("ws://8.8.8.8:8080", "wss://8.8.8.8:8080"),
	NO("wss://8.8.8", BAD_HOST),
	NO("wss://08.8.8.8", BAD_HOST),
	NO("wss://134744072", BAD_HOST),
	NO("wss://0x8080808", BAD_HOST),
	NO("wss://0x7f.0x0.0x0.0x1", BAD_HOST),
	NO("wss://relay.123", BAD_HOST),
	NO("wss://relay", BAD_HOST),
	OK("wss://[2606:4700:0:0:0:0:0:1111]:8080", "wss://[2606:4700::1111]:8080"),
	OK("wss://[2606:4700::1111]/x", "wss://[2606:4700::1111]/x"),
	OK("wss://relay_1.damus.io", "wss://relay_1.damus.io"),
	OK("wss://ex%61mple.co", "wss://example.co"),
	NO("wss://-relay.x.com", BAD_HOST),
	NO("wss://relay-.x.com", BAD_HOST),
	NO("wss://relay..x.com", BAD_HOST),
	NO("wss://.x.com", BAD_HOST),
	NO("wss://*.x.com", BAD_HOST),
	NO("wss://exam%20ple.io", BAD_HOST),
	NO("wss://damus.io%00", BAD_HOST),
	NO("wss://%2561.io", BAD_HOST),
	NO("wss://a.io%2Fb", BAD_HOST),
	NO("wss://a\xef\xbc\x8f" "b.io", BAD_HOST),
	OK("wss://caf\xc3\xa9.com", "wss://xn--caf-dma.com"),
	OK("wss://CAF\xc3\x89.com", "wss://xn--caf-dma.com"),
	OK("wss://cafe\xcc\x81.com", "wss://xn--caf-dma.com"),
	OK("wss://caf%C3%A9.com", "wss://xn--caf-dma.com"),
	OK("wss://\xe6\x97\xa5\xe6\x9c\xac.jp", "wss://xn--wgv71a.jp"),
	OK("wss://\xe6\x97\xa5\xe6\x9c\xac\xe3\x80\x82jp", "wss://xn--wgv71a.jp"),
	OK("wss://stra\xc3\x9f" "e.de", "wss://xn--strae-oqa.de"),
	NO("wss://damus.io,wss://b.com", BAD_HOST),
	NO("wss://damus.io,b.com", BAD_HOST),
	OK("wss://" V2 ".onion", "ws://" V2 ".onion"),
	OK("wss://" V3 ".onion:443", "ws://" V3 ".onion"),
	OK("ws://" V3 ".onion:443", "ws://" V3 ".onion:443"),
	OK("wss://" V3 ".onion:80", "ws://" V3 ".onion"),
	OK("ws://a.b." V3 ".onion/x", "ws://a.b." V3 ".onion/x"),
	OK("ws://" V3 ".ONION", "ws://" V3 ".onion"),
	OK("ws://relay.i2p", "ws://relay.i2p"),
	OK("ws://" L52 ".b32.i2p", "ws://" L52 ".b32.i2p"),
	OK("ws://" L52 ".loki", "ws://" L52 ".loki"),
	NO("ws://x." L52 ".b32.i2p", BAD_OVERLAY),
	NO("ws://aaaa.b32.i2p", BAD_OVERLAY),
	NO("ws://short.loki", BAD_OVERLAY),
	NO("ws://short.onion", BAD_OVERLAY),
	NO("ws://.onion", BAD_OVERLAY),
	NO("ws://-." V3 ".onion", BAD_OVERLAY),
};

static void
check_vector(const Vector *v, bool allow_special)
{
	NostrRelayUrl u;
	NostrRelayUrl again;
	NostrUrlReject r = nostr_relay_url_parse(v->raw, strlen(v->raw), allow_special, &u);

	if (r != v->reject)
		fprintf(stderr, "vector %s\n", v->raw);
	CHECK_STR(nostr_url_reject_name(r), nostr_url_reject_name(v->reject));
	if (r != NOSTR_URL_OK || v->url == NULL)
		return;
	CHECK_STR(u.url, v->url);
	CHECK(nostr_relay_url_parse(u.url, strlen(u.url), allow_special, &again) == NOSTR_URL_OK);
	CHECK_STR(again.url, u.url);
	CHECK(again.port == u.port && again.tls == u.tls && again.network == u.network);
}

static void
test_fields(void)
{
	NostrRelayUrl u;
	char		buf[4096];

	CHECK(nostr_relay_url_parse("wss://[2606:4700::1111]:81/a/b", 30, false, &u) == NOSTR_URL_OK);
	CHECK_STR(u.host, "2606:4700::1111");
	CHECK_STR(u.path, "/a/b");
	CHECK(u.ip_literal && u.tls && u.port == 81 && u.network == NOSTR_CLEARNET);
	CHECK(nostr_relay_url_parse("ws://" V3 ".onion", 67, false, &u) == NOSTR_URL_OK);
	CHECK(!u.ip_literal && !u.tls && u.port == 80 && u.network == NOSTR_TOR);
	CHECK_STR(u.path, "");
	CHECK_STR(nostr_network_name(NOSTR_I2P), "i2p");

	CHECK(nostr_relay_url_parse("wss://a.io\0b", 12, false, &u) == NOSTR_URL_BAD_CHARACTER);
	memset(buf, 'a', sizeof(buf));
	memcpy(buf, "wss://h.io/", 11);
	CHECK(nostr_relay_url_parse(buf, NOSTR_RELAY_URL_MAX, false, &u) == NOSTR_URL_OK);
	CHECK(strlen(u.url) == NOSTR_RELAY_URL_MAX);
	CHECK(nostr_relay_url_parse(buf, NOSTR_RELAY_URL_MAX + 1, false, &u) == NOSTR_URL_TOO_LONG);
	memcpy(buf, "ws://h.io/a", 11);
	CHECK(nostr_relay_url_parse(buf, NOSTR_RELAY_URL_MAX, false, &u) == NOSTR_URL_TOO_LONG);

	/* labels of 63 and 64 octets */
	memset(buf, 'a', 80);
	memcpy(buf, "wss://", 6);
	memcpy(buf + 69, ".io", 4);
	CHECK(nostr_relay_url_parse(buf, 72, false, &u) == NOSTR_URL_OK);
	memcpy(buf + 69, "a.io", 5);
	CHECK(nostr_relay_url_parse(buf, 73, false, &u) == NOSTR_URL_BAD_HOST);

	for (int i = 0; i < NOSTR_URL_REJECT_COUNT; i++)
		CHECK(nostr_url_reject_name(i) != NULL && nostr_url_reject_text(i) != NULL);
}

static void
test_allow_special(void)
{
	static const Vector allowed[] = {
		OK("ws://127.0.0.1:7777", "ws://127.0.0.1:7777"),
		OK("ws://127.0.0.1:443", "ws://127.0.0.1:443"),
		OK("ws://127.0.0.1:80", "ws://127.0.0.1"),
		OK("wss://[::1]:443/a", "wss://[::1]/a"),
		OK("ws://LocalHost:7777", "ws://localhost:7777"),
		OK("ws://a.localhost", "ws://a.localhost"),
		OK("ws://relay.damus.io", "wss://relay.damus.io"),
		NO("ws://relay.local", SPECIAL_NAME),
		NO("ws://a_b-.localhost", BAD_HOST),
	};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		check_vector(&allowed[i], true);
}

static void
test_addresses(void)
{
	/* first and last address of every block, and its neighbours outside */
	static const struct
	{
		const char *text;
		const char *name;
	}			addrs[] = {
		{"0.0.0.0", "this-network"}, {"0.255.255.255", "this-network"}, {"1.0.0.0", NULL},
		{"9.255.255.255", NULL}, {"10.0.0.0", "private"}, {"10.255.255.255", "private"}, {"11.0.0.0", NULL},
		{"100.63.255.255", NULL}, {"100.64.0.0", "shared"}, {"100.127.255.255", "shared"}, {"100.128.0.0", NULL},
		{"126.255.255.255", NULL}, {"127.0.0.0", "loopback"}, {"127.255.255.255", "loopback"}, {"128.0.0.0", NULL},
		{"169.253.255.255", NULL}, {"169.254.0.0", "link-local"}, {"169.254.255.255", "link-local"}, {"169.255.0.0", NULL},
		{"172.15.255.255", NULL}, {"172.16.0.0", "private"}, {"172.31.255.255", "private"}, {"172.32.0.0", NULL},
		{"191.255.255.255", NULL}, {"192.0.0.0", "protocol"}, {"192.0.0.255", "protocol"}, {"192.0.1.0", NULL},
		{"192.0.1.255", NULL}, {"192.0.2.0", "documentation"}, {"192.0.2.255", "documentation"}, {"192.0.3.0", NULL},
		{"192.31.195.255", NULL}, {"192.31.196.0", "as112"}, {"192.31.196.255", "as112"}, {"192.31.197.0", NULL},
		{"192.52.192.255", NULL}, {"192.52.193.0", "amt"}, {"192.52.193.255", "amt"}, {"192.52.194.0", NULL},
		{"192.88.98.255", NULL}, {"192.88.99.0", "6to4"}, {"192.88.99.255", "6to4"}, {"192.88.100.0", NULL},
		{"192.167.255.255", NULL}, {"192.168.0.0", "private"}, {"192.168.255.255", "private"}, {"192.169.0.0", NULL},
		{"192.175.47.255", NULL}, {"192.175.48.0", "as112"}, {"192.175.48.255", "as112"}, {"192.175.49.0", NULL},
		{"198.17.255.255", NULL}, {"198.18.0.0", "benchmarking"}, {"198.19.255.255", "benchmarking"}, {"198.20.0.0", NULL},
		{"198.51.99.255", NULL}, {"198.51.100.0", "documentation"}, {"198.51.100.255", "documentation"}, {"198.51.101.0", NULL},
		{"203.0.112.255", NULL}, {"203.0.113.0", "documentation"}, {"203.0.113.255", "documentation"}, {"203.0.114.0", NULL},
		{"223.255.255.255", NULL}, {"224.0.0.0", "multicast"}, {"239.255.255.255", "multicast"},
		{"240.0.0.0", "reserved"}, {"255.255.255.254", "reserved"}, {"255.255.255.255", "broadcast"},
		{"::", "unspecified"}, {"::1", "loopback"}, {"::2", "this-network"}, {"::8.8.8.8", "ipv4-compatible"},
		{"::ffff:8.8.8.8", "ipv4-mapped"}, {"::ffff:127.0.0.1", "loopback"}, {"::ffff:0:808:808", "unallocated"},
		{"64:ff9a::", "unallocated"}, {"64:ff9b::8.8.8.8", "nat64"}, {"64:ff9b::a00:1", "private"},
		{"64:ff9b:1::", "nat64"}, {"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "nat64"}, {"64:ff9b:2::", "unallocated"},
		{"100::", "discard"}, {"100::ffff:ffff:ffff:ffff", "discard"}, {"100:0:0:1::", "dummy"},
		{"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unallocated"}, {"2000::", NULL},
		{"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
		{"2001::ffff:ffff", "this-network"}, {"2001::", "broadcast"}, {"2001:0:808:808:0:0:80ff:fffe", "loopback"}, {"2001:0:808:808:0:0:f7f7:f7f7", "teredo"},
		{"2001:1::1", "protocol"}, {"2001:2::", "benchmarking"}, {"2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking"},
		{"2001:2:1::", "protocol"}, {"2001:3::", "amt"}, {"2001:4:112::", "as112"}, {"2001:10::", "orchid"},
		{"2001:1f:ffff::", "orchid"}, {"2001:20::", "orchid"}, {"2001:30::", "drip"}, {"2001:40::", "protocol"},
		{"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"}, {"2001:200::", NULL},
		{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", NULL}, {"2001:db8::", "documentation"},
		{"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"}, {"2001:db9::", NULL},
		{"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL}, {"2002:808:808::1", "6to4"}, {"2002:7f00:1::", "loopback"},
		{"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "broadcast"}, {"2003::", NULL},
		{"2620:4f:7fff:ffff::", NULL}, {"2620:4f:8000::", "as112"}, {"2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "as112"}, {"2620:4f:8001::", NULL},
		{"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL}, {"3fff::", "documentation"},
		{"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"}, {"3fff:1000::", NULL}, {"4000::", "unallocated"},
		{"5f00::", "segment-routing"}, {"5f00:ffff::", "segment-routing"}, {"5f01::", "unallocated"},
		{"fc00::", "private"}, {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"},
		{"fe80::", "link-local"}, {"febf:ffff::", "link-local"}, {"fec0::", "site-local"}, {"feff:ffff::", "site-local"},
		{"ff00::", "multicast"}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
		{"2606:4700:4700::1111", NULL},
	};
	static const char *const bad[] = {
		"", "1.2.3", "01.2.3.4", "1.2.3.04", "1.2.3.4.", "1.2.3.256", "0x1.2.3.4", " 1.2.3.4",
		"1.2.3.4 ", "::1%lo", ":", ":::", "1::2::3", "12345::", "fe80::1%25eth0",
	};
	NostrAddr	a;
	char		text[46];

	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
	{
		const char *name;

		CHECK(nostr_addr_parse(addrs[i].text, &a));
		name = nostr_addr_special(&a);
		if ((name == NULL) != (addrs[i].name == NULL))
			fprintf(stderr, "address %s\n", addrs[i].text);
		CHECK_STR(name ? name : "global", addrs[i].name ? addrs[i].name : "global");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!nostr_addr_parse(bad[i], &a));

	CHECK(nostr_addr_parse("2001:DB8:0:0:1:0:0:1", &a));
	nostr_addr_format(&a, text);
	CHECK_STR(text, "2001:db8::1:0:0:1");
}

static void
test_cidr(void)
{
	NostrCidrList l;
	NostrAddr	a;
	size_t		bad = 0;

	CHECK(nostr_cidr_list_parse("", &l, &bad) && l.n == 0);
	CHECK(nostr_cidr_list_parse(" 127.0.0.0/8, ::1\tfd00::/8,,10.1.2.3", &l, &bad) && l.n == 4);
	CHECK(nostr_addr_parse("127.9.9.9", &a) && nostr_cidr_list_contains(&l, &a));
	CHECK(nostr_addr_parse("10.1.2.3", &a) && nostr_cidr_list_contains(&l, &a));
	CHECK(nostr_addr_parse("10.1.2.4", &a) && !nostr_cidr_list_contains(&l, &a));
	CHECK(nostr_addr_parse("::1", &a) && nostr_cidr_list_contains(&l, &a));
	CHECK(nostr_addr_parse("::2", &a) && !nostr_cidr_list_contains(&l, &a));
	CHECK(nostr_addr_parse("::ffff:127.0.0.1", &a) && !nostr_cidr_list_contains(&l, &a));
	CHECK(nostr_cidr_list_parse("0.0.0.0/0 ::/0", &l, &bad) && nostr_cidr_list_contains(&l, &a));
	CHECK(!nostr_cidr_list_parse("::1, 10.0.0.1/8", &l, &bad) && bad == 5);
	CHECK(!nostr_cidr_list_parse("10.0.0.0/33", &l, &bad) && bad == 0);
	CHECK(!nostr_cidr_list_parse("10.0.0.0/", &l, &bad));
	CHECK(!nostr_cidr_list_parse("10.0.0.0/08", &l, &bad));
	CHECK(!nostr_cidr_list_parse("localhost", &l, &bad));
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		check_vector(&vectors[i], false);
	test_fields();
	test_allow_special();
	test_addresses();
	test_cidr();
	return check_done();
}
