/*
 * sketch.h
 *
 * Counts distinct things in at most NOSTR_SKETCH_MAX bytes: the things
 * themselves (64-bit hashes) up to NOSTR_SKETCH_EXACT, beyond that a
 * HyperLogLog of 256 registers (standard error 6.5 %).  Merging is
 * commutative, associative and idempotent.
 *
 *		0x00 hash[8]*       ascending, big-endian, distinct
 *		0x01 register[256]
 *
 * These bytes are what the archive stores.  No bytes at all: nothing counted.
 */
#ifndef NOSTR_SKETCH_H
#define NOSTR_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOSTR_SKETCH_EXACT	24
#define NOSTR_SKETCH_MAX	257

typedef struct NostrSketch		/* all zeros: empty */
{
	uint16_t	len;
	uint8_t		data[NOSTR_SKETCH_MAX];
} NostrSketch;

extern uint64_t nostr_sketch_hash(const uint8_t key[32]);
extern void nostr_sketch_add(NostrSketch *s, uint64_t hash);
/* false: the bytes are not a sketch; nothing changed. */
extern bool nostr_sketch_merge(NostrSketch *s, const uint8_t *data, size_t len);
extern uint32_t nostr_sketch_count(const NostrSketch *s);

#endif
