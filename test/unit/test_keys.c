/*
 * test_keys.c
 *
 * Which files a secret key is taken from, and which are refused.
 */
#include "check.h"

#include "../../src/nostr/hex.h"
#include "../../src/nostr/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX "67dea2ed018072d675f5415ecfaed7d2597555e202d85b3d65ea4e58d2d92ffa"
#define NSEC "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
#define PUB "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e"

static char dir[] = "/tmp/test_keys.XXXXXX";
static char path[64];
static NostrKeys k;

static const char *
load(const char *content, mode_t mode)
{
	FILE	   *f;

	unlink(path);
	f = fopen(path, "w");
	if (f == NULL || fputs(content, f) < 0 || fclose(f) != 0 || chmod(path, mode) != 0)
		abort();
	return nostr_keys_load(path, &k);
}

static void
check_hex(const uint8_t *data, const char *want)
{
	char		got[65];

	nostr_hex_encode(data, 32, got);
	got[64] = '\0';
	CHECK_STR(got, want);
}

int
main(void)
{
	static const NostrKeys none;
	char		other[64];
	char		big[5000];

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/key", dir);
	snprintf(other, sizeof(other), "%s/link", dir);

	CHECK(load(HEX "\n", 0600) == NULL);
	check_hex(k.seckey, HEX);
	check_hex(k.pubkey, PUB);
	CHECK(load(NSEC, 0400) == NULL);
	check_hex(k.seckey, HEX);
	check_hex(k.pubkey, PUB);
	nostr_keys_wipe(&k);
	CHECK(memcmp(&k, &none, sizeof(k)) == 0);
	CHECK(load(NSEC " \r\n\n", 0600) == NULL);

	CHECK(load(HEX, 0644) != NULL);
	CHECK(memcmp(&k, &none, sizeof(k)) == 0);
	CHECK(load(HEX, 0640) != NULL);
	CHECK(load(HEX, 0604) != NULL);
	CHECK(load("", 0600) != NULL);
	CHECK(load("\n", 0600) != NULL);
	CHECK(load(HEX "\n" HEX "\n", 0600) != NULL);
	CHECK(load(HEX "0", 0600) != NULL);
	CHECK(load("npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg", 0600) != NULL);
	/* zero, and the order of the group */
	CHECK(load("0000000000000000000000000000000000000000000000000000000000000000", 0600) != NULL);
	CHECK(load("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 0600) != NULL);
	CHECK(memcmp(&k, &none, sizeof(k)) == 0);

	memset(big, '\n', sizeof(big));
	memcpy(big, HEX, 64);
	big[4096] = '\0';
	CHECK(load(big, 0600) == NULL);
	big[4096] = '\n';
	big[4097] = '\0';
	CHECK(load(big, 0600) != NULL);

	CHECK(load(HEX, 0600) == NULL);
	CHECK(symlink(path, other) == 0);
	errno = 0;
	CHECK(nostr_keys_load(other, &k) != NULL && errno == ELOOP);
	unlink(other);
	CHECK(mkfifo(other, 0600) == 0);
	CHECK(nostr_keys_load(other, &k) != NULL);	/* and does not block */
	unlink(other);
	CHECK(nostr_keys_load(dir, &k) != NULL);
	errno = 0;
	CHECK(nostr_keys_load(other, &k) != NULL && errno == ENOENT);

	unlink(path);
	rmdir(dir);
	return check_done();
}
