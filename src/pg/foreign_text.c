/*
 * foreign_text.c
 *
 * See foreign_text.h.  Never raises an error for what the text holds.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "pg/foreign_text.h"

char *
bb_foreign_text(const uint8 *data, size_t len)
{
	char	   *s = pnstrdup((const char *) data, strnlen((const char *) data, len));

	len = strlen(s);
	if (!pg_verifymbstr(s, len, true))
	{
		for (size_t i = 0; i < len; i++)
		{
			if ((unsigned char) s[i] >= 0x80)
				s[i] = '?';
		}
	}
	return s;
}
