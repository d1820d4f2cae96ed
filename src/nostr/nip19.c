/*
 * nip19.c
 *
 * Guarantees: what decodes has the checksum, the lengths and the fields its
 * type requires, each at most once; strings handed out are terminated and
 * hold no NUL.  Must survive any text: these entities are found in notes.
 */
#include "pgfree.h"

#include "bech32.h"
#include "nip19.h"

#include <string.h>

enum
{
	TLV_SPECIAL = 0,
	TLV_RELAY = 1,
	TLV_AUTHOR = 2,
	TLV_KIND = 3
};

static const char *const type_names[] = {
	[NOSTR_NIP19_NPUB] = "npub",
	[NOSTR_NIP19_NSEC] = "nsec",
	[NOSTR_NIP19_NOTE] = "note",
	[NOSTR_NIP19_NPROFILE] = "nprofile",
	[NOSTR_NIP19_NEVENT] = "nevent",
	[NOSTR_NIP19_NADDR] = "naddr",
};

#define TYPE_COUNT (sizeof(type_names) / sizeof(type_names[0]))

const char *
nostr_nip19_type_name(NostrNip19Type t)
{
	return (unsigned int) t < TYPE_COUNT ? type_names[t] : "unknown";
}

/*
 * Makes the value of the TLV at p a terminated string: it moves down over its
 * own length byte, which leaves the room for the terminator.
 */
static const char *
tlv_string(uint8_t *p)
{
	size_t		len = p[1];

	memmove(p + 1, p + 2, len);
	p[1 + len] = '\0';
	return (const char *) p + 1;
}

static const char *
tlv_special(uint8_t *p, bool *seen, NostrNip19 *out)
{
	size_t		len = p[1];

	if (*seen)
		return "TLV 0 is repeated";
	*seen = true;
	if (out->type == NOSTR_NIP19_NADDR)
	{
		if (memchr(p + 2, '\0', len) != NULL)
			return "identifier contains NUL";
		out->identifier_len = len;
		out->identifier = tlv_string(p);
		return NULL;
	}
	if (len != 32)
		return "TLV 0 is not 32 bytes long";
	memcpy(out->data, p + 2, 32);
	return NULL;
}

static const char *
tlv_one(uint8_t *p, bool *seen_special, NostrNip19 *out)
{
	uint8_t		type = p[0];
	size_t		len = p[1];

	if (type == TLV_SPECIAL)
		return tlv_special(p, seen_special, out);
	if (type == TLV_RELAY)
	{
		if (len == 0 || memchr(p + 2, '\0', len) != NULL)
			return "relay hint is empty or contains NUL";
		if (out->nrelays >= NOSTR_NIP19_MAX_RELAYS)
			return "too many relay hints";
		out->relay[out->nrelays++] = tlv_string(p);
		return NULL;
	}
	if (out->type == NOSTR_NIP19_NPROFILE)
		return NULL;
	if (type == TLV_AUTHOR)
	{
		if (out->has_author || len != 32)
			return "author is repeated or not 32 bytes long";
		out->has_author = true;
		memcpy(out->author, p + 2, 32);
	}
	else if (type == TLV_KIND)
	{
		if (out->has_kind || len != 4)
			return "kind is repeated or not 4 bytes long";
		out->has_kind = true;
		out->kind = (uint32_t) p[2] << 24 | (uint32_t) p[3] << 16 |
			(uint32_t) p[4] << 8 | p[5];
	}
	return NULL;
}

static const char *
tlv_decode(uint8_t *p, size_t len, NostrNip19 *out)
{
	uint8_t    *end = len == 0 ? p : p + len;
	bool		seen_special = false;

	while (p < end)
	{
		uint8_t    *next;
		const char *error;

		if (end - p < 2 || end - p - 2 < p[1])
			return "TLV is truncated";
		next = p + 2 + p[1];
		error = tlv_one(p, &seen_special, out);
		if (error != NULL)
			return error;
		p = next;
	}
	if (!seen_special)
		return "TLV 0 is missing";
	if (out->type == NOSTR_NIP19_NADDR && (!out->has_author || !out->has_kind))
		return "naddr lacks its author or kind";
	return NULL;
}

const char *
nostr_nip19_decode(const char *text, size_t len, NostrBuf *scratch, NostrNip19 *out)
{
	char		hrp[NOSTR_BECH32_HRP_MAX + 1];
	const char *error;
	size_t		type;

	memset(out, 0, sizeof(*out));
	nostr_buf_reset(scratch);
	error = nostr_bech32_decode(text, len, hrp, scratch);
	if (error != NULL)
		return error;
	for (type = 0; type < TYPE_COUNT; type++)
	{
		if (strcmp(hrp, type_names[type]) == 0)
			break;
	}
	if (type == TYPE_COUNT)
		return "unknown NIP-19 prefix";
	out->type = (NostrNip19Type) type;
	if (out->type >= NOSTR_NIP19_NPROFILE)
		return tlv_decode(scratch->data, scratch->len, out);
	if (scratch->len != 32)
		return "payload is not 32 bytes long";
	memcpy(out->data, scratch->data, 32);
	return NULL;
}

static void
tlv_append(NostrBuf *b, uint8_t type, const void *data, size_t len)
{
	nostr_buf_append_byte(b, type);
	nostr_buf_append_byte(b, (uint8_t) len);
	if (len > 0)
		nostr_buf_append(b, data, len);
}

static const char *
tlv_encode(const NostrNip19 *in, NostrBuf *b)
{
	if (in->type == NOSTR_NIP19_NADDR)
	{
		if (!in->has_author || !in->has_kind)
			return "naddr lacks its author or kind";
		if (in->identifier_len > 255)
			return "identifier is too long";
		if (in->identifier_len > 0 && memchr(in->identifier, '\0', in->identifier_len) != NULL)
			return "identifier contains NUL";
		tlv_append(b, TLV_SPECIAL, in->identifier, in->identifier_len);
	}
	else
		tlv_append(b, TLV_SPECIAL, in->data, 32);
	if (in->nrelays < 0 || in->nrelays > NOSTR_NIP19_MAX_RELAYS)
		return "too many relay hints";
	for (int i = 0; i < in->nrelays; i++)
	{
		size_t		len = strlen(in->relay[i]);

		if (len == 0 || len > 255)
			return "relay hint is empty or too long";
		tlv_append(b, TLV_RELAY, in->relay[i], len);
	}
	if (in->type == NOSTR_NIP19_NPROFILE)
		return NULL;
	if (in->has_author)
		tlv_append(b, TLV_AUTHOR, in->author, 32);
	if (in->has_kind)
	{
		uint8_t		kind[4] = {
			(uint8_t) (in->kind >> 24), (uint8_t) (in->kind >> 16),
			(uint8_t) (in->kind >> 8), (uint8_t) in->kind
		};

		tlv_append(b, TLV_KIND, kind, 4);
	}
	return NULL;
}

const char *
nostr_nip19_encode(const NostrNip19 *in, NostrBuf *out)
{
	NostrBuf	tlv;
	const char *error;

	if ((unsigned int) in->type >= TYPE_COUNT)
		return "unknown NIP-19 type";
	if (in->type < NOSTR_NIP19_NPROFILE)
		return nostr_bech32_encode(type_names[in->type], in->data, 32, out);

	nostr_buf_init(&tlv, NOSTR_NIP19_MAX);
	error = tlv_encode(in, &tlv);
	if (error == NULL && tlv.failed)
		error = "entity is too long";
	if (error == NULL)
		error = nostr_bech32_encode(type_names[in->type], tlv.data, tlv.len, out);
	nostr_buf_free(&tlv);
	return error;
}
