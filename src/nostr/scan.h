/*
 * scan.h
 *
 * The two loops that see every byte of every event: find the next byte that
 * ends a plain run of a JSON string.  16 bytes at a time where SSE2 exists
 * (always on x86-64), else one by one; the answer is the same.
 *
 * Internal to src/nostr.
 */
#ifndef NOSTR_SCAN_H
#define NOSTR_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* First quote, backslash or byte below 0x20 (or 0x7F, when "del") in [p, end),
 * else end.  *high becomes true when a byte before it is not ASCII. */
static inline const uint8_t *
nostr_scan(const uint8_t *p, const uint8_t *end, bool del, bool *high)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i slash = _mm_set1_epi8('\\');
	const __m128i ctrl = _mm_set1_epi8(0x1f);
	const __m128i rub = _mm_set1_epi8(0x7f);

	while (end - p >= 16)
	{
		__m128i		x = _mm_loadu_si128((const __m128i *) p);
		__m128i		hit = _mm_or_si128(_mm_cmpeq_epi8(x, quote),
									   _mm_cmpeq_epi8(x, slash));
		unsigned	stop;
		unsigned	top;

		hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(x, ctrl), x));
		if (del)
			hit = _mm_or_si128(hit, _mm_cmpeq_epi8(x, rub));
		stop = (unsigned) _mm_movemask_epi8(hit);
		top = (unsigned) _mm_movemask_epi8(x);
		if (stop != 0)
		{
			/* only bytes in front of the stop count as seen */
			if (top & ((stop & -stop) - 1))
				*high = true;
			return p + __builtin_ctz(stop);
		}
		if (top != 0)
			*high = true;
		p += 16;
	}
#endif
	for (; p < end; p++)
	{
		if (*p < 0x20 || *p == '"' || *p == '\\' || (del && *p == 0x7f))
			break;
		if (*p >= 0x80)
			*high = true;
	}
	return p;
}

#endif
