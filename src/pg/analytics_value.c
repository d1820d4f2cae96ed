/*
 * analytics_value.c
 *
 * The category of a kind and the day of a time, as the analytics show them.
 * Any time has a day: those that a date cannot represent share one at each
 * end, the infinite dates.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"

#include "nostr/kind.h"
#include "pg/tally_day.h"

extern PGDLLEXPORT Datum bigbrotr_kind_category(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_kind_category);
extern PGDLLEXPORT Datum bigbrotr_tally_date(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tally_date);
extern PGDLLEXPORT Datum bigbrotr_tally_day(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tally_day);
extern PGDLLEXPORT Datum bigbrotr_tally_day_of_date(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bigbrotr_tally_day_of_date);

/* tally_day.day counts from 1970-01-01, a DateADT from 2000-01-01. */
#define EPOCH_DAYS	(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

Datum
bigbrotr_kind_category(PG_FUNCTION_ARGS)
{
	int32		kind = PG_GETARG_INT32(0);
	const char *category = "other";

	if (kind == 1 || kind == 2 || (kind >= 4 && kind <= 44) || (kind >= 1000 && kind <= 9999))
		category = "regular";
	else if (nostr_kind_is_replaceable(kind))
		category = "replaceable";
	else if (kind >= 20000 && kind <= 29999)
		category = "ephemeral";
	else if (nostr_kind_is_addressable(kind))
		category = "addressable";
	PG_RETURN_TEXT_P(cstring_to_text(category));
}

Datum
bigbrotr_tally_date(PG_FUNCTION_ARGS)
{
	int32		day = PG_GETARG_INT32(0);
	DateADT		date;

	if (day > TALLY_DAY_LAST)
		DATE_NOEND(date);
	else if (day < TALLY_DAY_FIRST)
		DATE_NOBEGIN(date);
	else
		date = day - EPOCH_DAYS;
	PG_RETURN_DATEADT(date);
}

Datum
bigbrotr_tally_day(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(tally_day(PG_GETARG_INT64(0)));
}

Datum
bigbrotr_tally_day_of_date(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_GETARG_DATEADT(0);

	if (DATE_IS_NOBEGIN(date))
		PG_RETURN_INT32(TALLY_DAY_BEFORE);
	if (DATE_IS_NOEND(date))
		PG_RETURN_INT32(TALLY_DAY_AFTER);
	PG_RETURN_INT32(date + EPOCH_DAYS);
}
