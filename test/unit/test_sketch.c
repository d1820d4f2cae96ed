/*
 * test_sketch.c
 *
 * Counting distinct things, and who controls a host.
 */
#include <stdlib.h>

#include "domain.h"
#include "sketch.h"
#include "check.h"

static uint64_t
nth(uint32_t i)
{
	uint8_t		key[32] = {0};

	memcpy(key + 24, &i, 4);
	return nostr_sketch_hash(key);
}

static void
test_sketch(void)
{
	NostrSketch s = {0};
	NostrSketch t = {0};
	NostrSketch u = {0};
	static const uint8_t bad[][10] = {{2}, {0, 1}, {1, 1}};
	uint8_t		twice[17] = {0};

	CHECK(nostr_sketch_count(&s) == 0);
	for (uint32_t i = 0; i < NOSTR_SKETCH_EXACT; i++)
	{
		nostr_sketch_add(&s, nth(i));
		nostr_sketch_add(&s, nth(i / 2));
		CHECK(nostr_sketch_count(&s) == i + 1);
	}
	nostr_sketch_add(&s, nth(NOSTR_SKETCH_EXACT));
	CHECK(nostr_sketch_count(&s) > NOSTR_SKETCH_EXACT && s.len == NOSTR_SKETCH_MAX);
	for (uint32_t n = 100; n <= 1000000; n *= 10)
	{
		for (uint32_t i = n / 10; i < n; i++)
			nostr_sketch_add(&s, nth(i));
		for (uint32_t i = 0; i < n; i += 7)
			nostr_sketch_add(&s, nth(i));
		/* four standard errors */
		CHECK(nostr_sketch_count(&s) > n * 0.74 && nostr_sketch_count(&s) < n * 1.26);
	}
	/* merging is adding, in any order and any form */
	memset(&s, 0, sizeof(s));
	for (uint32_t i = 0; i < 300; i++)
	{
		nostr_sketch_add(&s, nth(i));
		nostr_sketch_add(i < 290 ? &t : &u, nth(i));
	}
	CHECK(u.len == 81);
	CHECK(nostr_sketch_merge(&u, t.data, t.len));
	CHECK(u.len == s.len && memcmp(u.data, s.data, s.len) == 0);
	CHECK(nostr_sketch_merge(&u, t.data, t.len) && memcmp(u.data, s.data, s.len) == 0);
	CHECK(nostr_sketch_merge(&t, u.data, u.len) && memcmp(t.data, s.data, s.len) == 0);
	CHECK(nostr_sketch_merge(&u, NULL, 0) && memcmp(u.data, s.data, s.len) == 0);
	memset(&t, 0, sizeof(t));
	CHECK(nostr_sketch_merge(&t, s.data, s.len) && memcmp(t.data, s.data, s.len) == 0);
	/* bytes that are not one */
	CHECK(!nostr_sketch_merge(&s, bad[0], 1) && !nostr_sketch_merge(&s, bad[1], 2) &&
		  !nostr_sketch_merge(&s, bad[2], 2) && !nostr_sketch_merge(&s, twice, 17) &&
		  !nostr_sketch_merge(&s, s.data, s.len - 1));
	u.data[5] = 60;
	CHECK(!nostr_sketch_merge(&s, u.data, u.len));
}

static const char *
domain(const char *url)
{
	static char out[NOSTR_DOMAIN_MAX + 1];
	NostrRelayUrl u;

	CHECK(nostr_relay_url_parse(url, strlen(url), false, &u) == NOSTR_URL_OK);
	nostr_domain(&u, out);
	return out;
}

static void
test_domain(void)
{
	CHECK_STR(domain("wss://relay.damus.io"), "damus.io");
	CHECK_STR(domain("wss://damus.io/a"), "damus.io");
	CHECK_STR(domain("wss://a.b.c.co.uk"), "c.co.uk");
	CHECK_STR(domain("wss://a.github.io"), "github.io");
	CHECK_STR(domain("wss://x.y.pages.dev"), "pages.dev");
	CHECK_STR(domain("wss://a.b.unknown-suffix"), "b.unknown-suffix");
	CHECK_STR(domain("wss://m\xc3\xbcnchen.net"), "xn--mnchen-3ya.net");
	CHECK_STR(domain("wss://co.uk"), "co.uk");
	CHECK_STR(domain("wss://8.8.4.4:7777/x"), "8.8.4.0/24");
	CHECK_STR(domain("wss://[2606:4700:1:2::3]"), "2606:4700:1::/48");
	CHECK_STR(domain("ws://sub.duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"),
			  "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion");
	CHECK_STR(domain("ws://relay.nostr.i2p"), "nostr.i2p");
}

int
main(void)
{
	test_sketch();
	test_domain();
	return check_done();
}
