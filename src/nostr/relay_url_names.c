/*
 * relay_url_names.c
 *
 * Guarantees: every network and every reason of refusal has a stable name
 * (stored, counted, shown in metrics) and a sentence for people.
 */
#include "pgfree.h"

#include "relay_url.h"

static const struct
{
	const char *name;
	const char *text;
}			rejects[NOSTR_URL_REJECT_COUNT] = {
	[NOSTR_URL_OK] = {"ok", "the address is acceptable"},
	[NOSTR_URL_EMPTY] = {"empty", "the address is empty"},
	[NOSTR_URL_TOO_LONG] = {"too_long", "the address is longer than 2048 bytes"},
	[NOSTR_URL_BAD_CHARACTER] = {"bad_character", "the address contains a blank, a control character, a backslash or invalid UTF-8"},
	[NOSTR_URL_NO_SCHEME] = {"no_scheme", "the address does not start with ws:// or wss://"},
	[NOSTR_URL_BAD_SCHEME] = {"bad_scheme", "the scheme is not ws or wss"},
	[NOSTR_URL_NO_HOST] = {"no_host", "the address has no host"},
	[NOSTR_URL_BAD_HOST] = {"bad_host", "the host is neither a domain name nor an address"},
	[NOSTR_URL_BAD_PORT] = {"bad_port", "the port is not a number from 1 to 65535"},
	[NOSTR_URL_BAD_PATH] = {"bad_path", "the path contains characters that relay paths do not have"},
	[NOSTR_URL_USERINFO] = {"userinfo", "the address contains a user name"},
	[NOSTR_URL_QUERY] = {"query", "the address contains a query"},
	[NOSTR_URL_FRAGMENT] = {"fragment", "the address contains a fragment"},
	[NOSTR_URL_BAD_OVERLAY] = {"bad_overlay", "the overlay network name is malformed"},
	[NOSTR_URL_SPECIAL_NAME] = {"special_name", "the name is reserved for special use"},
	[NOSTR_URL_SPECIAL_ADDRESS] = {"special_address", "the IP address is not a public one"},
};

const char *
nostr_url_reject_name(NostrUrlReject r)
{
	return (unsigned int) r < NOSTR_URL_REJECT_COUNT ? rejects[r].name : "unknown";
}

const char *
nostr_url_reject_text(NostrUrlReject r)
{
	return (unsigned int) r < NOSTR_URL_REJECT_COUNT ? rejects[r].text : "unknown reason";
}

const char *
nostr_network_name(NostrNetwork n)
{
	static const char *const names[NOSTR_NETWORK_COUNT] = {
		"clearnet", "tor", "i2p", "loki"
	};

	return (unsigned int) n < NOSTR_NETWORK_COUNT ? names[n] : "unknown";
}
