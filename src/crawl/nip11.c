/*
 * nip11.c
 *
 * See nip11.h.  Must survive any body up to NIP11_MAX_SIZE: the parser's own
 * bound on depth ends deep nesting, and everything kept is copied by type.
 */
#include "../nostr/pgfree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "nip11.h"
#include "text.h"

typedef enum FieldType
{
	TEXT, INTEGER, BOOLEAN, TEXTS, NIPS
} FieldType;

typedef struct Field
{
	const char *name;
	FieldType	type;
} Field;

static const Field top_fields[] = {
	{"name", TEXT}, {"description", TEXT}, {"banner", TEXT}, {"icon", TEXT},
	{"pubkey", TEXT}, {"self", TEXT}, {"contact", TEXT}, {"software", TEXT},
	{"version", TEXT}, {"privacy_policy", TEXT}, {"terms_of_service", TEXT},
	{"posting_policy", TEXT}, {"payments_url", TEXT},
	{"supported_nips", NIPS},
	{"relay_countries", TEXTS}, {"language_tags", TEXTS}, {"tags", TEXTS},
	{"attributes", TEXTS},
	{NULL}
};

static const Field limitation_fields[] = {
	{"max_message_length", INTEGER}, {"max_subscriptions", INTEGER},
	{"max_limit", INTEGER}, {"max_subid_length", INTEGER},
	{"max_event_tags", INTEGER}, {"max_content_length", INTEGER},
	{"min_pow_difficulty", INTEGER}, {"created_at_lower_limit", INTEGER},
	{"created_at_upper_limit", INTEGER}, {"default_limit", INTEGER},
	{"auth_required", BOOLEAN}, {"payment_required", BOOLEAN},
	{"restricted_writes", BOOLEAN},
	{NULL}
};

static const Field retention_fields[] = {
	{"time", INTEGER}, {"count", INTEGER}, {NULL}
};

static const Field fee_fields[] = {
	{"amount", INTEGER}, {"unit", TEXT}, {"period", INTEGER}, {NULL}
};

static void
problem(Nip11 *d, const char *where, const char *field, const char *what)
{
	char		text[160] = "";

	if (json_array_size(d->problems) > NIP11_MAX_PROBLEMS)
		return;
	if (json_array_size(d->problems) == NIP11_MAX_PROBLEMS)
		strcpy(text, "and more");
	else
	{
		crawl_text_append(text, sizeof(text), where, strlen(where));
		crawl_text_append(text, sizeof(text), field, strlen(field));
		crawl_text_append(text, sizeof(text), ": ", 2);
		crawl_text_append(text, sizeof(text), what, strlen(what));
	}
	json_array_append_new(d->problems, json_string(text));
}

/* A string that text in a database can hold. */
static bool
is_text(const json_t *v)
{
	return json_is_string(v) &&
		memchr(json_string_value(v), '\0', json_string_length(v)) == NULL;
}

static json_t *
texts(Nip11 *d, const char *where, const char *field, const json_t *v)
{
	json_t	   *list = json_array();

	for (size_t i = 0; i < json_array_size(v); i++)
	{
		json_t	   *element = json_array_get(v, i);

		if (is_text(element))
			json_array_append(list, element);
		else
			problem(d, where, field, "holds something other than text");
	}
	return list;
}

static int
by_number(const void *a, const void *b)
{
	json_int_t	x = json_integer_value(*(json_t *const *) a);
	json_int_t	y = json_integer_value(*(json_t *const *) b);

	return x < y ? -1 : x > y;
}

/* Integers only, sorted, each once. */
static json_t *
nips(Nip11 *d, const char *field, const json_t *v)
{
	size_t		n = 0;
	json_t	  **found = malloc(sizeof(json_t *) * (json_array_size(v) + 1));
	json_t	   *list = json_array();

	if (found == NULL)
		return list;
	for (size_t i = 0; i < json_array_size(v); i++)
	{
		json_t	   *element = json_array_get(v, i);

		if (json_is_integer(element))
			found[n++] = element;
		else
			problem(d, "", field, "holds something other than an integer");
	}
	qsort(found, n, sizeof(json_t *), by_number);
	for (size_t i = 0; i < n; i++)
	{
		if (i == 0 || json_integer_value(found[i]) != json_integer_value(found[i - 1]))
			json_array_append(list, found[i]);
	}
	free(found);
	return list;
}

static void
take_field(Nip11 *d, const char *where, const Field *f, json_t *v, json_t *to)
{
	switch (f->type)
	{
		case TEXT:
			if (is_text(v))
				json_object_set(to, f->name, v);
			else
				problem(d, where, f->name, json_is_string(v) ? "holds U+0000" : "not a text");
			break;
		case INTEGER:
			if (json_is_integer(v))
				json_object_set(to, f->name, v);
			else
				problem(d, where, f->name, "not an integer of 64 bits");
			break;
		case BOOLEAN:
			if (json_is_boolean(v))
				json_object_set(to, f->name, v);
			else
				problem(d, where, f->name, "not true or false");
			break;
		case TEXTS:
		case NIPS:
			if (!json_is_array(v))
				problem(d, where, f->name, "not a list");
			else if (f->type == NIPS)
				json_object_set_new(to, f->name, nips(d, f->name, v));
			else
				json_object_set_new(to, f->name, texts(d, where, f->name, v));
			break;
	}
}

/* Fields of *from that the table names; null counts as absent. */
static void
take_fields(Nip11 *d, const char *where, const Field *f, const json_t *from, json_t *to)
{
	for (; f->name != NULL; f++)
	{
		json_t	   *v = json_object_get(from, f->name);

		if (v != NULL && !json_is_null(v))
			take_field(d, where, f, v, to);
	}
}

/* Kinds of a retention entry: integers and pairs of them; of a fee: integers. */
static void
take_kinds(Nip11 *d, const char *where, const json_t *from, json_t *to, bool pairs)
{
	json_t	   *v = json_object_get(from, "kinds");
	json_t	   *list;

	if (v == NULL || json_is_null(v))
		return;
	if (!json_is_array(v))
	{
		problem(d, where, "kinds", "not a list");
		return;
	}
	list = json_array();
	for (size_t i = 0; i < json_array_size(v); i++)
	{
		json_t	   *k = json_array_get(v, i);

		if (json_is_integer(k) ||
			(pairs && json_array_size(k) == 2 &&
			 json_is_integer(json_array_get(k, 0)) && json_is_integer(json_array_get(k, 1))))
			json_array_append(list, k);
		else
			problem(d, where, "kinds", "holds something other than a kind");
	}
	if (json_array_size(list) > 0)
		json_object_set(to, "kinds", list);
	json_decref(list);
}

/* A list of objects; entries of which nothing is left are dropped. */
static json_t *
take_entries(Nip11 *d, const char *name, const json_t *v, const Field *fields, bool pairs)
{
	json_t	   *list = json_array();
	char		where[40];

	snprintf(where, sizeof(where), "%s.", name);
	if (!json_is_array(v))
		problem(d, "", name, "not a list");
	for (size_t i = 0; i < json_array_size(v); i++)
	{
		json_t	   *from = json_array_get(v, i);
		json_t	   *to = json_object();

		if (!json_is_object(from))
			problem(d, "", name, "holds something other than an object");
		take_fields(d, where, fields, from, to);
		take_kinds(d, where, from, to, pairs);
		if (json_object_size(to) > 0)
			json_array_append(list, to);
		json_decref(to);
	}
	return list;
}

static json_t *
take_object(Nip11 *d, const json_t *doc, const char *name)
{
	json_t	   *v = json_object_get(doc, name);

	if (v == NULL || json_is_null(v))
		return NULL;
	if (json_is_object(v))
		return v;
	problem(d, "", name, "not an object");
	return NULL;
}

static void
take_limits(Nip11 *d, const json_t *limitation)
{
	const struct
	{
		const char *name;
		int64_t    *to;
	}			numbers[] = {
		{"max_limit", &d->max_limit}, {"default_limit", &d->default_limit},
		{"max_subscriptions", &d->max_subscriptions},
		{"max_subid_length", &d->max_subid_length},
		{"max_message_length", &d->max_message_length},
		{"min_pow_difficulty", &d->min_pow_difficulty},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		json_t	   *v = json_object_get(limitation, numbers[i].name);

		*numbers[i].to = v != NULL ? json_integer_value(v) : NIP11_ABSENT;
	}
	d->auth_required = json_is_true(json_object_get(limitation, "auth_required"));
	d->payment_required = json_is_true(json_object_get(limitation, "payment_required"));
	d->restricted_writes = json_is_true(json_object_get(limitation, "restricted_writes"));
}

static void
take_fees(Nip11 *d, const json_t *from)
{
	static const char *const names[] = {"admission", "subscription", "publication"};
	json_t	   *fees = json_object();

	for (int i = 0; i < 3; i++)
	{
		char		name[32];
		json_t	   *v = json_object_get(from, names[i]);

		if (v == NULL || json_is_null(v))
			continue;
		snprintf(name, sizeof(name), "fees.%s", names[i]);
		json_object_set_new(fees, names[i], take_entries(d, name, v, fee_fields, false));
	}
	json_object_set_new(d->data, "fees", fees);
}

static void
take_document(Nip11 *d, const json_t *doc)
{
	json_t	   *part;

	d->data = json_object();
	take_fields(d, "", top_fields, doc, d->data);
	part = take_object(d, doc, "limitation");
	if (part != NULL)
	{
		json_t	   *to = json_object();

		take_fields(d, "limitation.", limitation_fields, part, to);
		json_object_set_new(d->data, "limitation", to);
	}
	part = json_object_get(doc, "retention");
	if (part != NULL && !json_is_null(part))
		json_object_set_new(d->data, "retention",
							take_entries(d, "retention", part, retention_fields, true));
	part = take_object(d, doc, "fees");
	if (part != NULL)
		take_fees(d, part);
}

/*
 * Integers beyond 64 bits would end the parser: then everything is read as a
 * real once more, and what is whole and fits is made an integer again.
 */
static json_t *
integers_again(json_t *v)
{
	const char *key;
	void	   *next;
	json_t	   *member;
	size_t		i;

	if (json_is_real(v))
	{
		double		r = json_real_value(v);

		if (r > -9e15 && r < 9e15 && r == (double) (int64_t) r)
			return json_integer((json_int_t) r);
		return json_incref(v);
	}
	json_object_foreach_safe(v, next, key, member)
		json_object_set_new(v, key, integers_again(member));
	json_array_foreach(v, i, member)
		json_array_set_new(v, i, integers_again(member));
	return json_incref(v);
}

static json_t *
parse(const char *body, size_t len, json_error_t *error)
{
	json_t	   *doc = json_loadb(body, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, error);
	json_t	   *again;

	if (doc != NULL || json_error_code(error) != json_error_numeric_overflow)
		return doc;
	doc = json_loadb(body, len, JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL,
					 error);
	if (doc == NULL)
		return NULL;
	again = integers_again(doc);
	json_decref(doc);
	return again;
}

void
nip11_parse(const char *body, size_t len, Nip11 *out)
{
	json_error_t error;
	json_t	   *doc = NULL;

	memset(out, 0, sizeof(*out));
	out->problems = json_array();
	if (len >= 3 && memcmp(body, "\xEF\xBB\xBF", 3) == 0)
	{
		/* a byte order mark, which RFC 8259 lets a reader ignore */
		problem(out, "", "document", "starts with a byte order mark");
		body += 3, len -= 3;
	}
	if (len > NIP11_MAX_SIZE)
		snprintf(out->reason, sizeof(out->reason), "document larger than %d bytes", NIP11_MAX_SIZE);
	else if ((doc = parse(body, len, &error)) == NULL)
	{
		char		where[40];

		strcpy(out->reason, "not JSON: ");
		crawl_text_append(out->reason, sizeof(out->reason) - 40, error.text, strlen(error.text));
		snprintf(where, sizeof(where), " at byte %d", error.position);
		strcat(out->reason, where);
	}
	else if (!json_is_object(doc))
		strcpy(out->reason, "JSON, but not an object");
	else
		take_document(out, doc);
	take_limits(out, json_object_get(out->data, "limitation"));
	json_decref(doc);
}

bool
nip11_supports(const Nip11 *doc, int nip)
{
	const json_t *list = json_object_get(doc->data, "supported_nips");

	for (size_t i = 0; i < json_array_size(list); i++)
	{
		if (json_integer_value(json_array_get(list, i)) == nip)
			return true;
	}
	return false;
}

void
nip11_free(Nip11 *doc)
{
	json_decref(doc->data);
	json_decref(doc->problems);
	doc->data = doc->problems = NULL;
}

bool
nip11_content_type_ok(const char *content_type)
{
	static const char *const allowed[] = {"application/nostr+json", "application/json"};

	if (content_type == NULL)
		return false;
	for (int i = 0; i < 2; i++)
	{
		size_t		n = strlen(allowed[i]);

		if (strncasecmp(content_type, allowed[i], n) == 0 &&
			strspn(content_type + n, " \t") == strcspn(content_type + n, ";"))
			return true;
	}
	return false;
}
