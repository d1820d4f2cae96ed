/*
 * frame.c
 *
 * WebSocket frames of the server's side, right and wrong ones.
 */
#include "internal.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#define FIN			0x80
#define CONTINUED	0
#define TEXT		1
#define BINARY		2
#define CLOSE		8
#define PING		9
#define PONG		10

void
frame_accept_key(const char *key, char out[64])
{
	char		text[128];
	unsigned char digest[SHA_DIGEST_LENGTH];

	snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	SHA1((unsigned char *) text, strlen(text), digest);
	EVP_EncodeBlock((unsigned char *) out, digest, SHA_DIGEST_LENGTH);
}

static void
head(Conn *c, int first, uint64_t len)
{
	uint8_t		b[14];
	size_t		n = 2;

	b[0] = (uint8_t) first;
	if (len < 126)
		b[1] = (uint8_t) len;
	else if (len < 65536)
	{
		b[1] = 126;
		b[2] = (uint8_t) (len >> 8);
		b[3] = (uint8_t) len;
		n = 4;
	}
	else
	{
		b[1] = 127;
		for (int i = 0; i < 8; i++)
			b[2 + i] = (uint8_t) (len >> (8 * (7 - i)));
		n = 10;
	}
	if (c->script->frames == RELAY_FRAMES_MASKED)
	{
		b[1] |= 0x80;
		memset(b + n, 0, 4);
		n += 4;
	}
	conn_bytes(c, b, n);
}

void
frame_control(Conn *c, int opcode, const void *data, size_t len)
{
	head(c, FIN | opcode, len);
	conn_bytes(c, data, len);
}

void
frame_half(Conn *c)
{
	head(c, FIN | TEXT, 1000);
	conn_bytes(c, "[\"EVENT\"", 8);
}

void
frame_text(Conn *c, const void *data, size_t len)
{
	const RelayScript *s = c->script;
	const uint8_t *p = data;
	size_t		piece = s->fragment > 0 ? (size_t) s->fragment : len;
	bool		ping = s->ping > 0 && ++c->messages % (unsigned long) s->ping == 0;
	int			opcode = s->frames == RELAY_FRAMES_BINARY ? BINARY :
		s->frames == RELAY_FRAMES_ORPHAN ? CONTINUED : TEXT;

	if (s->frames == RELAY_FRAMES_RESERVED)
		opcode |= 0x50;
	if (s->frames == RELAY_FRAMES_ENDLESS)
	{
		head(c, FIN | opcode, UINT64_C(1) << 62);
		piece = len;
	}
	if (ping)
		frame_control(c, PING, "hello", 5);
	do
	{
		size_t		n = len < piece ? len : piece;

		if (s->frames != RELAY_FRAMES_ENDLESS)
			head(c, (n == len ? FIN : 0) | opcode, n);
		conn_bytes(c, p, n);
		p += n;
		len -= n;
		opcode = CONTINUED;
		if (ping && len > 0)
			frame_control(c, PING, "", 0);
	} while (len > 0);
}

bool
frame_plain(Conn *c, size_t len)
{
	const RelayScript *s = c->script;

	if (s->frames != RELAY_FRAMES_TEXT || s->fragment > 0 || s->ping > 0)
		return false;
	head(c, FIN | TEXT, len);
	return true;
}

void
frame_str(Conn *c, const char *s)
{
	frame_text(c, s, strlen(s));
}

static void
whole(Conn *c, int opcode, const uint8_t *p, size_t len, bool fin)
{
	if (opcode == CLOSE)
	{
		frame_control(c, CLOSE, p, len < 2 ? len : 2);
		conn_end(c);
	}
	else if (opcode == PING)
	{
		c->relay->counters.pings++;
		frame_control(c, PONG, p, len);
	}
	else if (opcode == TEXT || opcode == CONTINUED)
	{
		nostr_buf_append(&c->message, p, len);
		if (fin)
		{
			message_take(c, (const char *) c->message.data, c->message.len);
			nostr_buf_reset(&c->message);
		}
	}
}

size_t
frame_take(Conn *c, uint8_t *p, size_t n)
{
	size_t		at = 2;
	uint64_t	len;
	uint8_t    *mask;

	if (n < 2)
		return 0;
	len = p[1] & 127;
	if (len >= 126)
	{
		size_t		more = len == 126 ? 2 : 8;

		if (n < 2 + more)
			return 0;
		len = 0;
		for (size_t i = 0; i < more; i++)
			len = len << 8 | p[2 + i];
		at += more;
	}
	if (len > RELAY_MAX_IN || (p[1] & 0x80) == 0)
	{
		conn_close(c);
		return 0;
	}
	if (n < at + 4 + len)
		return 0;
	mask = p + at;
	for (uint64_t i = 0; i < len; i++)
		mask[4 + i] ^= mask[i % 4];
	whole(c, p[0] & 15, mask + 4, len, (p[0] & FIN) != 0);
	return at + 4 + len;
}
