/*
 * keys.c
 *
 * Guarantees: a key is taken only from a file that nobody but its owner can
 * read, and no copy of it stays in memory except in *out.  All checks are on
 * the open descriptor, so the file cannot be exchanged between the check and
 * the read; opening does not block on a FIFO.
 */
#include "pgfree.h"

#include "crypto.h"
#include "hex.h"
#include "keys.h"
#include "nip19.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 4096

static const char *
file_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return "cannot open key file";
	if (!S_ISREG(st.st_mode))
		return "key file is not a regular file";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "key file belongs to another user";
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "key file is accessible to group or others";
	if (st.st_size > KEY_FILE_MAX)
		return "key file is larger than 4 kB";
	return NULL;
}

/* A file that grows after fstat still cannot pass the limit. */
static const char *
file_read(int fd, char *buf, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size)
	{
		ssize_t		n = read(fd, buf + *len, size - *len);

		if (n == 0)
			return NULL;
		if (n < 0)
		{
			if (errno == EINTR)
				continue;
			return "cannot read key file";
		}
		*len += (size_t) n;
	}
	return "key file is larger than 4 kB";
}

static const char *
nsec_decode(const char *text, size_t len, uint8_t seckey[32])
{
	NostrBuf	scratch;
	NostrNip19	entity;
	const char *error = NULL;

	/* Room for everything at once: growth would leave copies behind. */
	nostr_buf_init(&scratch, NOSTR_NIP19_MAX);
	if (nostr_buf_reserve(&scratch, NOSTR_NIP19_MAX) == NULL)
	{
		nostr_buf_free(&scratch);
		return "out of memory";
	}
	if (nostr_nip19_decode(text, len, &scratch, &entity) != NULL ||
		entity.type != NOSTR_NIP19_NSEC)
		error = "key file holds neither a hexadecimal key nor an nsec";
	else
		memcpy(seckey, entity.data, 32);
	explicit_bzero(&entity, sizeof(entity));
	explicit_bzero(scratch.data, scratch.cap);
	nostr_buf_free(&scratch);
	return error;
}

static const char *
key_decode(const char *text, size_t len, NostrKeys *out)
{
	const char *error = NULL;

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' ||
					   text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len == 0)
		return "key file is empty";
	if (memchr(text, '\n', len) != NULL)
		return "key file has more than one line";
	if (!nostr_hex_decode(text, len, out->seckey, 32))
		error = nsec_decode(text, len, out->seckey);
	if (error != NULL)
		return error;
	if (!nostr_crypto_init())
		return "out of memory";
	if (!nostr_pubkey_from_seckey(out->seckey, out->pubkey))
		return "key is not a valid secp256k1 secret key";
	return NULL;
}

const char *
nostr_keys_load(const char *path, NostrKeys *out)
{
	char		buf[KEY_FILE_MAX + 1];
	size_t		len;
	const char *error;
	int			fd;

	memset(out, 0, sizeof(*out));
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return "cannot open key file";
	error = file_check(fd);
	if (error == NULL)
		error = file_read(fd, buf, sizeof(buf), &len);
	close(fd);
	if (error == NULL)
		error = key_decode(buf, len, out);
	explicit_bzero(buf, sizeof(buf));
	if (error != NULL)
		nostr_keys_wipe(out);
	return error;
}

void
nostr_keys_wipe(NostrKeys *k)
{
	explicit_bzero(k, sizeof(*k));
}
