/*
 * check_series.h
 *
 * One check in 22 bytes, little-endian: u32 seconds since 2020, u32 flags, and
 * milliseconds (u16, at most 65535) of DNS, TCP, TLS, upgrade, reading, writing
 * and NIP-11.
 */
#ifndef BB_CHECK_SERIES_H
#define BB_CHECK_SERIES_H

#include "postgres.h"

#define BB_SAMPLE_SIZE	22
#define BB_SAMPLE_TIMES	7
#define BB_SERIES_MAX	64		/* samples in one row of check_series */

typedef struct BbSample
{
	int64		at;				/* unix seconds */
	bool		opened;
	bool		read_asked;
	bool		read_ok;
	bool		write_asked;
	bool		write_ok;
	bool		write_live;
	bool		write_stored;
	bool		challenged;
	bool		nip11_asked;
	bool		nip11_ok;
	const char *failure;		/* class, when not opened */
	uint32		us[BB_SAMPLE_TIMES];	/* in the order above */
} BbSample;

extern void bb_sample_pack(const BbSample *s, uint8 out[BB_SAMPLE_SIZE]);

#endif
