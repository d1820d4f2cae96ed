/*
 * nip19.h
 *
 * bech32-encoded entities (NIP-19): npub, nsec, note, nprofile, nevent, naddr.
 *
 * Decoding is strict: checksum, one case, right lengths, required TLVs;
 * unknown TLVs are skipped, as the NIP says.
 */
#ifndef NOSTR_NIP19_H
#define NOSTR_NIP19_H

#include "buf.h"

#define NOSTR_NIP19_MAX			5000	/* characters, NIP-19 */
#define NOSTR_NIP19_MAX_RELAYS	32		/* hints kept; more are an error */

typedef enum NostrNip19Type
{
	NOSTR_NIP19_NPUB,
	NOSTR_NIP19_NSEC,
	NOSTR_NIP19_NOTE,
	NOSTR_NIP19_NPROFILE,
	NOSTR_NIP19_NEVENT,
	NOSTR_NIP19_NADDR
} NostrNip19Type;

typedef struct NostrNip19
{
	NostrNip19Type type;
	uint8_t		data[32];		/* pubkey, secret key or event id */
	bool		has_author;
	uint8_t		author[32];		/* nevent, naddr */
	bool		has_kind;
	uint32_t	kind;			/* nevent, naddr */
	const char *identifier;		/* naddr: "d" value, in scratch */
	size_t		identifier_len;
	int			nrelays;
	const char *relay[NOSTR_NIP19_MAX_RELAYS];	/* terminated, in scratch */
} NostrNip19;

/* NULL on success, else a static reason.  Strings live in *scratch. */
extern const char *nostr_nip19_decode(const char *text, size_t len,
									  NostrBuf *scratch, NostrNip19 *out);
extern const char *nostr_nip19_encode(const NostrNip19 *in, NostrBuf *out);
extern const char *nostr_nip19_type_name(NostrNip19Type t);

#endif
