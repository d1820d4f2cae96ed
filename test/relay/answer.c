/*
 * answer.c
 *
 * The answer to a REQ: which events, in which order, how spoilt, how ended.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct Page
{
	RelayItem **item;
	long		n;
	long		room;
	bool		more;			/* something that matches was left out */
} Page;

bool
relay_kind_in(const RelayKinds *k, int kind)
{
	for (int i = 0; i < k->n; i++)
	{
		if (k->kind[i] == kind)
			return true;
	}
	return false;
}

bool
answer_hidden(const Conn *c, const RelayItem *it)
{
	return relay_kind_in(&c->script->hidden_kinds, it->kind) &&
		!(c->authed && c->script->auth == RELAY_AUTH_KINDS);
}

int
answer_flags(const RelayScript *s)
{
	return (s->ignore_since ? RELAY_IGNORE_SINCE : 0) | (s->ignore_until ? RELAY_IGNORE_UNTIL : 0) |
		(s->ignore_kinds ? RELAY_IGNORE_KINDS : 0) | (s->until_exclusive ? RELAY_EXCLUDE_UNTIL : 0);
}

/* --- which events --- */

/* Chosen by id, each salt its own choice. */
static bool
one_in(int n, const RelayItem *it, int salt)
{
	unsigned	v = (unsigned) it->id[31 - 2 * salt] << 8 | it->id[30 - 2 * salt];

	return n > 0 && v % (unsigned) n == 0;
}

bool
relay_spoils(const RelayScript *s, const RelayItem *it)
{
	return one_in(s->forge_id, it, 0) || one_in(s->bad_utf8, it, 1) || one_in(s->malformed, it, 2);
}

static void
take(Page *p, RelayItem *it)
{
	if (p->n == p->room)
	{
		p->room = p->room > 0 ? p->room * 2 : 256;
		p->item = realloc(p->item, (size_t) p->room * sizeof(RelayItem *));
	}
	p->item[p->n++] = it;
}

/* Newest first, within a second as the script says. */
static int	sort_ties;
static int
by_time(const void *a, const void *b)
{
	const RelayItem *x = *(RelayItem *const *) a;
	const RelayItem *y = *(RelayItem *const *) b;

	if (x->created_at != y->created_at)
		return x->created_at > y->created_at ? -1 : 1;
	if (sort_ties == RELAY_TIES_ARRIVAL)
		return x->arrival > y->arrival ? -1 : 1;
	return sort_ties == RELAY_TIES_REVERSE ? memcmp(y->id, x->id, 32) : memcmp(x->id, y->id, 32);
}

static void
reverse(Page *p)
{
	for (long i = 0, k = p->n - 1; i < k; i++, k--)
	{
		RelayItem  *t = p->item[i];

		p->item[i] = p->item[k];
		p->item[k] = t;
	}
}

static void
shuffle(Relay *r, Page *p)
{
	for (long i = p->n - 1; i > 0; i--)
	{
		long		k = (long) (random_next(&r->random) % (uint64_t) (i + 1));
		RelayItem  *t = p->item[i];

		p->item[i] = p->item[k];
		p->item[k] = t;
	}
}

static void
cut(Page *p, long max)
{
	if (p->n > max)
	{
		p->n = max;
		p->more = true;
	}
}

static void
arrange(Conn *c, Page *p, bool limited, long max)
{
	const RelayScript *s = c->script;

	sort_ties = s->ties;
	if (p->n == 0)
		return;
	if (s->ties != RELAY_TIES_ID)	/* else the store's own order */
		qsort(p->item, (size_t) p->n, sizeof(RelayItem *), by_time);
	if (s->order == RELAY_OLDEST || (s->order == RELAY_OLDEST_UNLIMITED && !limited))
		reverse(p);
	if (s->order == RELAY_ANY)
		shuffle(c->relay, p);
	cut(p, max);
	if (s->order == RELAY_SHUFFLED)
		shuffle(c->relay, p);
}

static long
page_max(Conn *c, const RelayFilter *f)
{
	const RelayScript *s = c->script;
	long		max = s->cap > 0 ? s->cap : INT32_MAX;

	if (s->cap_min > 0 && s->cap_min < max)
		max = s->cap_min + (long) (random_next(&c->relay->random) % (uint64_t) (max - s->cap_min + 1));
	if (f->has_limit && !s->ignore_limit && f->limit < max)
		max = f->limit;
	else if (!f->has_limit && s->default_limit > 0 && s->default_limit < max)
		max = s->default_limit;
	return max;
}

/* What one filter gives, appended to *all; an event only once per REQ. */
static void
query(Conn *c, const RelayFilter *f, unsigned long mark, Page *all)
{
	RelayStore *store = c->relay->store;
	int			flags = answer_flags(c->script);
	long		max = page_max(c, f);
	bool		simple = c->script->order == RELAY_NEWEST && c->script->ties == RELAY_TIES_ID;
	bool		eat = c->script->hidden_eat;
	Page		p = {0};

	for (long i = f->has_until && !c->script->ignore_until ? relay_store_find(store, f->until) : 0;
		 i < store->n && !(simple && p.n > max); i++)
	{
		RelayItem  *it = store->item[i];

		if (f->has_since && it->created_at < f->since && !c->script->ignore_since)
			break;
		if (relay_filter_match(f, it, flags) && (eat || !answer_hidden(c, it)))
			take(&p, it);
	}
	arrange(c, &p, f->has_limit, max);
	for (long i = 0; i < p.n; i++)
	{
		if (p.item[i]->mark != mark && !answer_hidden(c, p.item[i]))
		{
			p.item[i]->mark = mark;
			take(all, p.item[i]);
		}
	}
	all->more = all->more || p.more;
	free(p.item);
}

/* --- how they are sent --- */

static void
wrapped(Conn *c, const char *sub, const char *json, size_t len)
{
	static NostrBuf b = {.max = RELAY_MAX_OUT};
	size_t		n = strlen(sub);
	json_t	   *id;
	char	   *quoted;

	if (strpbrk(sub, "\"\\") == NULL && frame_plain(c, 13 + n + len))
	{
		/* the usual case, written where it is sent from */
		conn_bytes(c, "[\"EVENT\",\"", 10);
		conn_bytes(c, sub, n);
		conn_bytes(c, "\",", 2);
		conn_bytes(c, json, len);
		conn_bytes(c, "]", 1);
		return;
	}
	id = json_string(sub);
	quoted = json_dumps(id, JSON_ENCODE_ANY);
	nostr_buf_reset(&b);
	nostr_buf_append_str(&b, "[\"EVENT\",");
	nostr_buf_append_str(&b, quoted);
	nostr_buf_append_byte(&b, ',');
	nostr_buf_append(&b, json, len);
	nostr_buf_append_byte(&b, ']');
	frame_text(c, b.data, b.len);
	free(quoted);
	json_decref(id);
}

static void
change_digit(char *json, const char *member, size_t at)
{
	char	   *p = strstr(json, member);

	if (p != NULL)
		p[strlen(member) + at] = p[strlen(member) + at] == 'a' ? 'b' : 'a';
}

void
answer_event(Conn *c, const char *sub, const RelayItem *it)
{
	const RelayScript *s = c->script;
	char	   *copy = NULL;
	const char *json = it->json;
	size_t		len = it->len;

	if (relay_spoils(s, it) || one_in(s->forge_sig, it, 3))
	{
		copy = strdup(it->json);
		json = copy;
		if (one_in(s->forge_id, it, 0))
			change_digit(copy, "\"id\":\"", 10);
		if (one_in(s->forge_sig, it, 3))
			change_digit(copy, "\"sig\":\"", 10);
		if (one_in(s->bad_utf8, it, 1) && strstr(copy, "\"content\":\"") != NULL)
			strstr(copy, "\"content\":\"")[11] = '\xff';
		if (one_in(s->malformed, it, 2))
			len -= len / 3;
	}
	wrapped(c, sub, json, len);
	c->relay->counters.events++;
	free(copy);
}

static void
extras(Conn *c, const char *sub, json_t *req, const RelayItem *it)
{
	const RelayScript *s = c->script;
	RelayStore *store = c->relay->store;

	if (one_in(s->duplicates, it, 4))
		answer_event(c, sub, it);
	if (one_in(s->wrong_sub, it, 5))
		answer_event(c, "another", it);
	for (int tries = 0; one_in(s->outside, it, 6) && tries < 20; tries++)
	{
		RelayItem  *other = store->item[random_next(&c->relay->random) % (uint64_t) store->n];
		bool		inside = answer_hidden(c, other) || relay_spoils(s, other);
		RelayFilter f;

		for (size_t i = 2; i < json_array_size(req); i++)
			inside = inside || (relay_filter_read(&f, json_array_get(req, i), SIZE_MAX) &&
								relay_filter_match(&f, other, 0));
		if (!inside)
		{
			answer_event(c, sub, other);
			break;
		}
	}
}

static void
say_eose(Conn *c, const char *sub, bool more)
{
	int			hints = c->script->hints;
	json_t	   *m = json_pack("[s, s]", "EOSE", sub);
	char	   *text;

	if (hints == RELAY_HINTS_FINISH || (hints == RELAY_HINTS_HONEST && !more))
		json_array_append_new(m, json_pack("[s]", "finish"));
	else if (hints == RELAY_HINTS_MORE || hints == RELAY_HINTS_HONEST)
		json_array_append_new(m, json_pack("[s]", "more"));
	else if (hints == RELAY_HINTS_STRING)
		json_array_append_new(m, json_string("finish"));
	else if (hints == RELAY_HINTS_UNKNOWN)
		json_array_append_new(m, json_pack("[s, i]", "weather", 3));
	text = json_dumps(m, JSON_COMPACT);
	frame_str(c, text);
	free(text);
	json_decref(m);
}

static void
finish(Conn *c, const char *sub, bool more)
{
	const RelayScript *s = c->script;

	if (s->flood != RELAY_FLOOD_NO)
	{
		c->flooding = s->flood;
		snprintf(c->flood_sub, sizeof(c->flood_sub), "%s", sub);
		return;
	}
	if (s->eose == RELAY_EOSE_NEVER || s->eose == RELAY_EOSE_EARLY)
		return;
	conn_wait(c, s->eose_delay_ms);
	say_eose(c, s->eose == RELAY_EOSE_FOREIGN ? "another" : sub, more);
	if (s->eose == RELAY_EOSE_TWICE)
		say_eose(c, sub, more);
}

/* --- refusals --- */

static void
drop(Conn *c)
{
	if (c->script->drop_how == RELAY_DROP_HALF)
		frame_half(c);
	else if (c->script->drop_how == RELAY_DROP_FRAME)
		frame_control(c, 8, "\x03\xe9", 2);
	conn_end(c);
}

static void
refuse(Conn *c, int how, const char *sub, const char *text)
{
	c->relay->counters.refused++;
	if (how == RELAY_REFUSE_CLOSED)
		message_say(c, "CLOSED", sub, text);
	else if (how == RELAY_REFUSE_NOTICE)
		message_notice(c, text);
	else if (how == RELAY_REFUSE_GARBAGE)
		frame_str(c, "{\"hello\":\"world\"}");
	else if (how == RELAY_REFUSE_DISCONNECT)
		drop(c);
}

static bool
over_rate(Conn *c)
{
	Relay	   *r = c->relay;
	uint64_t	now = uv_now(r->loop);

	if (c->script->rate == 0)
		return false;
	if (r->rate_start == 0 || now - r->rate_start >= (uint64_t) c->script->rate_ms)
	{
		r->rate_start = now;
		r->rate_used = 0;
	}
	return ++r->rate_used > c->script->rate;
}

static bool
names_restricted(const RelayScript *s, json_t *req)
{
	for (size_t i = 2; i < json_array_size(req); i++)
	{
		json_t	   *kinds = json_object_get(json_array_get(req, i), "kinds");

		for (size_t k = 0; k < json_array_size(kinds); k++)
		{
			if (relay_kind_in(&s->restricted_kinds, (int) json_integer_value(json_array_get(kinds, k))))
				return true;
		}
	}
	return false;
}

/* Refuses what is refused before anything is looked up. */
static bool
refused_first(Conn *c, const char *sub, json_t *req)
{
	const RelayScript *s = c->script;
	RelayFilter f;
	bool		valid = json_array_size(req) > 2;

	for (size_t i = 2; i < json_array_size(req); i++)
		valid = valid && relay_filter_read(&f, json_array_get(req, i), (size_t) s->max_items);
	if (s->drop_req > 0 && c->reqs == s->drop_req)
		refuse(c, RELAY_REFUSE_DISCONNECT, sub, "");
	else if (over_rate(c))
		refuse(c, s->rate_how, sub, s->rate_text);
	else if (auth_missing(c))
	{
		if (s->auth == RELAY_AUTH_LATE)
			auth_challenge(c);
		refuse(c, s->auth_notice ? RELAY_REFUSE_NOTICE : RELAY_REFUSE_CLOSED, sub, s->auth_text);
	}
	else if (!valid)
		refuse(c, s->invalid_notice ? RELAY_REFUSE_NOTICE : RELAY_REFUSE_CLOSED, sub,
			   "ERROR: bad req: filter");
	else if (json_array_size(req) - 2 > (size_t) s->max_filters)
		refuse(c, RELAY_REFUSE_CLOSED, sub, "error: too many filters");
	else if (names_restricted(s, req))
		refuse(c, RELAY_REFUSE_CLOSED, sub, "restricted: not for you");
	else
		return false;
	return true;
}

static bool
refused_by_script(const Conn *c)
{
	const RelayScript *s = c->script;

	return s->refuse != RELAY_REFUSE_NO && c->reqs >= s->refuse_from &&
		(s->refuse_count == 0 || c->reqs < s->refuse_from + s->refuse_count);
}

static bool
holds_silent(const RelayScript *s, const Page *p)
{
	for (long i = 0; s->silent_at != 0 && i < p->n; i++)
		if (p->item[i]->created_at == s->silent_at)
			return true;
	return false;
}

static void
send_oversize(Conn *c)
{
	char	   *text;

	if (c->script->oversize <= 0)
		return;
	text = malloc((size_t) c->script->oversize + 1);
	memset(text, ' ', (size_t) c->script->oversize);
	memcpy(text, "[]", 2);
	frame_text(c, text, (size_t) c->script->oversize);
	free(text);
}

/* BIGBROTR_RELAY_TRACE=1: what was asked and how much was answered. */
static void
trace(json_t *req, const Page *p)
{
	char	   *text;

	if (getenv("BIGBROTR_RELAY_TRACE") == NULL)
		return;
	text = json_dumps(json_array_get(req, 2), JSON_COMPACT);
	if (p->n > 0)
		printf("  REQ %.300s: %ld%s, %lld .. %lld\n", text, p->n, p->more ? " of more" : "",
			   (long long) p->item[0]->created_at, (long long) p->item[p->n - 1]->created_at);
	else
		printf("  REQ %.300s: none%s\n", text, p->more ? " of more" : "");
	free(text);
}

void
answer_req(Conn *c, const char *sub, json_t *req)
{
	static unsigned long mark;
	const RelayScript *s = c->script;
	Page		page = {0};
	bool		no = false;

	conn_wait(c, s->delay_ms);
	if (refused_first(c, sub, req))
		return;
	send_oversize(c);
	if (s->eose == RELAY_EOSE_EARLY)
		say_eose(c, sub, false);
	mark++;
	for (size_t i = 2; i < json_array_size(req); i++)
	{
		RelayFilter f;

		if (relay_filter_read(&f, json_array_get(req, i), (size_t) s->max_items))
			query(c, &f, mark, &page);
	}
	trace(req, &page);
	if (holds_silent(c->script, &page))
	{
		free(page.item);
		return;
	}
	no = refused_by_script(c);
	for (long i = 0; i < page.n && !(no && i >= s->refuse_after); i++)
	{
		answer_event(c, sub, page.item[i]);
		extras(c, sub, req, page.item[i]);
		if (s->drop_after > 0 && i + 1 >= s->drop_after)
		{
			drop(c);
			break;
		}
	}
	if (no)
		refuse(c, s->refuse, sub, s->refuse_text);
	else if (!c->ending)
		finish(c, sub, page.more);
	free(page.item);
}

void
answer_count(Conn *c, const char *sub, json_t *req)
{
	RelayStore *store = c->relay->store;
	long		n = 0;
	char		out[RELAY_SUB_LEN * 6 + 64];
	RelayFilter f;

	for (long i = 0; i < store->n; i++)
	{
		bool		match = false;

		for (size_t k = 2; k < json_array_size(req) && !match; k++)
			match = relay_filter_read(&f, json_array_get(req, k), (size_t) c->script->max_items) &&
				relay_filter_match(&f, store->item[i], answer_flags(c->script));
		n += match;
	}
	snprintf(out, sizeof(out), "[\"COUNT\",\"%s\",{\"count\":%ld}]", sub, n);
	frame_str(c, out);
}
