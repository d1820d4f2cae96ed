/*
 * crypto.c
 *
 * SHA-256 and BIP-340.  Guarantees that no input and no lack of memory ends
 * the process: libsecp256k1 would abort on both, so its callbacks are
 * replaced and its context lives in memory that we allocated.
 */
#include "pgfree.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_schnorrsig.h>

#include "crypto.h"
#include "sha256.h"

static pthread_mutex_t init_lock = PTHREAD_MUTEX_INITIALIZER;
static secp256k1_context *secp;
static pthread_key_t hash_key;	/* frees a thread's context at its end */
static bool hash_key_made;
static _Thread_local EVP_MD_CTX *hash_ctx;

/* The call that was misused returns 0 after this: that is enough. */
static void
ignore_callback(const char *message, void *data)
{
	(void) message;
	(void) data;
}

static void
free_hash_ctx(void *ctx)
{
	EVP_MD_CTX_free(ctx);
	/* another destructor may hash after us: it gets a new one */
	hash_ctx = NULL;
}

static secp256k1_context *
make_context(void)
{
	secp256k1_context *ctx;
	unsigned char seed[32];
	void	   *mem;

	mem = malloc(secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE));
	if (mem == NULL)
		return NULL;
	ctx = secp256k1_context_preallocated_create(mem, SECP256K1_CONTEXT_NONE);
	secp256k1_context_set_illegal_callback(ctx, ignore_callback, NULL);
	secp256k1_context_set_error_callback(ctx, ignore_callback, NULL);
	/* blinding against side channels; signing is right without it too */
	if (RAND_bytes(seed, sizeof(seed)) == 1)
		(void) !secp256k1_context_randomize(ctx, seed);
	OPENSSL_cleanse(seed, sizeof(seed));
	return ctx;
}

bool
nostr_crypto_init(void)
{
	bool		ok;

	pthread_mutex_lock(&init_lock);
	if (!hash_key_made)
		hash_key_made = pthread_key_create(&hash_key, free_hash_ctx) == 0;
	if (secp == NULL)
		secp = make_context();
	ok = secp != NULL && hash_key_made;
	pthread_mutex_unlock(&init_lock);
	return ok;
}

bool
nostr_sha256_begin(void)
{
	if (hash_ctx != NULL)
		return EVP_DigestInit_ex2(hash_ctx, NULL, NULL) == 1;
	hash_ctx = EVP_MD_CTX_new();
	if (hash_ctx == NULL)
		return false;
	if (!hash_key_made || pthread_setspecific(hash_key, hash_ctx) != 0 ||
		EVP_DigestInit_ex2(hash_ctx, EVP_sha256(), NULL) != 1)
	{
		if (hash_key_made)
			pthread_setspecific(hash_key, NULL);
		EVP_MD_CTX_free(hash_ctx);
		hash_ctx = NULL;
		return false;
	}
	return true;
}

bool
nostr_sha256_update(const void *data, size_t len)
{
	return EVP_DigestUpdate(hash_ctx, data, len) == 1;
}

bool
nostr_sha256_end(uint8_t out[32])
{
	return EVP_DigestFinal_ex(hash_ctx, out, NULL) == 1;
}

void
nostr_sha256(const void *data, size_t len, uint8_t out[32])
{
	if (nostr_sha256_begin() && nostr_sha256_update(data, len) &&
		nostr_sha256_end(out))
		return;

	/* no memory for a context; this older interface needs none */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	{
		SHA256_CTX	ctx;

		SHA256_Init(&ctx);
		SHA256_Update(&ctx, data, len);
		SHA256_Final(out, &ctx);
	}
#pragma GCC diagnostic pop
}

#define KEY_SLOTS	1024		/* a power of two */

struct NostrKeyCache
{
	struct
	{
		uint8_t		pubkey[32];
		bool		used;
		secp256k1_xonly_pubkey key;
	}			slot[KEY_SLOTS];
};

NostrKeyCache *
nostr_key_cache_new(void)
{
	return calloc(1, sizeof(NostrKeyCache));
}

void
nostr_key_cache_free(NostrKeyCache *c)
{
	free(c);
}

bool
nostr_schnorr_verify_cached(NostrKeyCache *cache, const uint8_t sig[64], const uint8_t msg[32],
							const uint8_t pubkey[32])
{
	secp256k1_xonly_pubkey here;
	secp256k1_xonly_pubkey *key = &here;
	int			at = (pubkey[30] << 8 | pubkey[31]) & (KEY_SLOTS - 1);
	bool		found = cache != NULL && cache->slot[at].used &&
		memcmp(cache->slot[at].pubkey, pubkey, 32) == 0;

	if (secp == NULL)
		return false;
	if (cache != NULL)
		key = &cache->slot[at].key;
	if (!found && cache != NULL)
		cache->slot[at].used = false;	/* what fails to parse is overwritten */
	if (!found && secp256k1_xonly_pubkey_parse(secp, key, pubkey) != 1)
		return false;
	if (!found && cache != NULL)
	{
		memcpy(cache->slot[at].pubkey, pubkey, 32);
		cache->slot[at].used = true;
	}
	return secp256k1_schnorrsig_verify(secp, sig, msg, 32, key) == 1;
}

bool
nostr_schnorr_verify(const uint8_t sig[64], const uint8_t msg[32],
					 const uint8_t pubkey[32])
{
	return nostr_schnorr_verify_cached(NULL, sig, msg, pubkey);
}

bool
nostr_schnorr_sign(const uint8_t seckey[32], const uint8_t msg[32],
				   const uint8_t aux[32], uint8_t sig[64])
{
	secp256k1_keypair pair;
	bool		ok;

	ok = secp != NULL &&
		secp256k1_keypair_create(secp, &pair, seckey) == 1 &&
		secp256k1_schnorrsig_sign32(secp, sig, msg, &pair, aux) == 1;
	OPENSSL_cleanse(&pair, sizeof(pair));
	return ok;
}

bool
nostr_pubkey_from_seckey(const uint8_t seckey[32], uint8_t pubkey[32])
{
	secp256k1_keypair pair;
	secp256k1_xonly_pubkey key;
	bool		ok;

	ok = secp != NULL &&
		secp256k1_keypair_create(secp, &pair, seckey) == 1 &&
		secp256k1_keypair_xonly_pub(secp, &key, NULL, &pair) == 1 &&
		secp256k1_xonly_pubkey_serialize(secp, pubkey, &key) == 1;
	OPENSSL_cleanse(&pair, sizeof(pair));
	return ok;
}
