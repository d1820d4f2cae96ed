/*
 * key_list.c
 *
 * See key_list.h.
 */
#include "postgres.h"

#include "pg/key_list.h"

int
bb_key_cmp(const void *a, const void *b)
{
	int64		x = DatumGetInt64(*(const Datum *) a);
	int64		y = DatumGetInt64(*(const Datum *) b);

	return (x > y) - (x < y);
}

int
bb_keys_distinct(Datum *keys, int n)
{
	int			m = 0;

	qsort(keys, n, sizeof(Datum), bb_key_cmp);
	for (int i = 0; i < n; i++)
		if (m == 0 || bb_key_cmp(&keys[m - 1], &keys[i]) != 0)
			keys[m++] = keys[i];
	return m;
}
