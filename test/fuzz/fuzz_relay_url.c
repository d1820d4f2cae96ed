/*
 * fuzz_relay_url.c
 *
 * Any bytes: normalising an accepted address again must give the same bytes,
 * and a forbidden one must not slip in.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nostr/relay_url.h"
#include "../../src/nostr/special_addr.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int special = 0; special < 2; special++)
	{
		NostrRelayUrl u;
		NostrRelayUrl again;
		NostrAddr	addr;
		size_t		len;

		if (nostr_relay_url_parse((const char *) data, size, special, &u) != NOSTR_URL_OK)
			continue;
		len = strlen(u.url);
		if (len > NOSTR_RELAY_URL_MAX || u.port == 0)
			abort();
		if (nostr_relay_url_parse(u.url, len, special, &again) != NOSTR_URL_OK ||
			strcmp(u.url, again.url) != 0 || strcmp(u.host, again.host) != 0 ||
			u.port != again.port || u.tls != again.tls || u.network != again.network)
			abort();
		if (u.ip_literal != nostr_addr_parse(u.host, &addr))
			abort();
		if (!special && u.ip_literal && nostr_addr_special(&addr) != NULL)
			abort();
	}
	return 0;
}
