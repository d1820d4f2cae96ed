/*
 * reject.c
 *
 * Names and sentences of the reasons.  The names are stored in databases:
 * they never change.
 */
#include "pgfree.h"

#include "event.h"

static const struct
{
	const char *name;
	const char *text;
}			reasons[NOSTR_REJECT_COUNT] = {
	[NOSTR_OK] = {"ok", "the event is well-formed"},
	[NOSTR_TOO_LARGE] = {"too_large", "the event is larger than 16 MB"},
	[NOSTR_BAD_JSON] = {"bad_json", "not valid JSON (RFC 8259)"},
	[NOSTR_BAD_UTF8] = {"bad_utf8", "not valid UTF-8"},
	[NOSTR_LONE_SURROGATE] = {"lone_surrogate", "a \\u escape is half of a surrogate pair"},
	[NOSTR_TOO_DEEP] = {"too_deep", "arrays and objects nest more than 16 deep"},
	[NOSTR_NOT_OBJECT] = {"not_object", "not a JSON object"},
	[NOSTR_DUPLICATE_FIELD] = {"duplicate_field", "a member of the event occurs more than once"},
	[NOSTR_MISSING_FIELD] = {"missing_field", "a member of the event is missing"},
	[NOSTR_BAD_ID] = {"bad_id", "\"id\" is not 64 lower-case hexadecimal digits"},
	[NOSTR_BAD_PUBKEY] = {"bad_pubkey", "\"pubkey\" is not 64 lower-case hexadecimal digits"},
	[NOSTR_BAD_CREATED_AT] = {"bad_created_at", "\"created_at\" is not an integer of 64 bits"},
	[NOSTR_BAD_KIND] = {"bad_kind", "\"kind\" is not an integer from 0 to 65535"},
	[NOSTR_BAD_TAGS] = {"bad_tags", "tags are not an array of non-empty arrays of strings"},
	[NOSTR_TOO_MANY_TAGS] = {"too_many_tags", "more than 65536 tags, or elements in a tag"},
	[NOSTR_BAD_CONTENT] = {"bad_content", "\"content\" is not a string"},
	[NOSTR_BAD_SIG] = {"bad_sig", "\"sig\" is not 128 lower-case hexadecimal digits"},
	[NOSTR_ID_MISMATCH] = {"id_mismatch", "the id is not the hash of the event"},
	[NOSTR_INVALID_SIGNATURE] = {"invalid_signature", "the signature is not the author's"},
	[NOSTR_OUT_OF_MEMORY] = {"out_of_memory", "out of memory, or over the limit set for it"},
};

const char *
nostr_reject_name(NostrReject r)
{
	return (unsigned) r < NOSTR_REJECT_COUNT ? reasons[r].name : "unknown";
}

const char *
nostr_reject_text(NostrReject r)
{
	return (unsigned) r < NOSTR_REJECT_COUNT ? reasons[r].text : "unknown reason";
}
