/*
 * test_json_clean.c
 *
 * Foreign JSON, written anew.
 */
#include <stdio.h>
#include <stdlib.h>

#include "json_clean.h"
#include "check.h"

static NostrBuf out;

static const char *
clean(const char *text, size_t len)
{
	static char result[1024];
	size_t		at;
	NostrReject why;

	nostr_buf_reset(&out);
	why = nostr_json_clean(text, len, &out, &at);
	if (why != NOSTR_OK)
		snprintf(result, sizeof(result), "%s %zu", nostr_reject_name(why), at);
	else
	{
		CHECK(out.len <= len);
		snprintf(result, sizeof(result), "%.*s", (int) out.len, (const char *) out.data);
	}
	return result;
}

#define CLEAN(text, expected) CHECK_STR(clean(text, sizeof(text) - 1), expected)

/* Random text: whatever is accepted is accepted again, and stays as it is. */
static void
random_texts(void)
{
	static const char *const parts[] = {"[", "]", "{", "}", ",", ":", "\"a\"", "\"\\u0000\"", "1", "-0.5e+10",
	"1e400", "true", "null", " ", "\"\\ud83d\\ude00\"", "\"b\":", "\x01"};
	int			accepted = 0;

	srandom(1);
	for (int i = 0; i < 200000; i++)
	{
		char		text[256] = "";
		char		first[1024];

		for (int n = (int) random() % 8; n >= 0; n--)
			strcat(text, parts[random() % 17]);
		strcpy(first, clean(text, strlen(text)));
		if (out.failed || strstr(first, "bad_") != NULL || strstr(first, "too_") != NULL)
			continue;
		accepted++;
		CHECK_STR(clean(first, strlen(first)), first);
	}
	CHECK(accepted > 1000);
}

int
main(void)
{
	char		deep[64];

	nostr_buf_init(&out, 1 << 20);
	CLEAN(" [ \"wss:\\/\\/a.net\" , 1 , -2.50 , true , false , null , { \"a\" : [ ] , \"b\" : { } } ] \n",
		  "[\"wss://a.net\",1,-2.50,true,false,null,{\"a\":[],\"b\":{}}]");
	CLEAN("\"\\u00e9\\u001f\\n\\\"\\\\\"", "\"\xc3\xa9\\u001f\\n\\\"\\\\\"");
	CLEAN("{\"a\\u0000\":[1,{\"x\":2}],\"b\":\"c\\u0000\",\"d\":1}", "{\"b\":null,\"d\":1}");
	CLEAN("[1e300,1e301,1E-999999999999,123456789012345678901234567890123]", "[1e300,null,null,null]");
	CLEAN("", "bad_json 0");
	CLEAN("[1,]", "bad_json 3");
	CLEAN("[1] x", "bad_json 4");
	CLEAN("{\"a\" 1}", "bad_json 5");
	CLEAN("{a:1}", "bad_json 1");
	CLEAN("[01]", "bad_json 2");
	CLEAN("nul", "bad_json 0");
	CLEAN("\"\\ud800\"", "lone_surrogate 1");
	CLEAN("\"\xff\"", "bad_utf8 1");
	memset(deep, '[', 17);
	memset(deep + 17, ']', 17);
	CHECK_STR(clean(deep, 34), "too_deep 16");
	CHECK_STR(clean(deep + 1, 32), "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
	random_texts();
	nostr_buf_free(&out);
	return check_done();
}
