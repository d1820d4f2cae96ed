/*
 * bech32.c
 *
 * Guarantees: a byte string has exactly one accepted text per letter case;
 * mixed case, wrong checksums and non-zero or superfluous padding bits are
 * refused.  No copy of the payload is made except in the caller's buffer,
 * because the payload may be a secret key.
 */
#include "pgfree.h"

#include "bech32.h"

#include <string.h>

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t
polymod_step(uint32_t chk, uint8_t value)
{
	static const uint32_t generator[5] = {
		0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3
	};
	uint32_t	top = chk >> 25;

	chk = (chk & 0x1ffffff) << 5 ^ value;
	for (int i = 0; i < 5; i++)
	{
		if ((top >> i) & 1)
			chk ^= generator[i];
	}
	return chk;
}

static uint32_t
polymod_hrp(const char *hrp)
{
	uint32_t	chk = 1;

	for (const char *p = hrp; *p != '\0'; p++)
		chk = polymod_step(chk, (uint8_t) *p >> 5);
	chk = polymod_step(chk, 0);
	for (const char *p = hrp; *p != '\0'; p++)
		chk = polymod_step(chk, (uint8_t) *p & 31);
	return chk;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
}

static int
charset_value(char c)
{
	const char *p = c == '\0' ? NULL : strchr(charset, lower(c));

	return p == NULL ? -1 : (int) (p - charset);
}

const char *
nostr_bech32_decode(const char *text, size_t len,
					char hrp[NOSTR_BECH32_HRP_MAX + 1], NostrBuf *out)
{
	size_t		sep = 0;
	size_t		nbytes;
	bool		has_lower = false;
	bool		has_upper = false;
	uint32_t	chk;
	uint32_t	acc = 0;
	int			bits = 0;
	uint8_t    *dst;

	if (len > NOSTR_BECH32_MAX)
		return "bech32 text is too long";
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < 33 || text[i] > 126)
			return "bech32 text has an invalid character";
		has_lower = has_lower || (text[i] >= 'a' && text[i] <= 'z');
		has_upper = has_upper || (text[i] >= 'A' && text[i] <= 'Z');
		if (text[i] == '1')
			sep = i;
	}
	if (has_lower && has_upper)
		return "bech32 text has mixed case";
	if (sep == 0)
		return "bech32 text has no prefix";
	if (sep > NOSTR_BECH32_HRP_MAX)
		return "bech32 prefix is too long";
	if (len - sep - 1 < 6)
		return "bech32 text is too short";
	for (size_t i = 0; i < sep; i++)
		hrp[i] = lower(text[i]);
	hrp[sep] = '\0';

	chk = polymod_hrp(hrp);
	for (size_t i = sep + 1; i < len; i++)
	{
		int			v = charset_value(text[i]);

		if (v < 0)
			return "bech32 text has an invalid character";
		chk = polymod_step(chk, (uint8_t) v);
		if (i == len - 7)
			acc = (uint32_t) v; /* last data character: holds the padding */
	}
	if (chk != 1)
		return "bech32 checksum does not match";

	/* at most 4 padding bits, all zero (BIP-173) */
	nbytes = (len - sep - 7) * 5 / 8;
	bits = (int) ((len - sep - 7) * 5 % 8);
	if (bits > 4 || (acc & ((1u << bits) - 1)) != 0)
		return "bech32 padding is not canonical";

	if (nbytes == 0)
		return NULL;
	dst = nostr_buf_reserve(out, nbytes);
	if (dst == NULL)
		return "out of memory";
	acc = 0;
	bits = 0;
	for (size_t i = sep + 1; i < len - 6; i++)
	{
		acc = (acc << 5 | (uint32_t) charset_value(text[i])) & 0xfff;
		bits += 5;
		if (bits >= 8)
		{
			bits -= 8;
			*dst++ = (uint8_t) (acc >> bits);
		}
	}
	out->len += nbytes;
	return NULL;
}

const char *
nostr_bech32_encode(const char *hrp, const uint8_t *data, size_t len, NostrBuf *out)
{
	size_t		hrplen = strlen(hrp);
	size_t		total;
	uint32_t	chk;
	uint32_t	acc = 0;
	int			bits = 0;
	uint8_t    *dst;

	if (hrplen == 0 || hrplen > NOSTR_BECH32_HRP_MAX)
		return "bech32 prefix has a wrong length";
	for (const char *p = hrp; *p != '\0'; p++)
	{
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
			return "bech32 prefix has an invalid character";
	}
	if (len > NOSTR_BECH32_MAX)
		return "bech32 text is too long";
	total = hrplen + 1 + (len * 8 + 4) / 5 + 6;
	if (total > NOSTR_BECH32_MAX)
		return "bech32 text is too long";
	dst = nostr_buf_reserve(out, total);
	if (dst == NULL)
		return "out of memory";
	out->len += total;

	memcpy(dst, hrp, hrplen);
	dst += hrplen;
	*dst++ = '1';
	chk = polymod_hrp(hrp);
	for (size_t i = 0; i < len; i++)
	{
		acc = (acc << 8 | data[i]) & 0xfff;
		for (bits += 8; bits >= 5;)
		{
			bits -= 5;
			chk = polymod_step(chk, (uint8_t) (acc >> bits & 31));
			*dst++ = (uint8_t) charset[acc >> bits & 31];
		}
	}
	if (bits > 0)
	{
		chk = polymod_step(chk, (uint8_t) (acc << (5 - bits) & 31));
		*dst++ = (uint8_t) charset[acc << (5 - bits) & 31];
	}
	for (int i = 0; i < 6; i++)
		chk = polymod_step(chk, 0);
	chk ^= 1;
	for (int i = 0; i < 6; i++)
		*dst++ = (uint8_t) charset[chk >> (5 * (5 - i)) & 31];
	return NULL;
}
