/*
 * relay_path.h
 *
 * The path of a relay address, normalised (RFC 3986, 6.2.2).  Internal to
 * relay_url.
 */
#ifndef NOSTR_RELAY_PATH_H
#define NOSTR_RELAY_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * path: empty, or starting with "/"; at most NOSTR_RELAY_URL_MAX bytes.  out
 * holds as many and a terminator; "" for the root.  false: refused.
 */
extern bool nostr_relay_path_normalise(const char *path, size_t len, char *out);

#endif
