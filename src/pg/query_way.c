/*
 * query_way.c
 *
 * Which access paths ("ways") through event lead to the matches of a filter,
 * and what each needs: kinds, codes, texts.
 *
 * A way finds at least what matches; it is chosen by the contents of the
 * filter, not by statistics.  Dense matches are noticed during the scan
 * (query_plan.c).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pg/archive_plan.h"
#include "pg/query.h"

#include "nostr/tag_key.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define MANY_CODES		2000	/* more are not looked up one by one */

static Datum
id_codes(const NostrFilter *f)
{
	int32	   *v = palloc(sizeof(int32) * Max(f->ids.n, 1));

	for (uint32 i = 0; i < f->ids.n; i++)
		v[i] = nostr_id_code(f->ids.mem.data + (size_t) i * 32);
	return bb_code_array(v, f->ids.n);
}

/* Codes of each author and kind, or of each author. */
static Datum
author_codes(const NostrFilter *f)
{
	int			nkinds = f->kinds.given ? f->kinds.n : 1;
	int32	   *v = palloc(sizeof(int32) * Max(f->authors.n * nkinds, 1));
	int			n = 0;

	for (uint32 i = 0; i < f->authors.n; i++)
		for (int k = 0; k < nkinds; k++)
			v[n++] = nostr_author_code(f->authors.mem.data + (size_t) i * 32,
									   f->kinds.given ? ((const uint16 *) f->kinds.mem.data)[k] : 0);
	return bb_code_array(v, n);
}

static Datum
kind_array(const NostrFilter *f)
{
	int32	   *v = palloc(sizeof(int32) * Max(f->kinds.n, 1));

	for (uint32 i = 0; i < f->kinds.n; i++)
		v[i] = ((const uint16 *) f->kinds.mem.data)[i];
	return bb_code_array(v, f->kinds.n);
}

static Datum
tag_texts(const NostrFilter *f, int slot)
{
	const NostrFilterList *l = &f->tags[slot];
	const NostrFilterValue *v = (const NostrFilterValue *) l->mem.data;
	Datum	   *d = palloc(sizeof(Datum) * Max(l->n, 1));

	for (uint32 i = 0; i < l->n; i++)
	{
		NostrTagElement el = {v[i].data, v[i].len, v[i].hex};
		size_t		len = nostr_tag_element_text_len(&el) + 2;
		text	   *t = palloc(VARHDRSZ + len);

		SET_VARSIZE(t, VARHDRSZ + len);
		VARDATA(t)[0] = slot < 26 ? 'A' + slot : 'a' + slot - 26;
		VARDATA(t)[1] = ':';
		nostr_tag_element_text(&el, VARDATA(t) + 2);
		d[i] = PointerGetDatum(t);
	}
	return archive_array(d, NULL, l->n, TEXTOID);
}

/* Two letters whose values are probably rare: few values, and not those that
 * everybody shares. */
static int
rare_letters(const NostrFilter *f, int slots[2], bool *rare)
{
	int			n = 0;
	double		cost[2] = {0, 0};

	for (int i = 0; i < NOSTR_FILTER_LETTERS; i++)
	{
		static const char common[] = "tkKlLpP";
		double		c;

		if (!f->tags[i].given)
			continue;
		c = f->tags[i].n * (strchr(common, i < 26 ? 'A' + i : 'a' + i - 26) != NULL ? 100.0 : 1.0);
		if (n < 2)
		{
			cost[n] = c;
			slots[n++] = i;
		}
		else if (c < Max(cost[0], cost[1]))
		{
			int			w = cost[0] > cost[1] ? 0 : 1;

			cost[w] = c;
			slots[w] = i;
		}
	}
	*rare = n > 0 && Min(cost[0], n > 1 ? cost[1] : cost[0]) < 100;
	return n;
}

BbRoute
bb_route_ids(const NostrFilter *f)
{
	return (BbRoute) {BB_DRIVE_ID, id_codes(f), (Datum) 0};
}

bool
bb_route_direct(const NostrFilter *f, BbRoute *r)
{
	int64		codes = f->authors.given ? (int64) f->authors.n * (f->kinds.given ? f->kinds.n : 1) : 0;
	int			slots[2];
	bool		rare;
	int			letters = rare_letters(f, slots, &rare);

	if (letters > 0 && (rare || codes == 0 || codes > MANY_CODES))
		*r = (BbRoute) {letters == 1 ? BB_DRIVE_TAG : BB_DRIVE_TAGS, tag_texts(f, slots[0]),
			letters > 1 ? tag_texts(f, slots[1]) : (Datum) 0};
	else if (codes > 0 && codes <= MANY_CODES)
		*r = (BbRoute) {f->kinds.given ? BB_DRIVE_CODES : BB_DRIVE_AUTHORS, author_codes(f), (Datum) 0};
	else if (f->kinds.given && f->kinds.n > 1)
		*r = (BbRoute) {BB_DRIVE_KINDS, kind_array(f), (Datum) 0};
	else
		return false;
	return true;
}

BbRoute
bb_route_ordered(const NostrFilter *f)
{
	int32		kind = f->kinds.given && f->kinds.n == 1 ? *(const uint16 *) f->kinds.mem.data : -1;

	if (kind >= 0 && f->authors.given && f->authors.n == 1)
		return (BbRoute) {BB_DRIVE_AUTHOR, Int32GetDatum(nostr_author_code(f->authors.mem.data, kind)), (Datum) 0};
	return (BbRoute) {kind >= 0 ? BB_DRIVE_KIND : BB_DRIVE_KEY, Int32GetDatum(kind), (Datum) 0};
}
