/*
 * genmentions.c
 *
 * Makes N signed events that mention relays in every place where events do,
 * and the ground truth: genmentions COUNT SEED EVENTS TRUTH
 *
 * EVENTS: one event a line.  TRUTH: one address a line, tab-separated: what
 * ("relay": must be found; "host", "domain": a flood, of which only as many
 * as the limits allow may be taken), canonical address, events that mention
 * it, authors of those.
 *
 * One relay is in every seventh event; one host answers to any path, one
 * domain to any name, as in the wild.
 */
#include "nostr/nip19.h"
#include "nostr/relay_url.h"
#include "gen.h"

#define AUTHORS		200
#define RELAYS		8000
#define FLOOD		3000		/* addresses of each flood */
#define ADDRESSES	(RELAYS + 2 * FLOOD)

typedef struct Address
{
	char		raw[160];		/* as it is written */
	char		url[160];
	uint32_t	events;
	uint8_t		authors[AUTHORS / 8];
	long		last;			/* event that mentioned it last, + 1 */
} Address;

static Address address[ADDRESSES];
static NostrBuf tags, content;

/* below n */
static uint64_t
dice(uint64_t n)
{
	return rnd() % n;
}

static void
make_addresses(void)
{
	static const char *const suffix[] = {"net", "com", "co.uk", "xyz", "io"};
	static const char *const path[] = {"", "", "", "/", "/inbox", "/v1/relay"};
	NostrRelayUrl u;

	for (int i = 0; i < ADDRESSES; i++)
	{
		Address    *a = &address[i];

		if (i >= RELAYS + FLOOD)
			sprintf(a->raw, "wss://any%d.flood-domain.net", i);
		else if (i >= RELAYS)
			sprintf(a->raw, "wss://flood-host.org/npub%d", i);
		else if (i % 50 == 49)
			sprintf(a->raw, "wss://%d.%d.%d.9:%d", 20 + i % 60, i / 256, i % 256, 1000 + i);
		else
			sprintf(a->raw, "%s://relay%d.operator%d.%s%s%s", dice(4) == 0 ? "ws" : dice(4) == 0 ? "WSS" : "wss",
					i, i, suffix[dice(5)], dice(8) == 0 ? ":7777" : "", path[dice(6)]);
		if (nostr_relay_url_parse(a->raw, strlen(a->raw), false, &u) != NOSTR_URL_OK)
		{
			fprintf(stderr, "%s is no relay\n", a->raw);
			exit(1);
		}
		strcpy(a->url, u.url);
	}
}

static const char *
pick(long event, int author)
{
	uint64_t	which = dice(100);
	Address    *a = which < 15 ? &address[0] :
		which < 20 ? &address[RELAYS + dice(FLOOD)] :
		which < 25 ? &address[RELAYS + FLOOD + dice(FLOOD)] : &address[dice(RELAYS)];

	if (a->last != event + 1)
		a->events++;
	a->last = event + 1;
	a->authors[author / 8] |= (uint8_t) (1 << author % 8);
	return a->raw;
}

static void
tag(const char *name, int at, const char *url)
{
	static const char filler[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	nostr_tags_tag(&tags, (uint32_t) at + 1);
	nostr_tags_name(&tags, (const uint8_t *) name, strlen(name));
	for (int i = 1; i < at; i++)
		nostr_tags_element(&tags, (const uint8_t *) filler, 64);
	nostr_tags_element(&tags, (const uint8_t *) url, strlen(url));
}

static void
entity(NostrNip19Type type, const char *prefix, const char *url)
{
	NostrNip19	e = {.type = type,.nrelays = 1,.relay = {url}};

	e.has_author = e.has_kind = type == NOSTR_NIP19_NADDR;
	e.identifier = "";
	nostr_buf_append_str(&content, prefix);
	if (nostr_nip19_encode(&e, &content) != NULL)
		exit(1);
}

static void
text(const char *before, const char *url, const char *after)
{
	nostr_buf_append_str(&content, before);
	nostr_buf_append_str(&content, url);
	nostr_buf_append_str(&content, after);
}

/* One event that mentions n relays in one way; its kind. */
static int
make(long i, int author, int n)
{
	static const struct
	{
		int			kind;
		const char *name;
		int			at;
	}			in_tags[] = {
		{1, "r", 1}, {1, "e", 2}, {7, "p", 2}, {6, "a", 2}, {1, "q", 2}, {10002, "r", 1},
		{10050, "relay", 1}, {10006, "relay", 1}, {10007, "relay", 1}, {10012, "relay", 1},
		{30002, "relay", 1}, {30166, "d", 1}, {10166, "r", 1}, {1, "relay", 1}, {9734, "relays", 1}
	};
	int			way = (int) dice(23);

	nostr_buf_reset(&tags);
	nostr_buf_reset(&content);
	if (way < 15)
	{
		nostr_tags_begin(&tags, (uint32_t) n);
		for (int k = 0; k < n; k++)
			tag(in_tags[way].name, in_tags[way].at, pick(i, author));
		nostr_buf_append_str(&content, "gm");
		return in_tags[way].kind;
	}
	nostr_tags_begin(&tags, 0);
	if (way == 15)
		n = 1;
	for (int k = 0; k < n; k++)
	{
		const char *url = pick(i, author);

		switch (way)
		{
			case 15:
				text("", url, "");
				break;
			case 16:
				text(k == 0 ? "{\"" : ",\"", url, "\":{\"read\":true,\"write\":false}");
				break;
			case 17:
				entity(NOSTR_NIP19_NPROFILE, " hello nostr:", url);
				break;
			case 18:
				entity(NOSTR_NIP19_NEVENT, "\n\nnostr:", url);
				break;
			case 19:
				entity(NOSTR_NIP19_NADDR, " see ", url);
				break;
			case 20:
				text(" my relay is ", url, ", join!");
				break;
			case 21:
				text(" (", url, ")");
				break;
			default:
				text("\n* ", url, "\n");
				break;
		}
	}
	if (way == 16)
		nostr_buf_append_str(&content, "}");
	return way == 15 ? 2 : way == 16 ? 3 : 1;
}

static void
write_truth(FILE *f)
{
	for (int i = 0; i < ADDRESSES; i++)
	{
		const Address *a = &address[i];
		int			authors = 0;

		if (a->events == 0)
			continue;
		for (int k = 0; k < AUTHORS; k++)
			authors += a->authors[k / 8] >> k % 8 & 1;
		fprintf(f, "%s\t%s\t%u\t%d\n", i < RELAYS ? "relay" : i < RELAYS + FLOOD ? "host" : "domain",
				a->url, a->events, authors);
	}
}

int
main(int argc, char **argv)
{
	static uint8_t seckey[AUTHORS][32];
	long		count = argc == 5 ? atol(argv[1]) : 0;
	FILE	   *events = argc == 5 ? fopen(argv[3], "w") : NULL;
	FILE	   *truth = argc == 5 ? fopen(argv[4], "w") : NULL;
	NostrBuf	json;

	if (count <= 0 || events == NULL || truth == NULL || !nostr_crypto_init())
		return fprintf(stderr, "usage: genmentions COUNT SEED EVENTS TRUTH\n"), 2;
	gen_random.state = strtoull(argv[2], NULL, 10);
	make_addresses();
	gen_keys(seckey, AUTHORS);
	nostr_buf_init(&tags, 1 << 20);
	nostr_buf_init(&content, 1 << 20);
	nostr_buf_init(&json, 1 << 22);
	for (long i = 0; i < count; i++)
	{
		NostrEvent	ev = {0};
		int			a = (int) dice(AUTHORS);

		ev.kind = make(i, a, 1 + (int) dice(4));
		ev.created_at = 1700000000 + i;
		ev.tags = tags.data;
		ev.tags_len = tags.len;
		ev.content = content.data;
		ev.content_len = content.len;
		gen_write(&ev, seckey[a], &json, events);
	}
	write_truth(truth);
	return fclose(events) == 0 && fclose(truth) == 0 ? 0 : 1;
}
