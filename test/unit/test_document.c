/*
 * test_document.c
 *
 * Canonical JSON of metadata: golden forms and hashes of the Python system.
 */
#include <stdlib.h>

#include "check.h"
#include "crawl/document.h"
#include "nostr/crypto.h"
#include "nostr/hex.h"

static NostrBuf out;

/* The canonical form of a JSON text; "refused" when there is none. */
static const char *
canonical(const char *text)
{
	json_t	   *j = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
	bool		ok;

	nostr_buf_reset(&out);
	ok = j != NULL && document_write(&out, j);
	nostr_buf_append_byte(&out, '\0');
	json_decref(j);
	return ok ? (const char *) out.data : "refused";
}

static void
check_hash(const char *text, const char *hex)
{
	uint8_t		hash[32];
	char		got[65] = "";

	canonical(text);
	nostr_sha256(out.data, out.len - 1, hash);
	nostr_hex_encode(hash, 32, got);
	got[strlen(hex)] = '\0';
	CHECK_STR(got, hex);
}

static void
golden(void)
{
	check_hash("{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
	check_hash("{\"b\":2,\"a\":1}", "43258cff783fe7036d8a43033f830adfc60ec037382473548ac742b888292777");
	check_hash("{\"name\":\"My Relay\"}", "5dd492d922960f42939b15a0883453be7592ad9fce36d6ffc12fd12885d2ad48");
	check_hash("{\"logs\":{\"open_success\":true},\"data\":{\"rtt_open\":120}}",
			   "1731fca380ffbffed16dfe45c6f01b1d01edeec0d99fb652d232921147f90319");
}

static void
pruning(void)
{
	CHECK_STR(canonical("{\"a\":null,\"b\":[],\"c\":{},\"d\":{\"e\":[{}]},\"s\":\"\",\"z\":0,\"f\":false}"),
			  "{\"f\":false,\"s\":\"\",\"z\":0}");
	CHECK_STR(canonical("[null,1,{\"q\":null},[[]],2]"), "[1,2]");
	CHECK_STR(canonical("{\"\xEF\xBF\xBF\":1,\"\xF0\x9F\x98\x80\":2}"),
			  "{\"\xEF\xBF\xBF\":1,\"\xF0\x9F\x98\x80\":2}");
	CHECK_STR(canonical("{\"a\":\"x\\u0000y\"}"), "refused");
}

static void
scalars(void)
{
	CHECK_STR(canonical("[1.0,1e-7,1e16,123456789012345680.0,0.0001,0.00001,-2.5,0.1,1e22,123.456]"),
			  "[1.0,1e-07,1e+16,1.2345678901234568e+17,0.0001,1e-05,-2.5,0.1,1e+22,123.456]");
	CHECK_STR(canonical("[9007199254740993.0,9999999999999998.0,0.30000000000000004,5e-324,1.7976931348623157e308]"),
			  "[9007199254740992.0,9999999999999998.0,0.30000000000000004,5e-324,1.7976931348623157e+308]");
	CHECK_STR(canonical("[9223372036854775807,-9223372036854775808,true]"),
			  "[9223372036854775807,-9223372036854775808,true]");
	CHECK_STR(canonical("\"\\u00e9\\u2028\\u007f\\u001f\\\"\\\\\\/\\n\\b\""),
			  "\"\xC3\xA9\xE2\x80\xA8\x7F\\u001f\\\"\\\\/\\n\\b\"");
}

/* Lists nested n deep around a 1. */
static const char *
nested(int n)
{
	static char text[300];
	int			at = 0;

	for (int i = 0; i < n; i++)
		text[at++] = '[';
	text[at++] = '1';
	for (int i = 0; i < n; i++)
		text[at++] = ']';
	text[at] = '\0';
	return canonical(text);
}

static void
depth(void)
{
	CHECK(strchr(nested(DOCUMENT_MAX_DEPTH), '1') != NULL);
	CHECK_STR(nested(DOCUMENT_MAX_DEPTH + 1), "[]");
}

static void
results(void)
{
	json_t	   *j = document_result(json_pack("{s:i}", "rtt_open", 120),
									document_logs(false, "bad\nthing"));

	nostr_buf_reset(&out);
	CHECK(document_write(&out, j));
	nostr_buf_append_byte(&out, '\0');
	CHECK_STR((char *) out.data, "{\"data\":{\"rtt_open\":120},\"logs\":{\"reason\":\"bad thing\",\"success\":false}}");
	json_decref(j);
	/* a document that does not fit is refused, not cut */
	nostr_buf_free(&out);
	nostr_buf_init(&out, 10);
	CHECK_STR(canonical("[1,2,3,4,5,6,7,8,9]"), "refused");
	nostr_buf_free(&out);
}

int
main(void)
{
	nostr_crypto_init();
	nostr_buf_init(&out, DOCUMENT_MAX_SIZE);
	golden();
	pruning();
	scalars();
	depth();
	results();
	return check_done();
}
