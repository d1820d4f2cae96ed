/*
 * script.c
 *
 * The table of everything a scripted relay can be told.
 */
#include "script.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum SettingType
{
	HEADING, NUMBER, FLAG, TEXT, KINDS, CHOICE
} SettingType;

typedef struct Setting
{
	const char *name;
	SettingType type;
	size_t		offset;
	const char *choices;		/* "a|b|c", in the order of the enum */
	const char *help;
} Setting;

#define AT(field) offsetof(RelayScript, field)

static const Setting table[] = {
	{"What a page holds", HEADING, 0, NULL, NULL},
	{"cap", NUMBER, AT(cap), NULL, "most events in one answer, whatever the limit says"},
	{"cap_min", NUMBER, AT(cap_min), NULL, "the cap of each answer is drawn between this and cap; 0: always cap"},
	{"default_limit", NUMBER, AT(default_limit), NULL, "limit of a filter that has none; 0: the cap"},
	{"order", CHOICE, AT(order), "newest|oldest|shuffled|any|oldest_unlimited",
	"newest first; oldest first; the newest in random order; random events; oldest first without limit"},
	{"ties", CHOICE, AT(ties), "id|arrival|reverse", "order within a second: lowest id, last arrived, highest id"},
	{"ignore_until", FLAG, AT(ignore_until), NULL, "until is ignored"},
	{"ignore_since", FLAG, AT(ignore_since), NULL, "since is ignored"},
	{"ignore_limit", FLAG, AT(ignore_limit), NULL, "limit is ignored (cap is not)"},
	{"ignore_kinds", FLAG, AT(ignore_kinds), NULL, "kinds is ignored"},
	{"until_exclusive", FLAG, AT(until_exclusive), NULL, "events of the second until are left out"},
	{"hidden_kinds", KINDS, AT(hidden_kinds), NULL, "kinds that are held but not served (see auth)"},
	{"hidden_eat", FLAG, AT(hidden_eat), NULL, "hidden events count against limit and cap: short, even empty pages"},

	{"How an answer ends", HEADING, 0, NULL, NULL},
	{"eose", CHOICE, AT(eose), "yes|never|twice|early|foreign",
	"once; never; twice; before the events; for another subscription"},
	{"eose_delay_ms", NUMBER, AT(eose_delay_ms), NULL, "pause before EOSE"},
	{"hints", CHOICE, AT(hints), "none|honest|finish|more|string|unknown",
	"NIP-67: none; true ones; always finish (a lie); always more; a string, no array; unknown words"},

	{"Refusals", HEADING, 0, NULL, NULL},
	{"refuse", CHOICE, AT(refuse), "no|closed|notice|silent|garbage|disconnect", "how REQs are refused"},
	{"refuse_from", NUMBER, AT(refuse_from), NULL, "first REQ of a connection that is refused, from 1"},
	{"refuse_count", NUMBER, AT(refuse_count), NULL, "so many are refused; 0: all"},
	{"refuse_after", NUMBER, AT(refuse_after), NULL, "events that come before the refusal"},
	{"refuse_text", TEXT, AT(refuse_text), NULL, "what CLOSED or NOTICE say"},
	{"rate", NUMBER, AT(rate), NULL, "REQs in rate_ms, over all connections; 0: no limit"},
	{"rate_ms", NUMBER, AT(rate_ms), NULL, "the interval; it begins with its first REQ"},
	{"rate_how", CHOICE, AT(rate_how), "no|closed|notice|silent|garbage|disconnect", "what happens to one REQ more"},
	{"rate_text", TEXT, AT(rate_text), NULL, "what CLOSED or NOTICE say then"},
	{"silent_at", NUMBER, AT(silent_at), NULL, "pages that hold an event of this second get no answer; 0: none"},
	{"auth", CHOICE, AT(auth), "none|offer|required|late|refuse|deaf|no_challenge|kinds",
	"NIP-42: never; challenge only; challenge at once and required; challenge with the first refusal; "
	"no key is good enough; AUTH is not answered; required without challenge; for hidden_kinds only"},
	{"auth_text", TEXT, AT(auth_text), NULL, "what is said to those who are not authenticated"},
	{"auth_notice", FLAG, AT(auth_notice), NULL, "as NOTICE instead of CLOSED"},
	{"restricted_kinds", KINDS, AT(restricted_kinds), NULL, "filters that name one are refused with restricted:"},
	{"max_subs", NUMBER, AT(max_subs), NULL, "open subscriptions of a connection; one more is refused"},
	{"max_filters", NUMBER, AT(max_filters), NULL, "filters in a REQ"},
	{"max_items", NUMBER, AT(max_items), NULL, "values in one list of a filter"},
	{"max_message", NUMBER, AT(max_message), NULL, "bytes of a message; longer ones get a NOTICE only"},
	{"invalid_notice", FLAG, AT(invalid_notice), NULL, "unreadable filters get NOTICE alone, not CLOSED"},

	{"The connection", HEADING, 0, NULL, NULL},
	{"drop_after", NUMBER, AT(drop_after), NULL, "the connection ends after so many events of a REQ; 0: never"},
	{"drop_req", NUMBER, AT(drop_req), NULL, "it ends instead of an answer to this REQ, from 1; 0: never"},
	{"drop_how", CHOICE, AT(drop_how), "close|reset|half|frame",
	"FIN; RST; within a frame; with a close frame"},
	{"delay_ms", NUMBER, AT(delay_ms), NULL, "pause before each answer"},
	{"latency_ms", NUMBER, AT(latency_ms), NULL,
	"everything is written so long after what it answers: as if the way were that long"},
	{"drip_bytes", NUMBER, AT(drip_bytes), NULL, "bytes written at a time; 0: all"},
	{"drip_ms", NUMBER, AT(drip_ms), NULL, "pause between them"},
	{"mute_ms", NUMBER, AT(mute_ms), NULL,
	"so long after it began the relay says nothing more, not even to a ping, and closes nothing; 0: never"},
	{"fragment", NUMBER, AT(fragment), NULL, "messages are cut into frames of so many bytes; 0: whole"},
	{"ping", NUMBER, AT(ping), NULL, "a ping goes before every so manyth message, also between fragments"},
	{"frames", CHOICE, AT(frames), "text|binary|masked|reserved|endless|orphan",
	"as they should be; binary; masked; reserved bits; 2^62 bytes long; a continuation of nothing"},
	{"flood", CHOICE, AT(flood), "no|events|notices|pings|garbage", "what is sent without end instead of EOSE"},
	{"flood_mb", NUMBER, AT(flood_mb), NULL, "megabytes after which even that ends"},
	{"oversize", NUMBER, AT(oversize), NULL, "a message of so many bytes goes before each answer"},
	{"listen", TEXT, AT(listen), NULL, "IPv4 address to listen at (127.0.0.1)"},
	{"tls", TEXT, AT(tls), NULL, "wss, with TLS.crt (its chain behind it) and TLS.key; for all connections"},
	{"tls_max", CHOICE, AT(tls_max), "1.3|1.2|1.1", "the newest version it speaks; 1.1 is what nobody takes any more"},
	{"tls_delay_ms", NUMBER, AT(tls_delay_ms), NULL, "pause before its part of the handshake"},
	{"upgrade_delay_ms", NUMBER, AT(upgrade_delay_ms), NULL, "pause before the answer to the upgrade, and to NIP-11"},
	{"http", NUMBER, AT(http), NULL, "status of the upgrade; 101 is WebSocket"},
	{"location", TEXT, AT(location), NULL, "Location of that answer, and of a NIP-11 redirect"},
	{"handshake", CHOICE, AT(handshake), "ok|hang|hang_up|bad_accept|garbage", "what becomes of the upgrade"},

	{"Events, one in N, chosen by id", HEADING, 0, NULL, NULL},
	{"duplicates", NUMBER, AT(duplicates), NULL, "come twice"},
	{"outside", NUMBER, AT(outside), NULL, "are followed by one that the filter excludes"},
	{"wrong_sub", NUMBER, AT(wrong_sub), NULL, "come a second time for another subscription"},
	{"forge_id", NUMBER, AT(forge_id), NULL, "have another id than their hash"},
	{"forge_sig", NUMBER, AT(forge_sig), NULL, "have a broken signature"},
	{"bad_utf8", NUMBER, AT(bad_utf8), NULL, "hold invalid UTF-8"},
	{"malformed", NUMBER, AT(malformed), NULL, "are no JSON"},

	{"The rest", HEADING, 0, NULL, NULL},
	{"writes", CHOICE, AT(writes), "yes|refuse|silent|lie|auth|never|kind",
	"EVENT: taken; OK false; no OK; OK true and dropped; after NIP-42 only; auth-required: even then; "
	"no ephemeral kinds"},
	{"ok_delay_ms", NUMBER, AT(ok_delay_ms), NULL, "pause before OK"},
	{"neg", CHOICE, AT(neg), "none|yes|silent|closed|blocked|error|v0|garbage|v0_only",
	"NIP-77: NOTICE unknown; served; no answer; NEG-ERR closed:, blocked:, error:; the version byte of "
	"protocol 0; nonsense; NOTICE, because a NEG-OPEN of protocol 0 has another element"},
	{"neg_max", NUMBER, AT(neg_max), NULL, "more events than this are blocked: with the number; 0: no bound"},
	{"neg_frame", NUMBER, AT(neg_frame), NULL, "most bytes of one NEG-MSG; 0: no bound"},
	{"neg_rounds", NUMBER, AT(neg_rounds), NULL, "NEG-ERR closed: after so many messages; 0: never"},
	{"nip11", CHOICE, AT(nip11),
		"ok|none|status|html|type|empty|not_json|array|cut|huge|deep|utf8|nul|types|twice|redirect|loop|hang|length",
	"the document: fine; 404; nip11_status; a web page; wrong Content-Type; no body; text; an array; cut; 8 MB; "
	"nested; bad UTF-8; U+0000; wrong types; repeated members; 302 to location; 302 to itself; never; "
	"wrong Content-Length"},
	{"nip11_max_limit", NUMBER, AT(nip11_max_limit), NULL, "max_limit it claims; 0: the cap, -1: nothing"},
	{"nip11_status", NUMBER, AT(nip11_status), NULL, "status for nip11=status"},
	{"count", FLAG, AT(count), NULL, "COUNT is answered (NIP-45), hidden kinds included"},
};

#define NSETTINGS ((int) (sizeof(table) / sizeof(table[0])))

void
relay_script_default(RelayScript *s)
{
	memset(s, 0, sizeof(*s));
	s->cap = 500;
	s->refuse_from = 1;
	strcpy(s->listen, "127.0.0.1");
	s->rate_ms = 1000;
	s->rate_how = RELAY_REFUSE_CLOSED;
	s->max_subs = 20;
	s->max_filters = 20;
	s->max_items = 10000;
	s->max_message = 1 << 20;
	s->flood_mb = 256;
	s->http = 101;
	s->nip11_status = 500;
	strcpy(s->refuse_text, "error: no");
	strcpy(s->rate_text, "rate-limited: slow down");
	strcpy(s->auth_text, "auth-required: sign in first");
}

void
relay_plan_default(RelayPlan *p)
{
	memset(p, 0, sizeof(*p));
	relay_script_default(&p->base);
}

void
relay_plan_free(RelayPlan *p)
{
	free(p->nth);
	p->nth = NULL;
	p->n = 0;
}

static const Setting *
find(const char *name)
{
	for (int i = 0; i < NSETTINGS; i++)
	{
		if (table[i].type != HEADING && strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

/* Index of a word in "a|b|c", or -1. */
static int
choice(const char *choices, const char *word)
{
	size_t		len = strlen(word);
	int			n = 0;

	for (const char *p = choices;; n++)
	{
		size_t		l = strcspn(p, "|");

		if (l == len && memcmp(p, word, len) == 0)
			return n;
		p += l;
		if (*p++ == '\0')
			return -1;
	}
}

static bool
set_kinds(RelayKinds *k, const char *value)
{
	k->n = 0;
	while (*value != '\0')
	{
		char	   *end;
		long		v = strtol(value, &end, 10);

		if (end == value || v < 0 || v > 65535 || k->n == RELAY_MAX_KINDS)
			return false;
		k->kind[k->n++] = (int) v;
		value = *end == ',' ? end + 1 : end;
		if (*end != ',' && *end != '\0')
			return false;
	}
	return true;
}

bool
relay_script_set(RelayScript *s, const char *name, const char *value, const char **why)
{
	const Setting *t = find(name);
	char	   *field = (char *) s + (t != NULL ? t->offset : 0);
	char	   *end;
	long		number;

	*why = "no such setting";
	if (t == NULL)
		return false;
	*why = "bad value";
	number = strtol(value, &end, 10);
	switch (t->type)
	{
		case NUMBER:
			*(int *) field = (int) number;
			return end != value && *end == '\0' && number >= -1 && number <= 1 << 30;
		case FLAG:
			*(bool *) field = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
			return *(bool *) field || strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
		case TEXT:
			snprintf(field, RELAY_TEXT, "%s", value);
			return strlen(value) < RELAY_TEXT;
		case KINDS:
			return set_kinds((RelayKinds *) field, value);
		case CHOICE:
			*(int *) field = choice(t->choices, value);
			if (*(int *) field >= 0)
				return true;
			*(int *) field = 0;
			return false;
		case HEADING:
			break;
	}
	return false;
}

static bool
set_json(RelayScript *s, const char *name, json_t *value, const char **why)
{
	char		text[RELAY_TEXT * 2] = "";
	size_t		i;
	json_t	   *v;

	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long) json_integer_value(value));
	else if (json_is_boolean(value))
		strcpy(text, json_is_true(value) ? "true" : "false");
	else if (json_is_string(value))
		snprintf(text, sizeof(text), "%s", json_string_value(value));
	else if (json_is_array(value) && json_array_size(value) <= RELAY_MAX_KINDS)
	{
		json_array_foreach(value, i, v)
			snprintf(text + strlen(text), 16, "%s%d", i > 0 ? "," : "",
					 (int) json_integer_value(v));
	}
	return relay_script_set(s, name, text, why);
}

static bool
set_all(RelayScript *s, json_t *o, const char **why)
{
	const char *name;
	json_t	   *value;

	json_object_foreach(o, name, value)
	{
		if (strcmp(name, "connections") != 0 && strcmp(name, "repeat") != 0 &&
			!set_json(s, name, value, why))
			return false;
	}
	return true;
}

bool
relay_plan_parse(RelayPlan *p, const char *json, size_t len, const char **why)
{
	json_t	   *o = json_loadb(json, len, 0, NULL);
	json_t	   *list = json_object_get(o, "connections");
	bool		ok = json_is_object(o) && json_array_size(list) <= RELAY_MAX_SCRIPTS;

	*why = "not a JSON object";
	ok = ok && set_all(&p->base, o, why);
	if (ok && list != NULL)
	{
		relay_plan_free(p);
		p->nth = calloc(RELAY_MAX_SCRIPTS, sizeof(RelayScript));
		for (; ok && p->n < (int) json_array_size(list); p->n++)
		{
			p->nth[p->n] = p->base;
			ok = set_all(&p->nth[p->n], json_array_get(list, p->n), why);
		}
		p->repeat = json_is_true(json_object_get(o, "repeat"));
	}
	json_decref(o);
	return ok;
}

static void
setting_json(const Setting *t, const char *field, json_t *o)
{
	const char *word = t->choices;
	json_t	   *list;

	switch (t->type)
	{
		case NUMBER:
			json_object_set_new(o, t->name, json_integer(*(const int *) field));
			break;
		case FLAG:
			json_object_set_new(o, t->name, json_boolean(*(const bool *) field));
			break;
		case TEXT:
			json_object_set_new(o, t->name, json_string(field));
			break;
		case KINDS:
			list = json_array();
			for (int i = 0; i < ((const RelayKinds *) field)->n; i++)
				json_array_append_new(list, json_integer(((const RelayKinds *) field)->kind[i]));
			json_object_set_new(o, t->name, list);
			break;
		case CHOICE:
			for (int i = *(const int *) field; i > 0; i--)
				word += strcspn(word, "|") + 1;
			json_object_set_new(o, t->name, json_stringn(word, strcspn(word, "|")));
			break;
		case HEADING:
			break;
	}
}

/* What differs between the two. */
static json_t *
script_json(const RelayScript *s, const RelayScript *from)
{
	static const size_t size[] = {[HEADING] = 0,[NUMBER] = sizeof(int),[FLAG] = sizeof(bool),
	[TEXT] = RELAY_TEXT,[KINDS] = sizeof(RelayKinds),[CHOICE] = sizeof(int)};
	json_t	   *o = json_object();

	for (int i = 0; i < NSETTINGS; i++)
	{
		const Setting *t = &table[i];
		const char *a = (const char *) s + t->offset;

		if (memcmp(a, (const char *) from + t->offset, size[t->type]) != 0)
			setting_json(t, a, o);
	}
	return o;
}

void
relay_plan_json(const RelayPlan *p, NostrBuf *out)
{
	RelayScript def;
	json_t	   *o;
	char	   *text;

	relay_script_default(&def);
	o = script_json(&p->base, &def);
	if (p->n > 0)
	{
		json_t	   *list = json_array();

		for (int i = 0; i < p->n; i++)
			json_array_append_new(list, script_json(&p->nth[i], &p->base));
		json_object_set_new(o, "connections", list);
		json_object_set_new(o, "repeat", json_boolean(p->repeat));
	}
	text = json_dumps(o, JSON_COMPACT);
	nostr_buf_append_str(out, text);
	free(text);
	json_decref(o);
}

const RelayScript *
relay_plan_for(const RelayPlan *p, unsigned long connection)
{
	unsigned long i = connection > 0 ? connection - 1 : 0;

	if (p->n > 0 && p->repeat)
		i %= (unsigned long) p->n;
	return i < (unsigned long) p->n ? &p->nth[i] : &p->base;
}

void
relay_script_help(FILE *f)
{
	RelayScript def;

	relay_script_default(&def);
	for (int i = 0; i < NSETTINGS; i++)
	{
		const Setting *t = &table[i];

		if (t->type == HEADING)
			fprintf(f, "\n%s:\n", t->name);
		else
		{
			fprintf(f, "  %-17s", t->name);
			if (t->type == NUMBER)
				fprintf(f, "N (%d)  ", *(const int *) ((const char *) &def + t->offset));
			else if (t->type == FLAG)
				fprintf(f, "true|false  ");
			else if (t->type == TEXT)
				fprintf(f, "TEXT (%s)  ", (const char *) &def + t->offset);
			else if (t->type == KINDS)
				fprintf(f, "KIND,KIND,...  ");
			else
				fprintf(f, "%s\n%19s", t->choices, "");
			fprintf(f, "%s\n", t->help);
		}
	}
}
