/*
 * event.c
 *
 * The strict event parser.  Survives any bytes from any relay.  Guarantees
 * that an accepted event can be written again and parsed to the same event.
 *
 * The text is read once.  A field of the wrong type does not end the reading,
 * because syntax errors behind it must win: faults are collected, and the
 * order of event.h decides at the end.
 */
#include "pgfree.h"

#include <string.h>

#include "canonical.h"
#include "crypto.h"
#include "hex.h"
#include "json.h"
#include "tags_json.h"

typedef enum Field
{
	FIELD_ID,
	FIELD_PUBKEY,
	FIELD_CREATED_AT,
	FIELD_KIND,
	FIELD_TAGS,
	FIELD_CONTENT,
	FIELD_SIG,
	FIELD_COUNT
} Field;

#define ALL_FIELDS ((1u << FIELD_COUNT) - 1)

typedef struct Parser
{
	NostrJson	js;
	NostrBuf   *scratch;
	NostrEvent *ev;
	unsigned	seen;			/* bit per Field */
	unsigned	faults;			/* bit per NostrReject */
	size_t		tags_at;		/* offsets: scratch moves when it grows */
	size_t		tags_len;
	size_t		content_at;
	size_t		content_len;
} Parser;

static Field
field_of(const uint8_t *s, size_t len)
{
	static const struct
	{
		const char *name;
		size_t		len;
	}			names[FIELD_COUNT] = {
		{"id", 2}, {"pubkey", 6}, {"created_at", 10}, {"kind", 4},
		{"tags", 4}, {"content", 7}, {"sig", 3}
	};

	for (int i = 0; i < FIELD_COUNT; i++)
		if (names[i].len == len && memcmp(names[i].name, s, len) == 0)
			return (Field) i;
	return FIELD_COUNT;
}

static bool
fault(Parser *ps, NostrReject why)
{
	ps->faults |= 1u << why;
	return nostr_json_skip(&ps->js);
}

static bool
parse_hex(Parser *ps, uint8_t *out, size_t len, NostrReject why)
{
	size_t		mark = ps->scratch->len;
	const uint8_t *s;
	size_t		n;

	if (nostr_json_peek(&ps->js) != '"')
		return fault(ps, why);
	if (!nostr_json_string(&ps->js, ps->scratch, &s, &n))
		return false;
	if (!nostr_hex_decode((const char *) s, n, out, len))
	{
		memset(out, 0, len);
		ps->faults |= 1u << why;
	}
	ps->scratch->len = mark;
	return true;
}

static bool
parse_int(Parser *ps, int64_t *v, int64_t min, int64_t max, NostrReject why)
{
	uint8_t		c = nostr_json_peek(&ps->js);
	const uint8_t *s;
	size_t		n;
	int64_t		value;

	if (c != '-' && (c < '0' || c > '9'))
		return fault(ps, why);
	if (!nostr_json_number(&ps->js, &s, &n))
		return false;
	if (nostr_json_int64(s, n, &value) && value >= min && value <= max)
		*v = value;
	else
		ps->faults |= 1u << why;
	return true;
}

static bool
parse_tags(Parser *ps)
{
	NostrReject why = NOSTR_OK;
	size_t		at;

	ps->tags_at = ps->scratch->len;
	if (!nostr_tags_scan(&ps->js, ps->scratch, &why, &at))
		return false;
	if (why != NOSTR_OK)
	{
		ps->faults |= 1u << why;
		ps->scratch->len = ps->tags_at;
	}
	ps->tags_len = ps->scratch->len - ps->tags_at;
	return true;
}

static bool
parse_content(Parser *ps)
{
	const uint8_t *s;

	if (nostr_json_peek(&ps->js) != '"')
		return fault(ps, NOSTR_BAD_CONTENT);
	ps->content_at = ps->scratch->len;
	if (!nostr_json_string(&ps->js, ps->scratch, &s, &ps->content_len))
		return false;
	/* without escapes it still lies in the caller's text */
	if (ps->scratch->len == ps->content_at)
		nostr_buf_append(ps->scratch, s, ps->content_len);
	return true;
}

static bool
parse_field(Parser *ps, Field f)
{
	int64_t		kind = 0;

	switch (f)
	{
		case FIELD_ID:
			return parse_hex(ps, ps->ev->id, 32, NOSTR_BAD_ID);
		case FIELD_PUBKEY:
			return parse_hex(ps, ps->ev->pubkey, 32, NOSTR_BAD_PUBKEY);
		case FIELD_SIG:
			return parse_hex(ps, ps->ev->sig, 64, NOSTR_BAD_SIG);
		case FIELD_CREATED_AT:
			return parse_int(ps, &ps->ev->created_at, INT64_MIN, INT64_MAX,
							 NOSTR_BAD_CREATED_AT);
		case FIELD_KIND:
			if (!parse_int(ps, &kind, 0, NOSTR_MAX_KIND, NOSTR_BAD_KIND))
				return false;
			ps->ev->kind = (int32_t) kind;
			return true;
		case FIELD_TAGS:
			return parse_tags(ps);
		case FIELD_CONTENT:
			return parse_content(ps);
		default:
			return nostr_json_skip(&ps->js);
	}
}

static bool
parse_members(Parser *ps)
{
	bool		first = true;

	if (!nostr_json_open(&ps->js, '{'))
		return false;
	while (nostr_json_more(&ps->js, '}', &first))
	{
		size_t		mark = ps->scratch->len;
		const uint8_t *s;
		size_t		n;
		Field		f;
		bool		ok;

		if (!nostr_json_string(&ps->js, ps->scratch, &s, &n))
			return false;
		f = field_of(s, n);
		ps->scratch->len = mark;
		if (!nostr_json_colon(&ps->js))
			return false;
		if (f != FIELD_COUNT && (ps->seen & 1u << f))
			ok = fault(ps, NOSTR_DUPLICATE_FIELD);
		else
			ok = parse_field(ps, f);
		if (!ok)
			return false;
		if (f != FIELD_COUNT)
			ps->seen |= 1u << f;
	}
	return nostr_json_end(&ps->js);
}

/* Syntax first, then the fields in the order of event.h. */
static NostrReject
verdict(const Parser *ps)
{
	if (ps->js.error != NOSTR_OK)
		return ps->js.error;
	if (ps->scratch->failed)
		return NOSTR_OUT_OF_MEMORY;
	if (ps->seen != ALL_FIELDS)
		return NOSTR_MISSING_FIELD;
	/* enum order: duplicates, then id, pubkey, created_at, ... */
	if (ps->faults != 0)
		return (NostrReject) __builtin_ctz(ps->faults);
	return NOSTR_OK;
}

NostrReject
nostr_event_parse(const char *json, size_t len, NostrBuf *scratch,
				  NostrEvent *ev, size_t *offset)
{
	static const uint8_t no_tags[1] = {0};
	Parser		ps = {.scratch = scratch, .ev = ev};
	NostrReject why;

	memset(ev, 0, sizeof(*ev));
	ev->tags = no_tags;
	ev->tags_len = sizeof(no_tags);
	ev->content = no_tags;
	if (offset != NULL)
		*offset = 0;
	if (len > NOSTR_EVENT_MAX_SIZE)
		return NOSTR_TOO_LARGE;

	nostr_json_init(&ps.js, json, len);
	if (nostr_json_peek(&ps.js) == '{')
		parse_members(&ps);
	else if (nostr_json_skip(&ps.js) && nostr_json_end(&ps.js))
		return NOSTR_NOT_OBJECT;
	why = verdict(&ps);
	if (why != NOSTR_OK)
	{
		if (offset != NULL)
			*offset = ps.js.error_at;
		return why;
	}
	ev->tags = scratch->data + ps.tags_at;
	ev->tags_len = ps.tags_len;
	ev->content = scratch->data + ps.content_at;
	ev->content_len = ps.content_len;
	return nostr_event_match_id(ev, scratch);
}

bool
nostr_event_verify(const NostrEvent *ev)
{
	return nostr_schnorr_verify(ev->sig, ev->id, ev->pubkey);
}
