/*
 * bench_core.c
 *
 * Figures of the protocol core on one core, each beside what bounds it:
 * signature checks against the bare library, parse and id against SHA-256 of
 * the same bytes.  One JSON line per figure.  bench_core EVENTS.jsonl
 */
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nostr/crypto.h"
#include "nostr/event.h"

#define MAX_EVENTS 20000

typedef struct Line
{
	char	   *json;
	size_t		len;
	NostrEvent	ev;				/* id, pubkey and sig only */
} Line;

static Line lines[MAX_EVENTS];
static int	nlines;
static size_t nbytes;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void
load(const char *path)
{
	FILE	   *f = fopen(path, "r");
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;

	if (f == NULL)
	{
		perror(path);
		exit(1);
	}
	while (nlines < MAX_EVENTS && (len = getline(&line, &size, f)) > 1)
	{
		lines[nlines].json = strndup(line, len - 1);
		lines[nlines].len = len - 1;
		nbytes += len - 1;
		nlines++;
	}
	free(line);
	fclose(f);
}

static void
figure(const char *name, double value, const char *unit, double baseline, const char *what)
{
	printf("{\"figure\":\"%s\",\"value\":%.1f,\"unit\":\"%s\",\"baseline\":%.1f,"
		   "\"baseline_is\":\"%s\",\"ratio\":%.3f}\n",
		   name, value, unit, baseline, what, value / baseline);
}

static double
parse_all(void)
{
	NostrBuf	scratch;
	double		start = now();

	nostr_buf_init(&scratch, NOSTR_EVENT_MAX_SIZE);
	for (int i = 0; i < nlines; i++)
	{
		nostr_buf_reset(&scratch);
		if (nostr_event_parse(lines[i].json, lines[i].len, &scratch, &lines[i].ev, NULL) != NOSTR_OK)
			exit(1);
	}
	nostr_buf_free(&scratch);
	return now() - start;
}

static double
hash_all(void)
{
	uint8_t		out[32];
	double		start = now();

	for (int i = 0; i < nlines; i++)
		nostr_sha256(lines[i].json, lines[i].len, out);
	return now() - start;
}

static double
verify_all(int n)
{
	double		start = now();

	for (int i = 0; i < n; i++)
		if (!nostr_event_verify(&lines[i].ev))
			exit(1);
	return now() - start;
}

static double
verify_bare(int n)
{
	secp256k1_context *ctx = secp256k1_context_create(SECP256K1_CONTEXT_VERIFY);
	double		start = now();

	for (int i = 0; i < n; i++)
	{
		secp256k1_xonly_pubkey key;

		if (!secp256k1_xonly_pubkey_parse(ctx, &key, lines[i].ev.pubkey) ||
			!secp256k1_schnorrsig_verify(ctx, lines[i].ev.sig, lines[i].ev.id, 32, &key))
			exit(1);
	}
	start = now() - start;
	secp256k1_context_destroy(ctx);
	return start;
}

int
main(int argc, char **argv)
{
	int			n;

	if (argc != 2 || !nostr_crypto_init())
		return 2;
	load(argv[1]);
	n = nlines < 10000 ? nlines : 10000;
	(void) parse_all();			/* warm */
	figure("event_parse_and_id", nbytes / parse_all() / 1e6, "MB/s",
		   nbytes / hash_all() / 1e6, "SHA-256 of the same bytes");
	(void) verify_all(n / 10);
	figure("signature_checks", n / verify_all(n), "per second per core",
		   n / verify_bare(n), "libsecp256k1 alone");
	return 0;
}
