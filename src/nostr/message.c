/*
 * message.c
 *
 * Splits relay messages.  Survives any bytes.  An event's object is found by
 * counting brackets outside strings, cheaply: the event parser looks at every
 * byte of it anyway.
 */
#include "pgfree.h"

#include <string.h>
#include <strings.h>

#include "json.h"
#include "message.h"
#include "scan.h"

/* Offsets while reading, because scratch moves when it grows. */
typedef struct Text
{
	size_t		at;
	size_t		len;
} Text;

/* A string, NUL-terminated in scratch. */
static bool
read_text(NostrJson *js, NostrBuf *scratch, Text *t)
{
	const uint8_t *s;

	t->at = scratch->len;
	if (!nostr_json_string(js, scratch, &s, &t->len))
		return false;
	if (scratch->len == t->at)
		nostr_buf_append(scratch, s, t->len);
	nostr_buf_append_byte(scratch, 0);
	return !scratch->failed;
}

/* The object at js->p; moves behind it. */
static bool
delimit_object(NostrJson *js, const char **raw, size_t *raw_len)
{
	const uint8_t *p = js->p;
	size_t		depth = 0;
	bool		high;

	do
	{
		if (p == js->end)
			return false;
		switch (*p++)
		{
			case '{':
			case '[':
				depth++;
				break;
			case '}':
			case ']':
				depth--;
				break;
			case '"':
				while ((p = nostr_scan(p, js->end, false, &high)) < js->end && *p != '"')
				{
					/* an escaped quote is no end; control bytes are judged later */
					p += *p == '\\' && js->end - p > 1 ? 2 : 1;
				}
				if (p == js->end)
					return false;
				p++;
				break;
			default:
				break;
		}
	}
	while (depth > 0);
	*raw = (const char *) js->p;
	*raw_len = (size_t) (p - js->p);
	js->p = p;
	return true;
}

static NostrMessageType
type_of(const char *verb, size_t len)
{
	static const struct
	{
		const char *verb;
		NostrMessageType type;
	}			verbs[] = {
		{"EVENT", NOSTR_MSG_EVENT}, {"EOSE", NOSTR_MSG_EOSE},
		{"CLOSED", NOSTR_MSG_CLOSED}, {"NOTICE", NOSTR_MSG_NOTICE},
		{"OK", NOSTR_MSG_OK}, {"AUTH", NOSTR_MSG_AUTH},
		{"NEG-MSG", NOSTR_MSG_NEG_MSG}, {"NEG-ERR", NOSTR_MSG_NEG_ERR}
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strlen(verbs[i].verb) == len && memcmp(verbs[i].verb, verb, len) == 0)
			return verbs[i].type;
	return NOSTR_MSG_UNKNOWN;
}

static NostrEoseHint
hint_of(const char *s, size_t len)
{
	if (len == 6 && memcmp(s, "finish", 6) == 0)
		return NOSTR_HINT_FINISH;
	if (len == 4 && memcmp(s, "more", 4) == 0)
		return NOSTR_HINT_MORE;
	return NOSTR_HINT_NONE;
}

/*
 * NIP-67: an array of hints in an EOSE.  Unknown ones are ignored; "more"
 * outweighs "finish", should a relay send both.
 */
static bool
read_hints(NostrJson *js, NostrBuf *scratch, NostrMessage *out)
{
	bool		first = true;

	if (!nostr_json_open(js, '['))
		return false;
	while (nostr_json_more(js, ']', &first))
	{
		const uint8_t *s;
		size_t		len;
		NostrEoseHint hint;

		if (nostr_json_peek(js) != '"')
		{
			if (!nostr_json_skip(js))
				return false;
			continue;
		}
		if (!nostr_json_string(js, scratch, &s, &len))
			return false;
		hint = hint_of((const char *) s, len);
		if (hint > out->hint)
			out->hint = hint;
	}
	return js->error == NOSTR_OK;
}

/* NIP-77: the number behind the reason of a NEG-ERR, when there is one. */
static bool
read_number(NostrJson *js, NostrMessage *out)
{
	bool		first = false;
	const uint8_t *s;
	size_t		len;
	uint8_t		c;

	if (nostr_json_peek(js) != ',')
		return true;
	nostr_json_more(js, ']', &first);
	c = nostr_json_peek(js);
	if (c != '-' && (c < '0' || c > '9'))
		return nostr_json_skip(js);
	if (!nostr_json_number(js, &s, &len))
		return false;
	if (!nostr_json_int64(s, len, &out->number))
		out->number = 0;
	return true;
}

/* The parts behind the verb; what a type does not know is left unread. */
static bool
read_parts(NostrJson *js, NostrBuf *scratch, NostrMessage *out,
		   Text *sub, Text *text)
{
	NostrMessageType type = out->type;
	bool		first = false;
	bool		alone = type == NOSTR_MSG_NOTICE || type == NOSTR_MSG_AUTH;

	if (type == NOSTR_MSG_UNKNOWN)
		return true;
	if (!nostr_json_more(js, ']', &first) ||
		!read_text(js, scratch, alone ? text : sub))
		return false;
	if (alone)
		return true;
	if (type == NOSTR_MSG_EVENT)
		return nostr_json_more(js, ']', &first) && nostr_json_peek(js) == '{' &&
			delimit_object(js, &out->raw, &out->raw_len);
	if (type == NOSTR_MSG_OK)
	{
		if (!nostr_json_more(js, ']', &first))
			return false;
		out->ok = nostr_json_peek(js) == 't';
		if (!nostr_json_word(js, out->ok ? "true" : "false"))
			return false;
	}
	/* relays leave the text out, though NIP-01 wants it */
	if (nostr_json_peek(js) == ',')
	{
		nostr_json_more(js, ']', &first);
		if (type == NOSTR_MSG_EOSE && nostr_json_peek(js) == '[')
			return read_hints(js, scratch, out);
		if (nostr_json_peek(js) != '"')
			return nostr_json_skip(js);
		if (!read_text(js, scratch, text))
			return false;
		if (type == NOSTR_MSG_NEG_ERR)
			return read_number(js, out);
	}
	return true;
}

NostrMessageType
nostr_message_parse(const char *msg, size_t len, NostrBuf *scratch,
					NostrMessage *out)
{
	NostrJson	js;
	Text		verb;
	Text		sub = {0, 0};
	Text		text = {0, 0};
	bool		first = true;
	bool		broken;

	memset(out, 0, sizeof(*out));
	out->sub = out->text = "";
	nostr_json_init(&js, msg, len);
	if (!nostr_json_open(&js, '[') || !nostr_json_more(&js, ']', &first) ||
		!read_text(&js, scratch, &verb))
		return NOSTR_MSG_INVALID;
	out->type = type_of((const char *) scratch->data + verb.at, verb.len);
	if (read_parts(&js, scratch, out, &sub, &text))
	{
		while (nostr_json_more(&js, ']', &first))
			nostr_json_skip(&js);
		if (nostr_json_end(&js))
		{
			/* the verb lies at "at" 0 or more, so a part never does */
			if (sub.at > 0)
				out->sub = (const char *) scratch->data + sub.at;
			out->sub_len = sub.len;
			if (text.at > 0 && out->type != NOSTR_MSG_EOSE)
			{
				out->text = (const char *) scratch->data + text.at;
				out->text_len = text.len;
			}
			return out->type;
		}
	}
	broken = out->type == NOSTR_MSG_EVENT && sub.at > 0;
	memset(out, 0, sizeof(*out));
	out->sub = broken ? (const char *) scratch->data + sub.at : "";
	out->sub_len = broken ? sub.len : 0;
	out->text = "";
	return NOSTR_MSG_INVALID;
}

const char *
nostr_message_prefix(const char *text, size_t len)
{
	static const char *const prefixes[] = {
		"auth-required", "rate-limited", "restricted", "blocked", "invalid",
		"duplicate", "pow", "mute", "unsupported", "error"
	};
	const char *found = NULL;
	size_t		start = 0;

	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == ':')
		{
			for (size_t k = 0; k < sizeof(prefixes) / sizeof(prefixes[0]); k++)
			{
				if (strlen(prefixes[k]) != i - start ||
					strncasecmp(text + start, prefixes[k], i - start) != 0)
					continue;
				/* "error" says least: anything more precise behind it wins */
				if (strcmp(prefixes[k], "error") != 0)
					return prefixes[k];
				found = "error";
			}
		}
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-'))
			start = i + 1;
	}
	return found;
}
