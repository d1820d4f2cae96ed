/*
 * messages.h
 *
 * What the two processes say to each other.  "bytes" is u32 length + data,
 * "str" the same holding text.  int64 travels as u64.
 *
 * Life of a sync job:
 *
 *   worker                          child
 *   SYNC ------------------------->  connects, REQ ...
 *        <------------------------- OFFER seq, (key, id)*     hashed, not yet verified
 *   ANSWER seq, bitmap ----------->  verifies the unknown ones
 *        <------------------------- EVENTS (verified), REJECTED (the others)
 *        <------------------------- SET_REQUEST seq, window   only for negentropy (NIP-77)
 *   SET seq, (key, time, id)* --->  what the archive has observed there
 *        <------------------------- WINDOW range, state ...   after all its events
 *        <------------------------- PASSED                    windows done, tail goes on
 *        <------------------------- RESULT                    last frame of the job
 *
 * A job is known by the number the worker gave it.  Frames of a job come in
 * the order in which they must take effect: a WINDOW is sent only when every
 * event it speaks for was sent or was answered as known before.  The child
 * keeps at most WIRE_MAX_OPEN_OFFERS unanswered offers per job and stops
 * reading from the relay beyond that: the back-pressure of the database.
 */
#ifndef WIRE_MESSAGES_H
#define WIRE_MESSAGES_H

#include "frame.h"

#define WIRE_MAX_OFFER			2048	/* pairs in one OFFER */
#define WIRE_MAX_OPEN_OFFERS	4		/* per job */
#define WIRE_MAX_EVENTS			2048	/* records in one EVENTS */
#define WIRE_MAX_GET			(64 * 1024 * 1024)	/* bytes that a GET may bring */
#define WIRE_MAX_BODY			(1024 * 1024)	/* in one BODY */
#define WIRE_MAX_HEADER			1024	/* of a header's value */
#define WIRE_MAX_MENTIONS		16384	/* in one EVENTS */
#define WIRE_MAX_WINDOWS		256		/* windows in one SYNC */
#define WIRE_MAX_SET			8192	/* items in one SET */
#define WIRE_MAX_URL			2048
#define WIRE_MAX_FILTER			65536	/* bytes of JSON */
#define WIRE_MAX_TEXT			1024	/* reasons; cut by the sender at a character */
#define WIRE_MAX_SAMPLE			8192	/* bytes of a refused event that are kept */
#define WIRE_MAX_SETTING		65536
#define WIRE_MAX_NIP11			(10 * 1024 * 1024)	/* bytes of a NIP-11 document */
#define WIRE_MAX_DOCUMENT		(4 * 1024 * 1024)	/* bytes of a document made of it */
#define WIRE_MAX_EVENT			(16 * 1024 * 1024)	/* bytes of an event as JSON */
#define WIRE_MAX_PATH			1023	/* settings: a file */
#define WIRE_MAX_PROXY			255
#define WIRE_MAX_DNS_SERVERS	255

/* How the child ends. */
#define WIRE_EXIT_OK			0	/* the worker has gone */
#define WIRE_EXIT_REFUSED		2	/* a LOG before it says why */
#define WIRE_EXIT_SOCKET		3	/* the socket failed */
#define WIRE_EXIT_NO_MEMORY		4

typedef enum WireType
{
	/* worker -> child */
	WIRE_CONFIG = 1,			/* u16 n, n x (str name, str value): whole settings;
								 * again after each reload */
	WIRE_VALIDATE = 2,			/* str url */
	WIRE_SYNC = 3,				/* str url, str filter (JSON object, "{}"), u32 slice_ms,
								 * u32 tail_ms (0: no live tail; otherwise the job
								 * stays subscribed that long after its windows),
								 * u32 timeout_ms (0: the network's), u32 page_limit,
								 * u32 known_cap (largest page ever seen, 0 unknown),
								 * u32 max_reqs_per_minute (0: learned), u32 max_message
								 * (bytes it takes), u32 max_subs (at a time; 0: not
								 * told), u8 negentropy (WireSupport: 0 may try,
								 * 1 works, 2 don't), u8 flags (WIRE_SYNC_AUTH), u64 held (observations of this
								 * relay), u16 n, n x (i64 since, i64 until,
								 * u8 WirePurpose); until INT64_MAX = no bound; newest
								 * window first */
	WIRE_ANSWER = 4,			/* u32 seq, u16 n, bytes bitmap (bit i of byte i/8 set:
								 * pair i is unknown, verify and send it) */
	WIRE_CANCEL = 5,			/* end the job soon; RESULT still comes */
	WIRE_SET = 6,				/* u32 seq, u8 last, u16 n (<= WIRE_MAX_SET), n x (i64 key,
								 * i64 created_at, fixed id[32]), newest first: observed
								 * of this relay within the window asked for */
	WIRE_CHECK = 16,			/* str url, u32 checks (bit per CheckType), u32 deadline_ms,
								 * u32 nip11_max_size, u8 max_pow (bits), u8 precision (of
								 * the geohash), u16 probe_kind, u8 flags (WIRE_CHECK_...),
								 * u16 n, u16 m, n x u16 kind that the relay was seen to
								 * serve or take, m x u16 kind that it refused as such */
	WIRE_PUBLISH = 17,			/* str url, u16 n (<= 256), n x (fixed id[32], bytes event
								 * as JSON) */
	WIRE_SIGN = 18,				/* u16 kind, i64 created_at, str tags (JSON), str content */
	WIRE_GET = 24,				/* str url (http, https), u32 max_body, u32 timeout_ms
								 * (0: the network's), u8 max_redirects, str etag, str
								 * last_modified (of the last answer, or empty) */
	WIRE_PING = 31,				/* empty, job 0: does the loop still turn? */

	/* child -> worker */
	WIRE_HELLO = 32,			/* u32 WIRE_VERSION, str build version, str sandbox state */
	WIRE_LOG = 33,				/* u8 level (0 debug, 1 log, 2 warning), str text */
	WIRE_OFFER = 34,			/* u32 seq, i64 seen_at (unix seconds), u16 n,
								 * n x (i64 key, fixed id[32]) */
	WIRE_EVENTS = 35,			/* i64 seen_at, u16 n, n x event (wire_put_event),
								 * u16 m, m x mention (wire_put_mention), u16 events that
								 * mention more relays than are listed */
	WIRE_REJECTED = 36,			/* i64 seen_at, u16 n, n x (str reason name, fixed id[32]
								 * (zeros if unreadable), u64 count (how many alike),
								 * bytes sample (<= WIRE_MAX_SAMPLE)) */
	WIRE_WINDOW = 37,			/* i64 since, i64 until (inclusive), u8 WireWindowState,
								 * str proof, str reason, u8 WirePurpose, u64 held (events
								 * that the relay showed to have in it) */
	WIRE_RESULT = 38,			/* u8 WireOutcome, str class, str reason, u32 dns_us, u32
								 * tcp_us, u32 tls_us, u32 upgrade_us, u32 first_answer_us,
								 * u64 events_received, u64 bytes_received, u32 reqs,
								 * u32 max_page (largest page seen, 0 none), u8 negentropy
								 * (WireSupport), u8 auth (0 not asked, 1 accepted,
								 * 2 refused), u32 retry_after_ms (0: none),
								 * u32 max_reqs_per_minute (learned, 0: none) */
	WIRE_PASSED = 39,			/* payload of RESULT: the windows are handled, the job goes
								 * on as a live tail */
	WIRE_IDENTITY = 41,			/* of a VALIDATE, before its RESULT: fixed digest[32] of the
								 * NIP-11 document, u8 named (it can tell relays apart),
								 * u32 max_limit, u32 default_limit, u32 max_subid_length,
								 * u32 max_message_length, u32 max_subscriptions
								 * (0: not told) */
	WIRE_DOCUMENT = 48,			/* of a CHECK: str type, fixed id[32] (SHA-256 of the text),
								 * fixed stable[32] (the same without what changes on its
								 * own), bytes canonical JSON, bytes body of the NIP-11
								 * answer (may be empty) */
	WIRE_CHECKED = 49,			/* u32 dns_us, tcp_us, tls_us, upgrade_us, open, read, write
								 * (each u8 asked, u8 ok, u32 us, str reason), u8 bits (1:
								 * our subscription got the event, 2: it is stored, 4: the
								 * relay sent a challenge), u32 nip11_us, u16 nip11_status,
								 * fixed id[32] and bytes JSON of the signed discovery event
								 * (empty: none) */
	WIRE_PUBLISHED = 50,		/* fixed id[32], u8 outcome (0 taken, 1 refused,
								 * 2 unanswered), str reason */
	WIRE_SIGNED = 51,			/* fixed id[32], bytes event as JSON; then RESULT */
	WIRE_BODY = 56,				/* of a GET: bytes, the next piece of a valid JSON text,
								 * written by bigbrotr-net itself */
	WIRE_GOT = 57,				/* u16 status, str etag, str last_modified; then RESULT */
	WIRE_PONG = 63,				/* empty, job 0: answer to PING */
	WIRE_SET_REQUEST = 40		/* u32 seq, i64 since, i64 until (inclusive), i64 below_key
								 * (exclusive; INT64_MAX: from the newest) */
} WireType;

#define WIRE_CHECK_WRITE	1		/* flags of CHECK: publish the probe event */
#define WIRE_CHECK_ANNOUNCE	2		/* make a discovery event (NIP-66) */

#define WIRE_SYNC_AUTH	1		/* flag of SYNC: NIP-42 AUTH is allowed */

typedef enum WireSupport
{
	WIRE_SUPPORT_UNKNOWN = 0,
	WIRE_SUPPORT_WORKS = 1,
	WIRE_SUPPORT_REFUSED = 2
} WireSupport;

typedef enum WirePurpose		/* of a window */
{
	WIRE_FETCH = 0,
	WIRE_RECHECK = 1
} WirePurpose;

typedef enum WireWindowState
{
	WIRE_WINDOW_OPEN = 0,		/* asked, not proven: reason says why */
	WIRE_WINDOW_PAGED = 1,		/* delivered newest-first without contradiction, not yet
								 * proven: where to go on after an interruption */
	WIRE_WINDOW_COMPLETE = 2	/* proof says how */
} WireWindowState;

typedef enum WireOutcome
{
	WIRE_OUTCOME_OK = 0,		/* validate: speaks Nostr.  sync: all windows handled */
	WIRE_OUTCOME_AGAIN = 1,		/* sync: the slice is over, more to do */
	WIRE_OUTCOME_FAILED = 2,	/* class is a failure class of net/failure.h, or below */
	WIRE_OUTCOME_CANCELLED = 3
} WireOutcome;

/* One verified event inside EVENTS, ready to be stored:
 * i64 key, fixed id[32], fixed pubkey[32], fixed sig[64], i64 created_at,
 * u16 kind, u8 form, bytes tags (packed), bytes content. */
struct NostrEvent;
extern void wire_put_event(NostrBuf *out, int64_t key, const struct NostrEvent *ev);
/* Pointers into the frame.  Sets r->bad when out of bounds. */
extern void wire_get_event(WireReader *r, int64_t *key, struct NostrEvent *ev);

/* A relay that an event of the same frame mentions: u16 event (its place among
 * the events), u32 via (NostrVia bits), str url (canonical). */
typedef struct WireMention
{
	uint16_t	event;
	uint32_t	via;
	const char *url;			/* read: inside the frame, not terminated */
	size_t		url_len;
} WireMention;
extern void wire_put_mention(NostrBuf *out, const WireMention *m);
extern void wire_get_mention(WireReader *r, WireMention *m);

#endif
