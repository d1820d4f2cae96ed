/*
 * test_mention.c
 *
 * Relay mentions: one planted in every place where they occur, the guesses
 * about where an address in text ends, the bounds; then random events whose
 * planted addresses must be found, all of them and nothing else.
 */
#include <stdio.h>
#include <stdlib.h>

#include "mention.h"
#include "nip19.h"
#include "tags.h"
#include "check.h"

static NostrMentions m;
static NostrBuf tags;
static char found[65536];

/* Tags as JSON; what was found, in order, as "url via,via url via". */
static const char *
find(int kind, const char *tags_json, const char *content)
{
	NostrEvent	ev = {.kind = kind};
	const char *why;
	size_t		at;

	nostr_buf_reset(&tags);
	CHECK(nostr_tags_from_json(tags_json, strlen(tags_json), &tags, &why, &at));
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	ev.content = (const uint8_t *) content;
	ev.content_len = strlen(content);
	nostr_mentions_find(&m, &ev, false);
	found[0] = '\0';
	for (int i = 0; i < m.n; i++)
	{
		char		sep = ' ';

		CHECK(strlen(nostr_mention_url(&m, i)) == m.item[i].len);
		sprintf(found + strlen(found), "%s%s", i > 0 ? " " : "", nostr_mention_url(&m, i));
		for (int b = 0; b < NOSTR_VIA_COUNT; b++)
			if (m.item[i].via & (1u << b))
			{
				sprintf(found + strlen(found), "%c%s", sep, nostr_via_name(b));
				sep = ',';
			}
	}
	return found;
}

#define TEXT(content, expected) CHECK_STR(find(1, "[]", content), expected)
#define TAGS(kind, json, expected) CHECK_STR(find(kind, json, ""), expected)

static void
test_tags(void)
{
	TAGS(1, "[[\"r\",\"wss://a.net\"]]", "wss://a.net r");
	TAGS(1, "[[\"r\",\"WSS://A.Net:443/\"],[\"r\",\"ws://a.net\"]]", "wss://a.net r");
	TAGS(1, "[[\"e\",\"00\",\"wss://a.net\",\"reply\"],[\"p\",\"00\",\"wss://b.net\",\"name\"],"
		 "[\"a\",\"30023:00:x\",\"wss://c.net\"],[\"q\",\"00\",\"wss://d.net\"]]",
		 "wss://a.net hint wss://b.net hint wss://c.net hint wss://d.net hint");
	TAGS(1, "[[\"e\",\"wss://a.net\"]]", "wss://a.net tag");
	TAGS(10002, "[[\"r\",\"wss://a.net\",\"read\"],[\"r\",\"wss://b.net\"]]",
		 "wss://a.net relay_list wss://b.net relay_list");
	TAGS(10050, "[[\"relay\",\"wss://a.net\"]]", "wss://a.net dm_list");
	TAGS(10006, "[[\"relay\",\"wss://a.net\"]]", "wss://a.net blocked");
	TAGS(10007, "[[\"relay\",\"wss://a.net\"]]", "wss://a.net search");
	TAGS(10012, "[[\"relay\",\"wss://a.net\"]]", "wss://a.net favourite");
	TAGS(30002, "[[\"d\",\"x\"],[\"relay\",\"wss://a.net\"]]", "wss://a.net relay_set");
	TAGS(30166, "[[\"d\",\"wss://a.net/\"],[\"n\",\"clearnet\"]]", "wss://a.net discovery");
	TAGS(10166, "[[\"frequency\",\"60\"],[\"r\",\"wss://a.net\"]]", "wss://a.net monitor");
	TAGS(22242, "[[\"relay\",\"wss://a.net\"]]", "wss://a.net relay_tag");
	TAGS(9734, "[[\"relays\",\"wss://a.net\",\"wss://b.net\"],[\"amount\",\"1\"]]",
		 "wss://a.net relay_tag wss://b.net relay_tag");
	TAGS(1, "[[\"relays\",\"wss://a.net,wss://b.net; wss://c.net\"]]",
		 "wss://a.net relay_tag wss://b.net relay_tag wss://c.net relay_tag");
	TAGS(1, "[[\"alt\",\"a note on wss://a.net!\"],[\"x\",\"wss://b.net/p/q\"]]",
		 "wss://a.net tag wss://b.net/p/q tag");
	/* not relays */
	TAGS(1, "[[\"r\",\"https://a.net\"],[\"r\",\"a.net\"],[\"r\",\"wss://10.0.0.1\"],"
		 "[\"r\",\"wss://localhost\"],[\"r\",\"\"],[\"r\"],[\"r\",\"wss://\"],[\"r\",\"wss://a\"]]", "");
	TAGS(1, "[]", "");
	/* together */
	CHECK_STR(find(1, "[[\"r\",\"wss://a.net\"],[\"p\",\"00\",\"wss://a.net/\"]]", "wss://a.net."),
			  "wss://a.net r,hint,text");
}

static void
test_content(void)
{
	CHECK_STR(find(2, "[]", " wss://a.net/ \n"), "wss://a.net recommend");
	CHECK_STR(find(3, "[]", "{\"wss://a.net\":{\"read\":true,\"write\":[1,{\"x\":null}]},"
				   "\"wss:\\/\\/b.net\\/\":{}, \"nonsense\":1}"),
			  "wss://a.net contacts wss://b.net contacts");
	CHECK_STR(find(3, "[]", "{\"wss://a.net\":{\"read\":true},\"wss://b.net\":"),
			  "wss://a.net contacts wss://b.net contacts");
	CHECK_STR(find(3, "[]", "my relays: wss://a.net"), "wss://a.net contacts");
	CHECK_STR(find(6, "[]", "{\"tags\":[[\"p\",\"00\",\"wss:\\/\\/a.net\\/x\"],[\"r\",\"wss://b.net\"]]}"),
			  "wss://a.net/x text wss://b.net text");
}

static void
test_text(void)
{
	TEXT("wss://a.net", "wss://a.net text");
	TEXT("(wss://a.net), <wss://b.net/x> \"wss://c.net\" `wss://d.net` [x](wss://e.net/y)",
		 "wss://a.net text wss://b.net/x text wss://c.net text wss://d.net text wss://e.net/y text");
	TEXT("See wss://a.net. Or wss://b.net/path/? No: wss://c.net:7777!",
		 "wss://a.net text wss://b.net/path text wss://c.net:7777 text");
	TEXT("**wss://a.net** ~wss://b.net~ wss://c.net;wss://d.net",
		 "wss://a.net text wss://b.net text");
	TEXT("wss://[2606:4700::1111]:7777/a] ws://8.8.8.8", "wss://[2606:4700::1111]:7777/a text wss://8.8.8.8 text");
	TEXT("WSS://A.NET", "wss://a.net text");
	TEXT("wss://m\xc3\xbcnchen.net", "wss://xn--mnchen-3ya.net text");
	TEXT("wss://a.net\xe3\x81\xa7\xe3\x81\x99",
		 "wss://a.xn--net-883bvc text wss://a.net text");
	TEXT("wss://a.net\xe3\x80\x81", "wss://a.net text");
	/* cut by whoever wrote it */
	TEXT("wss://a.ne... wss://a.ne\xe2\x80\xa6", "");
	TEXT("news://a.net xws://a.net wss:/a.net ws: // s:// ://", "");
	TEXT("https://a.net/?relay=wss://b.net", "wss://b.net text");
	TEXT("wss://", "");
	TEXT("ws:/", "");
	TEXT("wss:\\/\\/", "");
	TEXT(":", "");
}

static void
entity(NostrNip19Type type, NostrBuf *out)
{
	NostrNip19	e = {.type = type,.nrelays = 2,.relay = {"wss://a.net", "wss://b.net/x"}};

	e.has_author = e.has_kind = type == NOSTR_NIP19_NADDR;
	e.identifier = "id";
	e.identifier_len = 2;
	CHECK(nostr_nip19_encode(&e, out) == NULL);
}

static void
test_nip19(void)
{
	static const char expected[] = "wss://a.net nip19 wss://b.net/x nip19";
	char		text[1024];
	NostrBuf	b;

	nostr_buf_init(&b, 10000);
	for (int type = NOSTR_NIP19_NPROFILE; type <= NOSTR_NIP19_NADDR; type++)
	{
		nostr_buf_reset(&b);
		entity((NostrNip19Type) type, &b);
		sprintf(text, "gm nostr:%.*s, bye", (int) b.len, (char *) b.data);
		TEXT(text, expected);
		sprintf(text, "%.*s", (int) b.len, (char *) b.data);
		TEXT(text, expected);
		sprintf(text, "(@%.*s)", (int) b.len, (char *) b.data);
		TEXT(text, expected);
		for (size_t i = 0; i < b.len; i++)
			if (b.data[i] >= 'a')
				b.data[i] -= 'a' - 'A';
		sprintf(text, "%.*s", (int) b.len, (char *) b.data);
		TEXT(text, expected);
		b.data[20] = b.data[20] == 'Q' ? 'P' : 'Q';	/* bad checksum */
		sprintf(text, "%.*s", (int) b.len, (char *) b.data);
		TEXT(text, "");
	}
	TEXT("nprofile1 nevent1qqq naddr1", "");
	nostr_buf_free(&b);
}

static void
test_bounds(void)
{
	NostrEvent	ev = {.kind = 1};
	NostrBuf	content;
	char		text[64];

	nostr_buf_init(&content, 1 << 20);
	for (int i = 0; i < NOSTR_MENTIONS_MAX; i++)
	{
		sprintf(text, "wss://r%d.net wss://r%d.net ", i, i);
		nostr_buf_append_str(&content, text);
	}
	nostr_buf_reset(&tags);
	nostr_tags_begin(&tags, 0);
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	ev.content = content.data;
	ev.content_len = content.len;
	nostr_mentions_find(&m, &ev, false);
	CHECK(m.n == NOSTR_MENTIONS_MAX && !m.more);
	nostr_buf_append_str(&content, "wss://one.more.net");
	ev.content = content.data;
	ev.content_len = content.len;
	nostr_mentions_find(&m, &ev, false);
	CHECK(m.n == NOSTR_MENTIONS_MAX && m.more);

	nostr_buf_reset(&content);
	for (int i = 0; i <= NOSTR_MENTION_TRIES; i++)
		nostr_buf_append_str(&content, "wss://x ");
	ev.content = content.data;
	ev.content_len = content.len;
	nostr_mentions_find(&m, &ev, false);
	CHECK(m.n == 0 && m.more);

	/* the same hint many times is no reason to give up */
	nostr_buf_reset(&tags);
	nostr_tags_begin(&tags, 20001);
	for (int i = 0; i < 20001; i++)
	{
		sprintf(text, i == 20000 ? "wss://last.net" : "wss://h%d.net", i % 4);
		nostr_tags_tag(&tags, 3);
		nostr_tags_name(&tags, (const uint8_t *) "p", 1);
		nostr_tags_element(&tags, (const uint8_t *) "x", 1);
		nostr_tags_element(&tags, (const uint8_t *) text, strlen(text));
	}
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	ev.content_len = 0;
	nostr_mentions_find(&m, &ev, false);
	CHECK(m.n == 5 && !m.more);

	/* broken tags are no trouble, only the end */
	ev.tags_len = tags.len / 2;
	nostr_mentions_find(&m, &ev, false);
	CHECK(m.n == 4);
	ev.tags_len = 0;
	nostr_mentions_find(&m, &ev, false);
	CHECK(m.n == 0);

	/* an address of 2048 bytes fits, one more does not */
	nostr_buf_reset(&content);
	nostr_buf_append_str(&content, "wss://a.net/");
	while (content.len < NOSTR_RELAY_URL_MAX - 1)
		nostr_buf_append_byte(&content, 'x');
	for (int over = 0; over < 3; over++)
	{
		ev.content = content.data;
		ev.content_len = content.len;
		nostr_mentions_find(&m, &ev, false);
		CHECK(m.n == (over == 0 ? 1 : 0));
		nostr_buf_append_byte(&content, 'x');
	}
	nostr_buf_free(&content);
}

/* ---- random events ---- */

static uint64_t state = 1;

static uint32_t
rnd(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t) (state >> 33) % n;
}

static const char *
noise(void)
{
	static const char *const words[] = {"", " ", "gm ", "ws ", "wss", ":// ", "\xf0\x9f\x98\x80 ",
		"https://x.net/a ", "note1abc ", "nostr:", "n", ": ", "\n", "(", ") ", "npub1 ", "wss:/ ",
		"nprofile1qq ", "\\/", "{\"a\":[1]}", "news:// ",
	"#wss "};

	return words[rnd(sizeof(words) / sizeof(words[0]))];
}

static void
address(char *out, int i)
{
	static const char *const paths[] = {"", "", "/", "/inbox", "/a/b-c_d", "/x.y", "/u/npub1x"};
	static const char *const schemes[] = {"wss://", "ws://", "WSS://"};

	sprintf(out, "%sr%d.host%u.net%s%s", schemes[rnd(3)], i, rnd(1000),
			rnd(4) == 0 ? ":8443" : "", paths[rnd(7)]);
}

static void
one_random(void)
{
	static const int kinds[] = {1, 1, 1, 2, 3, 6, 10002, 10050, 10006, 10007, 10012, 10166, 30002, 30166, 9734};
	NostrEvent	ev = {.kind = kinds[rnd(15)]};
	int			n = (int) rnd(12);
	int			ntags = 0;
	char		raw[16][128];
	bool		in_tags[16];
	NostrBuf	content;
	NostrRelayUrl u;

	nostr_buf_init(&content, 1 << 20);
	nostr_buf_reset(&tags);
	for (int i = 0; i < n; i++)
	{
		address(raw[i], i);
		in_tags[i] = ev.kind != 2 && rnd(2) == 0;
		ntags += in_tags[i];
	}
	nostr_tags_begin(&tags, (uint32_t) ntags);
	if (ev.kind == 3)
		nostr_buf_append_str(&content, "{");
	for (int i = 0; i < n; i++)
	{
		static const char *const names[] = {"r", "e", "p", "a", "q", "relay", "relays", "d", "alt"};

		if (in_tags[i])
		{
			const char *name = names[rnd(9)];
			uint32_t	at = 1 + rnd(3);

			nostr_tags_tag(&tags, at + 1);
			nostr_tags_name(&tags, (const uint8_t *) name, strlen(name));
			for (uint32_t k = 1; k < at; k++)
				nostr_tags_element(&tags, (const uint8_t *) "0123456789abcdef", 16);
			nostr_tags_element(&tags, (const uint8_t *) raw[i], strlen(raw[i]));
			continue;
		}
		if (ev.kind == 3)
			nostr_buf_append_str(&content, content.len > 1 ? ",\"" : "\"");
		else
			for (uint32_t k = rnd(4); k > 0; k--)
				nostr_buf_append_str(&content, noise());
		if (ev.kind != 3 && content.len > 0 && content.data[content.len - 1] != ' ')
			nostr_buf_append_str(&content, " ");
		nostr_buf_append_str(&content, raw[i]);
		nostr_buf_append_str(&content, ev.kind == 3 ? "\":{\"read\":true}" : " ");
	}
	if (ev.kind == 3)
		nostr_buf_append_str(&content, "}");
	ev.tags = tags.data;
	ev.tags_len = tags.len;
	ev.content = content.data;
	ev.content_len = content.len;
	nostr_mentions_find(&m, &ev, false);
	CHECK(!m.more && m.n == n);
	for (int i = 0; i < n; i++)
	{
		bool		hit = false;

		CHECK(nostr_relay_url_parse(raw[i], strlen(raw[i]), false, &u) == NOSTR_URL_OK);
		for (int k = 0; k < m.n && !hit; k++)
			hit = strcmp(nostr_mention_url(&m, k), u.url) == 0;
		if (!hit)
			printf("kind %d: %s not found in %.*s\n", ev.kind, u.url, (int) content.len, (char *) content.data);
		CHECK(hit);
	}
	nostr_buf_free(&content);
}

int
main(void)
{
	nostr_mentions_init(&m);
	nostr_buf_init(&tags, 1 << 24);
	for (int b = 0; b < NOSTR_VIA_COUNT; b++)
		CHECK(nostr_via_name(b) != NULL);
	CHECK(nostr_via_name(-1) == NULL && nostr_via_name(NOSTR_VIA_COUNT) == NULL);
	test_tags();
	test_content();
	test_text();
	test_nip19();
	test_bounds();
	for (int i = 0; i < 5000; i++)
		one_random();
	nostr_mentions_free(&m);
	nostr_buf_free(&tags);
	return check_done();
}
