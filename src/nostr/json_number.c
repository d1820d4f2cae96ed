/*
 * json_number.c
 *
 * Numbers of the pull scanner: RFC 8259's grammar, and the plain integers
 * that Nostr wants, without any loss through floating point.
 */
#include "pgfree.h"

#include "json.h"

static const uint8_t *
skip_digits(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

static bool
number_fail(NostrJson *js, const uint8_t *at)
{
	if (js->error == NOSTR_OK)
	{
		js->error = NOSTR_BAD_JSON;
		js->error_at = (size_t) (at - js->start);
	}
	return false;
}

bool
nostr_json_number(NostrJson *js, const uint8_t **s, size_t *len)
{
	const uint8_t *p;
	const uint8_t *q;

	nostr_json_peek(js);
	if (js->error != NOSTR_OK)
		return false;
	p = js->p;
	if (p < js->end && *p == '-')
		p++;
	q = skip_digits(p, js->end);
	if (q == p)
		return number_fail(js, p);
	if (*p == '0' && q - p > 1)
		return number_fail(js, p + 1);	/* leading zero */
	if (q < js->end && *q == '.')
	{
		p = q + 1;
		q = skip_digits(p, js->end);
		if (q == p)
			return number_fail(js, p);
	}
	if (q < js->end && (*q | 0x20) == 'e')
	{
		p = q + 1;
		if (p < js->end && (*p == '+' || *p == '-'))
			p++;
		q = skip_digits(p, js->end);
		if (q == p)
			return number_fail(js, p);
	}
	*s = js->p;
	*len = (size_t) (q - js->p);
	js->p = q;
	return true;
}

bool
nostr_json_int64(const uint8_t *s, size_t len, int64_t *v)
{
	bool		negative = len > 0 && s[0] == '-';
	size_t		i = negative ? 1 : 0;
	int64_t		value = 0;

	if (i == len || (s[i] == '0' && (negative || len > 1)))
		return false;
	/* counted downwards: the negative range is the larger one */
	for (; i < len; i++)
	{
		if (s[i] < '0' || s[i] > '9' ||
			__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, s[i] - '0', &value))
			return false;
	}
	if (!negative && value == INT64_MIN)
		return false;
	*v = negative ? value : -value;
	return true;
}
