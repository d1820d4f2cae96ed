/*
 * archive_reject.c
 *
 * Remembers refused events, and counts.
 *
 * Guarantees that what strangers send cannot make rejected_event grow: eight
 * rows per relay and reason, a bounded sample, and a reason cut at its first
 * colon (what follows is the detail of one sample).
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "nostr/crypto.h"
#include "pg/archive.h"
#include "pg/archive_plan.h"
#include "pg/foreign_text.h"
#include "utils/builtins.h"

#define SAMPLE_MAX 4096
#define REASON_MAX 64
#define DETAIL_MAX 512
#define SLOTS 8

static Datum
clipped_text(const char *s, size_t len, int max)
{
	char	   *clean = bb_foreign_text((const uint8 *) s, len);
	int			clen = strlen(clean);

	if (clen > max)
		clen = pg_mbcliplen(clean, clen, max);
	return PointerGetDatum(cstring_to_text_with_len(clean, clen));
}

static Datum
bytes(const uint8 *data, size_t len)
{
	return PointerGetDatum(cstring_to_text_with_len((const char *) data, len));
}

void
archive_reject(int32 relay_id, const char *reason, const uint8 *id,
			   const uint8 *sample, size_t sample_len, int64 count, int64 seen_at)
{
	const char *colon = strchr(reason, ':');
	size_t		name_len = colon ? colon - reason : strlen(reason);
	Datum		args[8];
	char		nulls[9] = "        ";
	uint8		hash[32];
	uint8		slot = 0;

	SPI_connect();
	if (sample == NULL)
		sample_len = 0;
	if (id != NULL)
		slot = id[0];
	else if (sample_len > 0)
	{
		nostr_sha256(sample, sample_len, hash);
		slot = hash[0];
	}
	args[0] = Int32GetDatum(relay_id);
	args[1] = clipped_text(reason, name_len, REASON_MAX);
	args[2] = Int16GetDatum(slot % SLOTS);
	args[3] = args[4] = args[5] = (Datum) 0;
	if (id != NULL)
		args[3] = bytes(id, 32);
	else
		nulls[3] = 'n';
	if (sample != NULL)
		args[4] = bytes(sample, Min(sample_len, SAMPLE_MAX));
	else
		nulls[4] = 'n';
	if (colon != NULL)
	{
		for (colon++; *colon == ' '; colon++)
			;
		args[5] = clipped_text(colon, strlen(colon), DETAIL_MAX);
	}
	else
		nulls[5] = 'n';
	args[6] = Int64GetDatum(Max(count, 1));
	args[7] = Float8GetDatum((double) seen_at);
	archive_plan_run(BB_PLAN_REJECT, args, nulls);
	SPI_finish();
}

void
archive_count(const char *service, int worker, const char *name, int64 n)
{
	Datum		args[4];

	if (n == 0)
		return;
	SPI_connect();
	args[0] = CStringGetTextDatum(service);
	args[1] = Int32GetDatum(worker);
	args[2] = CStringGetTextDatum(name);
	args[3] = Int64GetDatum(n);
	archive_plan_run(BB_PLAN_COUNT, args, NULL);
	SPI_finish();
}
