/*
 * nip11.h
 *
 * Reads a relay information document (NIP-11): leniently, field by field.
 *
 * A field of the wrong type is left out and named among the problems; the
 * rest is kept.  What is kept has the form the Python system stores, so that
 * both give a document the same id.
 */
#ifndef CRAWL_NIP11_H
#define CRAWL_NIP11_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define NIP11_MAX_SIZE		(10 * 1024 * 1024)	/* bytes of a body, at most */
#define NIP11_MAX_PROBLEMS	32		/* that are named; the rest is one more line */
#define NIP11_ABSENT		INT64_MIN

typedef struct Nip11
{
	json_t	   *data;			/* what was understood; NULL: nothing at all */
	json_t	   *problems;		/* list of texts, "limitation.max_limit: not an integer" */
	char		reason[200];	/* why data is NULL */

	/* what a client has to heed; NIP11_ABSENT when not told */
	int64_t		max_limit;
	int64_t		default_limit;
	int64_t		max_subscriptions;
	int64_t		max_subid_length;
	int64_t		max_message_length;
	int64_t		min_pow_difficulty;
	bool		auth_required;	/* false when not told */
	bool		payment_required;
	bool		restricted_writes;
} Nip11;

extern void nip11_parse(const char *body, size_t len, Nip11 *out);
extern bool nip11_supports(const Nip11 *doc, int nip);
extern void nip11_free(Nip11 *doc);

/* False: the document is not served with a type that NIP-11 allows.  Case
 * and parameters do not matter. */
extern bool nip11_content_type_ok(const char *content_type);

#endif
