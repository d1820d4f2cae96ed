/*
 * canonical.c
 *
 * The text that is hashed, the id, the JSON that is handed out, the key.
 * Guarantees that nostr_event_json is valid JSON whatever the content holds,
 * and that parsing it gives the same event in the same form.
 */
#include "pgfree.h"

#include <string.h>

#include "canonical.h"
#include "sha256.h"
#include "tags.h"
#include "writer.h"

static void
write_canonical(NostrWriter *w, const NostrEvent *ev, NostrForm form)
{
	nostr_writer_put(w, "[0,\"", 4);
	nostr_writer_hex(w, ev->pubkey, 32);
	nostr_writer_put(w, "\",", 2);
	nostr_writer_int(w, ev->created_at);
	nostr_writer_put(w, ",", 1);
	nostr_writer_int(w, ev->kind);
	nostr_writer_put(w, ",", 1);
	nostr_writer_tags(w, ev->tags, ev->tags_len, form);
	nostr_writer_put(w, ",", 1);
	nostr_writer_string(w, ev->content, ev->content_len, form);
	nostr_writer_put(w, "]", 1);
	nostr_writer_flush(w);
}

void
nostr_event_canonical(const NostrEvent *ev, NostrForm form, NostrBuf *out)
{
	NostrWriter w;

	nostr_writer_init(&w, out);
	write_canonical(&w, ev, form);
}

/*
 * "scratch" is not needed: the text goes through a small chunk straight into
 * the hash, so that ev may point into scratch without being moved.
 */
bool
nostr_event_id(const NostrEvent *ev, NostrForm form, NostrBuf *scratch,
			   uint8_t id[32])
{
	NostrWriter w;

	(void) scratch;
	if (!nostr_sha256_begin())
		return false;
	nostr_writer_init(&w, NULL);
	write_canonical(&w, ev, form);
	return nostr_sha256_end(id) && !w.failed;
}

static bool
has_byte(const uint8_t *s, size_t len, bool del)
{
	for (size_t i = 0; i < len; i++)
	{
		if (del ? s[i] == 0x7f :
			(s[i] < 0x20 && (s[i] < '\b' || s[i] == '\v' || s[i] > '\r')))
			return true;
	}
	return false;
}

/* Is there a character on whose spelling the forms differ? */
static bool
event_has_byte(const NostrEvent *ev, bool del)
{
	NostrTagIter it;
	NostrTagElement el;

	if (has_byte(ev->content, ev->content_len, del))
		return true;
	nostr_tags_iter(&it, ev->tags, ev->tags_len);
	while (nostr_tags_next(&it) > 0)
		while (nostr_tags_next_element(&it, &el))
			if (!el.hex && has_byte(el.data, el.len, del))
				return true;
	return false;
}

NostrReject
nostr_event_match_id(NostrEvent *ev, NostrBuf *scratch)
{
	for (int form = NOSTR_FORM_RAW; form <= NOSTR_FORM_ESCAPED_DEL; form++)
	{
		uint8_t		id[32];

		/* the other forms are only looked at when they can differ */
		if (form != NOSTR_FORM_RAW &&
			!event_has_byte(ev, form == NOSTR_FORM_ESCAPED_DEL))
			continue;
		if (!nostr_event_id(ev, (NostrForm) form, scratch, id))
			return NOSTR_OUT_OF_MEMORY;
		if (memcmp(id, ev->id, 32) == 0)
		{
			ev->form = (NostrForm) form;
			return NOSTR_OK;
		}
	}
	return NOSTR_ID_MISMATCH;
}

void
nostr_event_json(const NostrEvent *ev, NostrBuf *out)
{
	NostrWriter w;

	nostr_writer_init(&w, out);
	nostr_writer_put(&w, "{\"id\":\"", 7);
	nostr_writer_hex(&w, ev->id, 32);
	nostr_writer_put(&w, "\",\"pubkey\":\"", 12);
	nostr_writer_hex(&w, ev->pubkey, 32);
	nostr_writer_put(&w, "\",\"created_at\":", 15);
	nostr_writer_int(&w, ev->created_at);
	nostr_writer_put(&w, ",\"kind\":", 8);
	nostr_writer_int(&w, ev->kind);
	nostr_writer_put(&w, ",\"tags\":", 8);
	nostr_writer_tags(&w, ev->tags, ev->tags_len, NOSTR_FORM_ESCAPED);
	nostr_writer_put(&w, ",\"content\":", 11);
	nostr_writer_string(&w, ev->content, ev->content_len, NOSTR_FORM_ESCAPED);
	nostr_writer_put(&w, ",\"sig\":\"", 8);
	nostr_writer_hex(&w, ev->sig, 64);
	nostr_writer_put(&w, "\"}", 2);
	nostr_writer_flush(&w);
}

int64_t
nostr_event_key(int64_t created_at, const uint8_t id[32])
{
	uint32_t	head = (uint32_t) id[0] << 24 | (uint32_t) id[1] << 16 |
		(uint32_t) id[2] << 8 | id[3];

	if (created_at < 0)
		created_at = 0;
	if (created_at > NOSTR_KEY_MAX_TIME)
		created_at = NOSTR_KEY_MAX_TIME;
	return created_at << NOSTR_KEY_ID_BITS | head >> (32 - NOSTR_KEY_ID_BITS);
}
