/*
 * obspack.c
 *
 * See obspack.h.
 */
#include "pgfree.h"

#include "obspack.h"

int
nostr_obs_cmp_event(const void *a, const void *b)
{
	const NostrObs *x = a;
	const NostrObs *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->relay_id > y->relay_id) - (x->relay_id < y->relay_id);
}

int
nostr_obs_cmp_relay(const void *a, const void *b)
{
	const NostrObs *x = a;
	const NostrObs *y = b;

	if (x->relay_id != y->relay_id)
		return x->relay_id < y->relay_id ? -1 : 1;
	return (x->key > y->key) - (x->key < y->key);
}

static uint64_t
zigzag(int64_t v)
{
	return (uint64_t) v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static int64_t
unzigzag(uint64_t v)
{
	return (int64_t) (v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

static size_t
width(uint64_t v)
{
	size_t		n = 1;

	while (v >>= 7)
		n++;
	return n;
}

static uint8_t *
put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t) (v | 0x80);
	*p++ = (uint8_t) v;
	return p;
}

/* false: cut off, more than 64 bits, or longer than needed. */
static bool
get(NostrObsReader *r, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && r->p < r->end; shift += 7)
	{
		uint8_t		b = *r->p++;

		if (shift == 63 && b > 1)
			return false;
		*v |= (uint64_t) (b & 0x7f) << shift;
		if (b < 0x80)
			return b != 0 || shift == 0;
	}
	return false;
}

/* Relays of the key of o[0]. */
static size_t
same_key(const NostrObs *o, size_t n)
{
	size_t		i = 1;

	while (i < n && o[i].key == o[0].key)
		i++;
	return i;
}

/* Bytes of the items of one key, packed behind prev (NULL: the first). */
static size_t
key_width(const NostrObs *o, size_t n, NostrObsForm form, const NostrObs *prev)
{
	size_t		w = width(prev ? (uint64_t) (o->key - prev->key) : 0);
	int64_t		seen = prev ? prev->seen_at : 0;

	if (form == NOSTR_OBS_BY_EVENT)
		w += width(n);
	for (size_t i = 0; i < n; i++)
	{
		if (form == NOSTR_OBS_BY_EVENT)
			w += width((uint64_t) (o[i].relay_id - (i > 0 ? o[i - 1].relay_id : 0)));
		w += width(zigzag(o[i].seen_at - seen));
		seen = o[i].seen_at;
	}
	return w;
}

size_t
nostr_obs_cut(const NostrObs *o, size_t n, NostrObsForm form, size_t max)
{
	size_t		total = NOSTR_OBS_HEADER;
	size_t		limit;
	size_t		used = NOSTR_OBS_HEADER;
	size_t		take;

	/* a few blocks' worth is enough to know */
	for (size_t i = 0; i < n && total <= 4 * max; i += take)
	{
		take = form == NOSTR_OBS_BY_EVENT ? same_key(o + i, n - i) : 1;
		total += key_width(o + i, take, form, i > 0 ? &o[i - 1] : NULL);
	}
	limit = total > 4 * max ? max : total / ((total + max - 1) / max) + NOSTR_OBS_ITEM_MAX;
	if (limit > max)
		limit = max;
	for (size_t i = 0; i < n; i += take)
	{
		take = form == NOSTR_OBS_BY_EVENT ? same_key(o + i, n - i) : 1;
		used += key_width(o + i, take, form, i > 0 ? &o[i - 1] : NULL);
		if (i > 0 && used > limit)
			return i;
	}
	return n;
}

size_t
nostr_obs_pack(const NostrObs *o, size_t n, NostrObsForm form, uint8_t *out)
{
	uint8_t    *p = out;
	int64_t		key = o[0].key;
	int64_t		seen = 0;
	size_t		take;

	*p++ = (uint8_t) form;
	for (size_t i = 0; i < n; i += take)
	{
		take = form == NOSTR_OBS_BY_EVENT ? same_key(o + i, n - i) : 1;
		p = put(p, (uint64_t) (o[i].key - key));
		key = o[i].key;
		if (form == NOSTR_OBS_BY_EVENT)
			p = put(p, take);
		for (size_t j = i; j < i + take; j++)
		{
			if (form == NOSTR_OBS_BY_EVENT)
				p = put(p, (uint64_t) (o[j].relay_id - (j > i ? o[j - 1].relay_id : 0)));
			p = put(p, zigzag(o[j].seen_at - seen));
			seen = o[j].seen_at;
		}
	}
	return (size_t) (p - out);
}

bool
nostr_obs_open(NostrObsReader *r, const uint8_t *data, size_t len, int64_t first_key, int32_t relay_id)
{
	*r = (NostrObsReader) {.end = data + len};
	if (len < 2 || (data[0] != NOSTR_OBS_BY_EVENT && data[0] != NOSTR_OBS_BY_RELAY) || first_key < 0)
		return false;
	r->p = data + 1;
	r->form = data[0];
	r->at.key = first_key;
	r->at.relay_id = r->form == NOSTR_OBS_BY_RELAY ? relay_id : 0;
	return true;
}

/* The next key.  Its delta is 0 for the first, and only for the first. */
static bool
next_key(NostrObsReader *r)
{
	uint64_t	delta;

	if (!get(r, &delta) || (delta == 0) == r->begun ||
		delta > (uint64_t) (INT64_MAX - r->at.key))
		return false;
	r->begun = true;
	r->at.key += (int64_t) delta;
	r->left = 1;
	if (r->form == NOSTR_OBS_BY_RELAY)
		return true;
	r->at.relay_id = 0;
	return get(r, &r->left) && r->left > 0;
}

int
nostr_obs_next(NostrObsReader *r, NostrObs *out)
{
	uint64_t	v;
	int64_t		seen;

	if (r->left == 0)
	{
		if (r->p == r->end)
			return r->begun ? 0 : -1;
		if (!next_key(r))
			return -1;
	}
	if (r->form == NOSTR_OBS_BY_EVENT)
	{
		if (!get(r, &v) || v == 0 || v > (uint64_t) (INT32_MAX - r->at.relay_id))
			return -1;
		r->at.relay_id += (int32_t) v;
	}
	if (!get(r, &v) || v > zigzag((int64_t) 1 << 33))
		return -1;
	seen = r->at.seen_at + unzigzag(v);
	if (seen < INT32_MIN || seen > INT32_MAX)
		return -1;
	r->at.seen_at = (int32_t) seen;
	r->left--;
	*out = r->at;
	return 1;
}

size_t
nostr_obs_merge(const NostrObs *a, size_t na, const NostrObs *b, size_t nb, NostrObs *out)
{
	size_t		i = 0;
	size_t		j = 0;
	size_t		n = 0;

	while (i < na || j < nb)
	{
		int			c = i == na ? 1 : j == nb ? -1 : nostr_obs_cmp_event(&a[i], &b[j]);

		if (c == 0 && b[j].seen_at < a[i].seen_at)
			i++;
		else if (c == 0)
			j++;
		else
			out[n++] = c < 0 ? a[i++] : b[j++];
	}
	return n;
}
