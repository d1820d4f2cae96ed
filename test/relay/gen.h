/*
 * gen.h
 *
 * What the generators of events share: numbers, keys and lines that are the
 * same for the same seed.  For one source file of a program.
 */
#ifndef TEST_RELAY_GEN_H
#define TEST_RELAY_GEN_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nostr/crypto.h"
#include "nostr/event.h"
#include "nostr/sign.h"
#include "nostr/tags.h"
#include "random.h"

static Random gen_random;

static inline uint64_t
rnd(void)
{
	return random_next(&gen_random);
}

/* Keys of n authors. */
static inline void
gen_keys(uint8_t (*seckey)[32], int n)
{
	uint8_t		pubkey[32];

	for (int a = 0; a < n; a++)
		do
			for (int b = 0; b < 32; b++)
				seckey[a][b] = (uint8_t) rnd();
		while (!nostr_pubkey_from_seckey(seckey[a], pubkey));
}

/* Signs the event and writes it as a line; json is scratch. */
static inline void
gen_write(NostrEvent *ev, const uint8_t seckey[32], NostrBuf *json, FILE *out)
{
	if (!nostr_event_sign(ev, seckey))
		exit(1);
	nostr_buf_reset(json);
	nostr_event_json(ev, json);
	fwrite(json->data, 1, json->len, out);
	putc('\n', out);
}

#endif
