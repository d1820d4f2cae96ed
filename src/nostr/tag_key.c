/*
 * tag_key.c
 *
 * See tag_key.h.  The same on every machine: indexes move with pg_upgrade.
 */
#include "pgfree.h"

#include <string.h>

#include "event.h"
#include "hex.h"
#include "tag_key.h"
#include "tags_json.h"

#define FNV_START	UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME	UINT64_C(0x100000001b3)

int32_t
nostr_tag_code(uint8_t letter, const NostrTagElement *value)
{
	uint64_t	h = FNV_START;

	h = (h ^ letter) * FNV_PRIME;
	h = (h ^ value->hex) * FNV_PRIME;
	for (size_t i = 0; i < value->len; i++)
		h = (h ^ value->data[i]) * FNV_PRIME;
	/* FNV leaves the high bits of short values poor */
	h ^= h >> 33;
	h *= UINT64_C(0xff51afd7ed558ccd);
	h ^= h >> 33;
	return (int32_t) (uint32_t) h;
}

static uint32_t
last_four(const uint8_t b[32])
{
	return (uint32_t) b[28] << 24 | (uint32_t) b[29] << 16 | (uint32_t) b[30] << 8 | b[31];
}

int32_t
nostr_id_code(const uint8_t id[32])
{
	return (int32_t) last_four(id);
}

int32_t
nostr_author_code(const uint8_t pubkey[32], int32_t kind)
{
	uint32_t	k = (uint32_t) kind;

	/* the frequent ones are below 32 and each alone */
	if (k >= NOSTR_KIND_CODES / 2)
		k = NOSTR_KIND_CODES / 2 + (k * UINT32_C(0x9E3779B1) >> 27);
	return (int32_t) (last_four(pubkey) / NOSTR_KIND_CODES * NOSTR_KIND_CODES + k);
}

int32_t
nostr_time_code(int64_t key)
{
	int64_t		second = key >> NOSTR_KEY_ID_BITS;

	if (second > UINT32_MAX)
		second = UINT32_MAX;
	if (second < 0)
		second = 0;
	return (int32_t) (second + INT32_MIN);
}

int32_t
nostr_time_slot(int64_t key)
{
	int64_t		seconds = (int64_t) nostr_time_code(key) - INT32_MIN;

	return (int32_t) (seconds >> NOSTR_SLOT_BITS);
}

bool
nostr_tags_next_letter(NostrTagIter *it, uint8_t *letter, NostrTagElement *value)
{
	NostrTagElement name;

	while (nostr_tags_next(it) >= 1)
	{
		if (!nostr_tags_next_element(it, &name) || name.data != &it->letter)
			continue;
		*letter = it->letter;
		if (nostr_tags_next_element(it, value))
			return true;
	}
	return false;
}

NostrTagElement
nostr_tag_element_of(const uint8_t *s, size_t len, uint8_t *dst)
{
	NostrTagElement el = {dst, len, false};

	el.hex = len >= NOSTR_TAG_MIN_HEX && len % 2 == 0 &&
		nostr_hex_decode((const char *) s, len, dst, len / 2);
	if (el.hex)
		el.len = len / 2;
	else if (len > 0)
		memcpy(dst, s, len);
	return el;
}
