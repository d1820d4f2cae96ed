/*
 * test_filter.c
 *
 * Filters: what is refused and why, the canonical text, and the match against
 * a naive one over thousands of random filters and events.
 */
#include "pgfree.h"

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "filter.h"
#include "hex.h"
#include "tags.h"

#define H1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define H2 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const char *
verdict(const char *json, size_t *offset)
{
	NostrFilter f;
	NostrFilterReject why = nostr_filter_parse(json, strlen(json), &f, offset);

	nostr_filter_free(&f);
	return nostr_filter_reject_name(why);
}

static void
refused(void)
{
	static const struct
	{
		const char *json;
		const char *why;
		int			offset;		/* -1: not looked at */
	}			t[] = {
		{"{}", "ok", 0},
		{" {\n} ", "ok", 0},
		{"", "bad_json", 0},
		{"{", "bad_json", 1},
		{"{}x", "bad_json", 2},
		{"{\"kinds\":[1],}", "bad_json", -1},
		{"{1:2}", "bad_json", 1},
		{"{\"kinds\" [1]}", "bad_json", 9},
		{"{\"kinds\":[1", "bad_json", 11},
		{"{\"kinds\":", "bad_json", 9},
		{"{\"search\":\"\xff\"}", "bad_json", 11},
		{"{\"search\":\"\\ud800\"}", "bad_json", -1},
		{"[]", "not_object", 0},
		{"null", "not_object", 0},
		{"\"x\"", "not_object", 0},
		{"{\"kinds\":[1],\"kinds\":[2]}", "duplicate_member", 13},
		{"{\"#t\":[\"a\"],\"#t\":[\"b\"]}", "duplicate_member", 12},
		{"{\"since\":1,\"since\":1}", "duplicate_member", 11},
		{"{\"kind\":[1]}", "unknown_member", 1},
		{"{\"#tt\":[\"a\"]}", "unknown_member", 1},
		{"{\"#\":[\"a\"]}", "unknown_member", 1},
		{"{\"#1\":[\"a\"]}", "unknown_member", 1},
		{"{\"&t\":[\"a\"]}", "unknown_member", 1},
		{"{\"IDS\":[]}", "unknown_member", 1},
		{"{\"\":1}", "unknown_member", 1},
		{"{\"ids\":\"" H1 "\"}", "bad_ids", 7},
		{"{\"ids\":[\"abcd\"]}", "bad_ids", 8},
		{"{\"ids\":[\"" H1 "\",\"" H1 "0\"]}", "bad_ids", 75},
		{"{\"ids\":[\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"]}", "bad_ids", 8},
		{"{\"ids\":[1]}", "bad_ids", 8},
		{"{\"ids\":null}", "bad_ids", 7},
		{"{\"authors\":[\"\"]}", "bad_authors", 12},
		{"{\"authors\":{}}", "bad_authors", 11},
		{"{\"kinds\":[-1]}", "bad_kinds", 10},
		{"{\"kinds\":[65536]}", "bad_kinds", 10},
		{"{\"kinds\":[1.0]}", "bad_kinds", 10},
		{"{\"kinds\":[1e1]}", "bad_kinds", 10},
		{"{\"kinds\":[\"1\"]}", "bad_kinds", 10},
		{"{\"kinds\":1}", "bad_kinds", 9},
		{"{\"kinds\":[01]}", "bad_json", -1},
		{"{\"#e\":[\"x\"]}", "bad_tag_values", 7},
		{"{\"#p\":[\"" H1 "\",\"0123456789abcdef\"]}", "bad_tag_values", -1},
		{"{\"#t\":[1]}", "bad_tag_values", 7},
		{"{\"#t\":\"a\"}", "bad_tag_values", 6},
		{"{\"#E\":[\"x\"],\"#t\":[\"\"],\"#P\":[\"\"]}", "ok", 0},
		{"{\"since\":\"1\"}", "bad_since", 9},
		{"{\"since\":1.5}", "bad_since", 9},
		{"{\"since\":9223372036854775808}", "bad_since", 9},
		{"{\"since\":null}", "bad_since", 9},
		{"{\"until\":true}", "bad_until", 9},
		{"{\"until\":-0}", "bad_until", 9},
		{"{\"limit\":-1}", "bad_limit", 9},
		{"{\"limit\":\"5\"}", "bad_limit", 9},
		{"{\"limit\":0,\"since\":-5,\"until\":-9}", "ok", 0},
		{"{\"search\":1}", "bad_search", 10},
	};
	size_t		at;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
	{
		CHECK_STR(verdict(t[i].json, &at), t[i].why);
		if (t[i].offset >= 0 && at != (size_t) t[i].offset)
			fprintf(stderr, "%s: offset %zu\n", t[i].json, at);
		CHECK(t[i].offset < 0 || at == (size_t) t[i].offset);
	}
	for (int i = 0; i < NOSTR_FILTER_REJECT_COUNT; i++)
		CHECK(nostr_filter_reject_name((NostrFilterReject) i) != NULL &&
			  nostr_filter_reject_text((NostrFilterReject) i) != NULL);
	CHECK_STR(nostr_filter_reject_name((NostrFilterReject) 99), "unknown");
}

/* prefix, n times "item" with commas, suffix */
static char *
repeated(const char *prefix, const char *item, size_t n, const char *comma, const char *suffix)
{
	char	   *s = malloc(strlen(prefix) + n * (strlen(item) + 1) + strlen(suffix) + 1);
	char	   *p = stpcpy(s, prefix);

	for (size_t i = 0; i < n; i++)
	{
		if (i > 0)
			p = stpcpy(p, comma);
		p = stpcpy(p, item);
	}
	strcpy(p, suffix);
	return s;
}

static void
bounds(void)
{
	static const struct
	{
		const char *prefix;
		const char *item;
		size_t		n;
		const char *comma;
		const char *suffix;
		const char *why;
	}			t[] = {
		{"{\"kinds\":[", "7", NOSTR_FILTER_MAX_VALUES, ",", "]}", "ok"},
		{"{\"kinds\":[", "7", NOSTR_FILTER_MAX_VALUES + 1, ",", "]}", "too_many_values"},
		{"{\"#t\":[", "\"\"", NOSTR_FILTER_MAX_VALUES, ",", "]}", "ok"},
		{"{\"#t\":[", "\"\"", NOSTR_FILTER_MAX_VALUES + 1, ",", "]}", "too_many_values"},
		{"{\"ids\":[", "\"" H1 "\"", NOSTR_FILTER_MAX_VALUES, ",", "]}", "ok"},
		{"{\"ids\":[", "\"" H1 "\"", NOSTR_FILTER_MAX_VALUES + 1, ",", "]}", "too_many_values"},
		{"{\"search\":\"", "x", NOSTR_FILTER_MAX_SEARCH, "", "\"}", "ok"},
		{"{\"search\":\"", "x", NOSTR_FILTER_MAX_SEARCH + 1, "", "\"}", "bad_search"},
		{"{\"search\":\"", "\\u00e9", NOSTR_FILTER_MAX_SEARCH / 2, "", "\"}", "ok"},
		{"{", " ", NOSTR_FILTER_MAX_SIZE - 2, "", "}", "ok"},
		{"{", " ", NOSTR_FILTER_MAX_SIZE - 1, "", "}", "too_large"},
		{"", "[", 100000, "", "", "bad_json"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
	{
		char	   *s = repeated(t[i].prefix, t[i].item, t[i].n, t[i].comma, t[i].suffix);

		CHECK_STR(verdict(s, NULL), t[i].why);
		free(s);
	}
}

static void
canonical_is(const char *json, const char *want)
{
	NostrFilter f;
	NostrBuf	out;

	nostr_buf_init(&out, 1 << 22);
	CHECK(nostr_filter_parse(json, strlen(json), &f, NULL) == NOSTR_FILTER_OK);
	nostr_filter_json(&f, &out);
	nostr_buf_append_byte(&out, 0);
	CHECK(!out.failed);
	CHECK_STR((char *) out.data, want);
	nostr_filter_free(&f);
	nostr_buf_free(&out);
}

static void
canonical(void)
{
	canonical_is(" { } ", "{}");
	canonical_is("{\"kinds\":[]}", "{\"kinds\":[]}");
	canonical_is("{\"kinds\":[3, 1,3 ,0,65535]}", "{\"kinds\":[0,1,3,65535]}");
	canonical_is("{\"limit\":5,\"until\":2,\"since\":-1}", "{\"since\":-1,\"until\":2,\"limit\":5}");
	canonical_is("{\"since\":-9223372036854775808,\"until\":9223372036854775807}", "{}");
	canonical_is("{\"search\":\"\",\"ids\":[\"" H2 "\",\"" H1 "\",\"" H2 "\"]}",
				 "{\"ids\":[\"" H1 "\",\"" H2 "\"],\"search\":\"\"}");
	canonical_is("{\"#t\":[\"b\",\"\\u0061\",\"\",\"b\"],\"#T\":[\"\\u0000\\/\\\"\"],\"authors\":[]}",
				 "{\"authors\":[],\"#T\":[\"\\u0000/\\\"\"],\"#t\":[\"\",\"a\",\"b\"]}");
	/* one value, however it could be stored */
	canonical_is("{\"#d\":[\"0123456789abcdef\",\"0123456789ABCDEF\",\"\\u0030123456789abcdef\"]}",
				 "{\"#d\":[\"0123456789abcdef\",\"0123456789ABCDEF\"]}");
}

/* --- against a naive matcher ------------------------------------------- */

#define WORDS	10
#define MOST	4

static const char *const word[WORDS] = {
	"", "a", "b", "ab", "nostr", H1, H2, "0123456789abcdef", "0123456789ABCDEF", "\xc3\xa9t\xc3\xa9"
};
static const char letters[] = "Aaeptz";

typedef struct NaiveFilter
{
	int			nids;			/* -1: absent */
	int			nauthors;
	int			nkinds;
	int			nvalues[6];
	int			ids[MOST];		/* which of four hashes */
	int			authors[MOST];
	int			kinds[MOST];
	int			values[6][MOST];	/* which word; for e and p 5 or 6 */
	int64_t		since;
	int64_t		until;
} NaiveFilter;

typedef struct NaiveEvent
{
	int			id;
	int			author;
	int			kind;
	int64_t		created_at;
	int			ntags;
	int			letter[6];		/* 6: a name of two letters */
	int			value[6];		/* -1: the tag has a name only */
} NaiveEvent;

static void
hash_of(int which, uint8_t out[32])
{
	memset(out, which * 85, 32);
	out[31] = (uint8_t) (which & 1);
}

static bool
listed(const int *list, int n, int what)
{
	if (n < 0)
		return true;
	for (int i = 0; i < n; i++)
		if (list[i] == what)
			return true;
	return false;
}

static bool
naive_match(const NaiveFilter *f, const NaiveEvent *e)
{
	for (int l = 0; l < 6; l++)
	{
		bool		any = f->nvalues[l] < 0;

		for (int i = 0; i < e->ntags && !any; i++)
			any = e->letter[i] == l && e->value[i] >= 0 &&
				listed(f->values[l], f->nvalues[l], e->value[i]);
		if (!any)
			return false;
	}
	return listed(f->ids, f->nids, e->id) && listed(f->authors, f->nauthors, e->author) &&
		listed(f->kinds, f->nkinds, e->kind) &&
		f->since <= e->created_at && e->created_at <= f->until;
}

static int
some(int n)
{
	return rand() % n;
}

static int
random_list(int *list, int base, int n)
{
	int			len = some(4) == 0 ? some(MOST + 1) : -1;

	for (int i = 0; i < len; i++)
		list[i] = base + some(n);
	return len;
}

static void
random_filter(NaiveFilter *f)
{
	f->nids = random_list(f->ids, 0, 4);
	f->nauthors = random_list(f->authors, 0, 4);
	f->nkinds = random_list(f->kinds, 0, 4);
	for (int l = 0; l < 6; l++)
		f->nvalues[l] = letters[l] == 'e' || letters[l] == 'p' ?
			random_list(f->values[l], 5, 2) : random_list(f->values[l], 0, WORDS);
	f->since = some(3) == 0 ? some(20) : INT64_MIN;
	f->until = some(3) == 0 ? some(20) : INT64_MAX;
}

static void
random_event(NaiveEvent *e)
{
	e->id = some(4);
	e->author = some(4);
	e->kind = some(4);
	e->created_at = some(20);
	e->ntags = some(7);
	for (int i = 0; i < e->ntags; i++)
	{
		e->letter[i] = some(7);
		e->value[i] = some(WORDS + 1) - 1;
	}
}

/* Puts the parts of the object in random order. */
typedef struct Parts
{
	char		part[16][512];
	int			n;
} Parts;

static void
add_hashes(Parts *p, const char *name, const int *list, int n)
{
	char	   *s = p->part[p->n];

	if (n < 0)
		return;
	p->n++;
	s += sprintf(s, "\"%s\":[", name);
	for (int i = 0; i < n; i++)
	{
		uint8_t		hash[32];

		hash_of(list[i], hash);
		s += sprintf(s, "%s\"", i > 0 ? "," : "");
		nostr_hex_encode(hash, 32, s);
		s = stpcpy(s + 64, "\"");
	}
	strcpy(s, "]");
}

static void
shuffle_list(int *list, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int			j = some(i + 1);
		int			t = list[i];

		list[i] = list[j];
		list[j] = t;
	}
}

static void
filter_text(NaiveFilter *f, char *out)
{
	Parts		p = {.n = 0};
	int			order[16];

	add_hashes(&p, "ids", f->ids, f->nids);
	add_hashes(&p, "authors", f->authors, f->nauthors);
	if (f->nkinds >= 0)
	{
		char	   *s = p.part[p.n++];

		s += sprintf(s, "\"kinds\":[");
		for (int i = 0; i < f->nkinds; i++)
			s += sprintf(s, "%s%d", i > 0 ? " , " : "", f->kinds[i]);
		strcpy(s, "]");
	}
	for (int l = 0; l < 6; l++)
	{
		char	   *s = p.part[p.n];

		if (f->nvalues[l] < 0)
			continue;
		p.n++;
		s += sprintf(s, "\"#%c\":[", letters[l]);
		for (int i = 0; i < f->nvalues[l]; i++)
			s += sprintf(s, "%s\"%s\"", i > 0 ? "," : "", word[f->values[l][i]]);
		strcpy(s, "]");
	}
	if (f->since != INT64_MIN)
		sprintf(p.part[p.n++], "\"since\": %d", (int) f->since);
	if (f->until != INT64_MAX)
		sprintf(p.part[p.n++], "\"until\":%d", (int) f->until);
	for (int i = 0; i < p.n; i++)
		order[i] = i;
	shuffle_list(order, p.n);
	out = stpcpy(out, "{");
	for (int i = 0; i < p.n; i++)
		out += sprintf(out, "%s%s", i > 0 ? "," : "", p.part[order[i]]);
	strcpy(out, "}");
}

static void
event_of(const NaiveEvent *e, NostrBuf *tags, NostrEvent *ev)
{
	memset(ev, 0, sizeof(*ev));
	hash_of(e->id, ev->id);
	hash_of(e->author, ev->pubkey);
	ev->kind = e->kind;
	ev->created_at = e->created_at;
	nostr_buf_reset(tags);
	nostr_tags_begin(tags, (uint32_t) e->ntags);
	for (int i = 0; i < e->ntags; i++)
	{
		bool		two = e->letter[i] == 6;
		const char *w = e->value[i] >= 0 ? word[e->value[i]] : "";

		/* the value comes again behind, where it must not count */
		nostr_tags_tag(tags, e->value[i] >= 0 ? 3 : 1);
		nostr_tags_name(tags, (const uint8_t *) (two ? "tt" : &letters[e->letter[i]]), two ? 2 : 1);
		if (e->value[i] < 0)
			continue;
		nostr_tags_element(tags, (const uint8_t *) w, strlen(w));
		nostr_tags_element(tags, (const uint8_t *) word[some(WORDS)], strlen(word[0]));
	}
	ev->tags = tags->data;
	ev->tags_len = tags->len;
}

/* Another way to write the same filter has the same text. */
static void
check_same_text(NaiveFilter *nf, const NostrFilter *f)
{
	static char text[16384];
	NostrFilter g;
	NostrFilter h;
	NostrBuf	a;
	NostrBuf	b;

	shuffle_list(nf->ids, nf->nids);
	shuffle_list(nf->authors, nf->nauthors);
	shuffle_list(nf->kinds, nf->nkinds);
	for (int l = 0; l < 6; l++)
		shuffle_list(nf->values[l], nf->nvalues[l]);
	filter_text(nf, text);
	nostr_buf_init(&a, 1 << 20);
	nostr_buf_init(&b, 1 << 20);
	nostr_filter_json(f, &a);
	CHECK(nostr_filter_parse(text, strlen(text), &g, NULL) == NOSTR_FILTER_OK);
	nostr_filter_json(&g, &b);
	CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	CHECK(nostr_filter_parse((char *) a.data, a.len, &h, NULL) == NOSTR_FILTER_OK);
	nostr_buf_reset(&b);
	nostr_filter_json(&h, &b);
	CHECK(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	nostr_filter_free(&g);
	nostr_filter_free(&h);
	nostr_buf_free(&a);
	nostr_buf_free(&b);
}

static void
against_naive(void)
{
	static char text[16384];
	NostrBuf	tags;
	int			matched = 0;

	nostr_buf_init(&tags, 1 << 20);
	srand(1);
	for (int i = 0; i < 5000; i++)
	{
		NaiveFilter nf;
		NostrFilter f;
		bool		any = false;

		random_filter(&nf);
		filter_text(&nf, text);
		CHECK(nostr_filter_parse(text, strlen(text), &f, NULL) == NOSTR_FILTER_OK);
		for (int k = 0; k < 40; k++)
		{
			NaiveEvent	ne;
			NostrEvent	ev;
			bool		want;

			random_event(&ne);
			event_of(&ne, &tags, &ev);
			want = naive_match(&nf, &ne);
			if (nostr_filter_match(&f, &ev) != want)
				fprintf(stderr, "%s\n", text);
			CHECK(nostr_filter_match(&f, &ev) == want);
			matched += want;
			any |= want;
		}
		CHECK(!any || !nostr_filter_never(&f));
		check_same_text(&nf, &f);
		nostr_filter_free(&f);
	}
	/* the test says something only when both answers are frequent */
	CHECK(matched > 10000 && matched < 190000);
	nostr_buf_free(&tags);
}

static bool
naive_list_covers(const int *wide, int nwide, const int *narrow, int nnarrow)
{
	if (nwide >= 0 && nnarrow < 0)
		return false;
	for (int i = 0; i < nnarrow; i++)
		if (!listed(wide, nwide, narrow[i]))
			return false;
	return true;
}

static bool
naive_covers(const NaiveFilter *w, const NaiveFilter *n)
{
	for (int l = 0; l < 6; l++)
		if (!naive_list_covers(w->values[l], w->nvalues[l], n->values[l], n->nvalues[l]))
			return false;
	return naive_list_covers(w->ids, w->nids, n->ids, n->nids) &&
		naive_list_covers(w->authors, w->nauthors, n->authors, n->nauthors) &&
		naive_list_covers(w->kinds, w->nkinds, n->kinds, n->nkinds) &&
		w->since <= n->since && n->until <= w->until;
}

/* Random pairs; every second narrow one is the wide one with less in a list. */
static void
covers(void)
{
	static char text[2][16384];
	int			yes = 0;

	srand(2);
	for (int i = 0; i < 20000; i++)
	{
		NaiveFilter nf[2];
		NostrFilter f[2];

		random_filter(&nf[0]);
		random_filter(&nf[1]);
		if (i % 2 == 0)
		{
			nf[1] = nf[0];
			nf[1].nkinds = nf[1].nkinds < 0 ? 0 : nf[1].nkinds / 2;
			nf[1].nvalues[some(6)]--;
			nf[1].since++;
			for (int l = 0; l < 6; l++)
				nf[1].nvalues[l] = nf[1].nvalues[l] < -1 ? -1 : nf[1].nvalues[l];
		}
		for (int k = 0; k < 2; k++)
		{
			filter_text(&nf[k], text[k]);
			CHECK(nostr_filter_parse(text[k], strlen(text[k]), &f[k], NULL) == NOSTR_FILTER_OK);
			CHECK(nostr_filter_covers(&f[k], &f[k]));
		}
		CHECK(nostr_filter_covers(&f[0], &f[1]) == naive_covers(&nf[0], &nf[1]));
		yes += naive_covers(&nf[0], &nf[1]);
		nostr_filter_free(&f[0]);
		nostr_filter_free(&f[1]);
	}
	CHECK(yes > 1000 && yes < 19000);
}

static void
never(void)
{
	static const struct
	{
		const char *json;
		bool		never;
	}			t[] = {
		{"{}", false},
		{"{\"kinds\":[]}", true},
		{"{\"ids\":[]}", true},
		{"{\"authors\":[]}", true},
		{"{\"#x\":[]}", true},
		{"{\"since\":2,\"until\":1}", true},
		{"{\"since\":1,\"until\":1}", false},
		{"{\"limit\":0}", false},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
	{
		NostrFilter f;

		CHECK(nostr_filter_parse(t[i].json, strlen(t[i].json), &f, NULL) == NOSTR_FILTER_OK);
		CHECK(nostr_filter_never(&f) == t[i].never);
		nostr_filter_free(&f);
	}
}

int
main(void)
{
	refused();
	bounds();
	canonical();
	never();
	covers();
	against_naive();
	return check_done();
}
