/*
 * test_nip11.c
 *
 * Relay information documents: whole, partly wrong, and hostile.
 */
#include <stdlib.h>

#include "check.h"
#include "crawl/document.h"
#include "crawl/nip11.h"

static Nip11 doc;
static NostrBuf out;

/* What is kept of a body, canonical; or the reason why nothing is. */
static const char *
kept_bytes(const char *body, size_t len)
{
	nip11_free(&doc);
	nip11_parse(body, len, &doc);
	nostr_buf_reset(&out);
	if (doc.data == NULL)
		return doc.reason;
	CHECK(document_write(&out, doc.data));
	nostr_buf_append_byte(&out, '\0');
	return (const char *) out.data;
}

static const char *
kept(const char *body)
{
	return kept_bytes(body, strlen(body));
}

static bool
has_problem(const char *text)
{
	for (size_t i = 0; i < json_array_size(doc.problems); i++)
	{
		if (strcmp(json_string_value(json_array_get(doc.problems, i)), text) == 0)
			return true;
	}
	return false;
}

static void
good_document(void)
{
	CHECK_STR(kept("{\"name\":\"wine\",\"unknown\":1,\"supported_nips\":[77,1,11,1],"
				   "\"limitation\":{\"max_limit\":1000,\"auth_required\":true,\"x\":2},"
				   "\"retention\":[{\"kinds\":[0,[5,7],[1]],\"time\":null,\"count\":3},{}],"
				   "\"fees\":{\"admission\":[{\"amount\":1,\"unit\":\"msats\",\"kinds\":[4,[1,2]]}],\"x\":[]},"
				   "\"tags\":[\"a\",1]}"),
			  "{\"fees\":{\"admission\":[{\"amount\":1,\"kinds\":[4],\"unit\":\"msats\"}]},"
			  "\"limitation\":{\"auth_required\":true,\"max_limit\":1000},"
			  "\"name\":\"wine\",\"retention\":[{\"count\":3,\"kinds\":[0,[5,7]]}],"
			  "\"supported_nips\":[1,11,77],\"tags\":[\"a\"]}");
	CHECK(doc.max_limit == 1000 && doc.default_limit == NIP11_ABSENT);
	CHECK(doc.auth_required && !doc.payment_required);
	CHECK(nip11_supports(&doc, 77) && !nip11_supports(&doc, 50));
	CHECK(json_array_size(doc.problems) == 3);
	CHECK(has_problem("tags: holds something other than text"));
	CHECK(has_problem("retention.kinds: holds something other than a kind"));
}

static void
wrong_types(void)
{
	CHECK_STR(kept("{\"name\":5,\"pubkey\":null,\"supported_nips\":\"1\",\"limitation\":[],\"fees\":true,"
				   "\"retention\":{},\"version\":\"1\"}"), "{\"version\":\"1\"}");
	CHECK(has_problem("name: not a text") && has_problem("supported_nips: not a list"));
	CHECK(has_problem("limitation: not an object") && has_problem("fees: not an object"));
	CHECK_STR(kept("{\"limitation\":{\"max_limit\":\"500\",\"default_limit\":500.5,\"auth_required\":1}}"), "{}");
	CHECK(has_problem("limitation.max_limit: not an integer of 64 bits"));
	CHECK(doc.max_limit == NIP11_ABSENT && !doc.auth_required);
	CHECK_STR(kept("{\"supported_nips\":[true,\"2\",3.0,4,null]}"), "{\"supported_nips\":[4]}");
}

static void
poison(void)
{
	CHECK_STR(kept("{\"name\":\"a\\u0000b\",\"version\":\"1\"}"), "{\"version\":\"1\"}");
	CHECK(has_problem("name: holds U+0000"));
	CHECK(strncmp(kept("{\"name\":\"\\ud800\"}"), "not JSON: ", 10) == 0);
	CHECK(strncmp(kept("{\"name\":\"\xFF\"}"), "not JSON: ", 10) == 0);
	CHECK(strncmp(kept("<html>"), "not JSON: ", 10) == 0);
	CHECK(strncmp(kept(""), "not JSON: ", 10) == 0);
	CHECK_STR(kept("[1]"), "JSON, but not an object");
	CHECK_STR(kept("null"), "JSON, but not an object");
	CHECK_STR(kept("\xEF\xBB\xBF{\"name\":\"bom\"}"), "{\"name\":\"bom\"}");
	/* one number too large costs that field only */
	CHECK_STR(kept("{\"limitation\":{\"max_limit\":99999999999999999999999,\"default_limit\":500}}"),
			  "{\"limitation\":{\"default_limit\":500}}");
	CHECK(doc.default_limit == 500 && doc.max_limit == NIP11_ABSENT);
}

static void
large(void)
{
	size_t		n = 300000;
	char	   *deep = malloc(n);
	char		many[4000] = "{\"tags\":[";

	memset(deep, '[', n);
	CHECK(strncmp(kept_bytes(deep, n), "not JSON: ", 10) == 0);
	free(deep);
	for (int i = 0; i < 500; i++)
		strcat(many, "1,");
	strcat(many, "\"x\"]}");
	CHECK_STR(kept(many), "{\"tags\":[\"x\"]}");
	CHECK(json_array_size(doc.problems) == NIP11_MAX_PROBLEMS + 1 && has_problem("and more"));
}

static void
content_types(void)
{
	CHECK(nip11_content_type_ok("application/nostr+json"));
	CHECK(nip11_content_type_ok("Application/JSON; charset=utf-8"));
	CHECK(nip11_content_type_ok("application/json ;q=1"));
	CHECK(!nip11_content_type_ok("text/html"));
	CHECK(!nip11_content_type_ok("application/jsonp"));
	CHECK(!nip11_content_type_ok(NULL));
}

int
main(void)
{
	nostr_buf_init(&out, DOCUMENT_MAX_SIZE);
	good_document();
	wrong_types();
	poison();
	large();
	content_types();
	nip11_free(&doc);
	nostr_buf_free(&out);
	return check_done();
}
