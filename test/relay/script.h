/*
 * script.h
 *
 * What a scripted relay does, as data.  One table (script.c) gives each
 * setting its name, its values and its help; JSON, the command line, the
 * printout of a failing test and --help all come from it.
 *
 * A plan is one script for every connection and, if wanted, others for the
 * first, second, ... connection: {"cap":100,"connections":[{"refuse":
 * "closed"},{}]} refuses the first and serves the rest.  Events "one in N"
 * are chosen by their id, so that the same ones are meant each time.
 */
#ifndef TEST_RELAY_SCRIPT_H
#define TEST_RELAY_SCRIPT_H

#include <stdio.h>

#include "nostr/buf.h"

#define RELAY_TEXT			200
#define RELAY_MAX_KINDS		16
#define RELAY_MAX_SCRIPTS	64		/* scripts of single connections in a plan */

typedef enum RelayOrder
{
	RELAY_NEWEST, RELAY_OLDEST, RELAY_SHUFFLED, RELAY_ANY, RELAY_OLDEST_UNLIMITED
} RelayOrder;
typedef enum RelayTies
{
	RELAY_TIES_ID, RELAY_TIES_ARRIVAL, RELAY_TIES_REVERSE
} RelayTies;
typedef enum RelayEose
{
	RELAY_EOSE_YES, RELAY_EOSE_NEVER, RELAY_EOSE_TWICE, RELAY_EOSE_EARLY, RELAY_EOSE_FOREIGN
} RelayEose;
typedef enum RelayHints
{
	RELAY_HINTS_NONE, RELAY_HINTS_HONEST, RELAY_HINTS_FINISH, RELAY_HINTS_MORE,
	RELAY_HINTS_STRING, RELAY_HINTS_UNKNOWN
} RelayHints;
typedef enum RelayRefuse
{
	RELAY_REFUSE_NO, RELAY_REFUSE_CLOSED, RELAY_REFUSE_NOTICE, RELAY_REFUSE_SILENT,
	RELAY_REFUSE_GARBAGE, RELAY_REFUSE_DISCONNECT
} RelayRefuse;
typedef enum RelayAuth
{
	RELAY_AUTH_NONE, RELAY_AUTH_OFFER, RELAY_AUTH_REQUIRED, RELAY_AUTH_LATE,
	RELAY_AUTH_REFUSE, RELAY_AUTH_DEAF, RELAY_AUTH_NO_CHALLENGE, RELAY_AUTH_KINDS
} RelayAuth;
typedef enum RelayDrop
{
	RELAY_DROP_CLOSE, RELAY_DROP_RESET, RELAY_DROP_HALF, RELAY_DROP_FRAME
} RelayDrop;
typedef enum RelayFrames
{
	RELAY_FRAMES_TEXT, RELAY_FRAMES_BINARY, RELAY_FRAMES_MASKED, RELAY_FRAMES_RESERVED,
	RELAY_FRAMES_ENDLESS, RELAY_FRAMES_ORPHAN
} RelayFrames;
typedef enum RelayFlood
{
	RELAY_FLOOD_NO, RELAY_FLOOD_EVENTS, RELAY_FLOOD_NOTICES, RELAY_FLOOD_PINGS, RELAY_FLOOD_GARBAGE
} RelayFlood;
typedef enum RelayHandshake
{
	RELAY_SHAKE_OK, RELAY_SHAKE_HANG, RELAY_SHAKE_HANG_UP, RELAY_SHAKE_BAD_ACCEPT, RELAY_SHAKE_GARBAGE
} RelayHandshake;
typedef enum RelayWrites
{
	RELAY_WRITES_YES, RELAY_WRITES_REFUSE, RELAY_WRITES_SILENT, RELAY_WRITES_LIE, RELAY_WRITES_AUTH,
	RELAY_WRITES_NEVER, RELAY_WRITES_KIND
} RelayWrites;
typedef enum RelayNeg
{
	RELAY_NEG_NONE, RELAY_NEG_YES, RELAY_NEG_SILENT, RELAY_NEG_CLOSED, RELAY_NEG_BLOCKED,
	RELAY_NEG_ERROR, RELAY_NEG_V0, RELAY_NEG_GARBAGE, RELAY_NEG_V0_ONLY
} RelayNeg;
typedef enum RelayNip11
{
	RELAY_NIP11_OK, RELAY_NIP11_NONE, RELAY_NIP11_STATUS, RELAY_NIP11_HTML, RELAY_NIP11_TYPE,
	RELAY_NIP11_EMPTY, RELAY_NIP11_NOT_JSON, RELAY_NIP11_ARRAY, RELAY_NIP11_CUT, RELAY_NIP11_HUGE,
	RELAY_NIP11_DEEP, RELAY_NIP11_UTF8, RELAY_NIP11_NUL, RELAY_NIP11_TYPES, RELAY_NIP11_TWICE,
	RELAY_NIP11_REDIRECT, RELAY_NIP11_LOOP, RELAY_NIP11_HANG, RELAY_NIP11_LENGTH
} RelayNip11;

typedef enum RelayTls
{
	RELAY_TLS_13, RELAY_TLS_12, RELAY_TLS_11
} RelayTls;

typedef struct RelayKinds
{
	int			n;
	int			kind[RELAY_MAX_KINDS];
} RelayKinds;

typedef struct RelayScript
{
	/* what a page holds */
	int			cap, cap_min, default_limit, order, ties;
	bool		ignore_until, ignore_since, ignore_limit, ignore_kinds, until_exclusive;
	RelayKinds	hidden_kinds;
	bool		hidden_eat;
	/* how it ends */
	int			eose, eose_delay_ms, hints;
	/* refusals */
	int			refuse, refuse_from, refuse_count, refuse_after;
	char		refuse_text[RELAY_TEXT];
	int			rate, rate_ms, rate_how;
	int			silent_at;
	char		rate_text[RELAY_TEXT];
	int			auth;
	char		auth_text[RELAY_TEXT];
	bool		auth_notice;
	RelayKinds	restricted_kinds;
	int			max_subs, max_filters, max_items, max_message;
	bool		invalid_notice;
	/* the connection */
	int			drop_after, drop_req, drop_how, delay_ms, drip_bytes, drip_ms, latency_ms, mute_ms;
	int			fragment, ping, frames, flood, flood_mb, oversize;
	char		listen[RELAY_TEXT];
	char		tls[RELAY_TEXT];
	int			tls_max, tls_delay_ms;
	int			http, handshake, upgrade_delay_ms;
	char		location[RELAY_TEXT];
	/* what is wrong with events */
	int			duplicates, outside, wrong_sub, forge_id, forge_sig, bad_utf8, malformed;
	/* the rest */
	int			writes, ok_delay_ms, neg, neg_max, neg_frame, neg_rounds, nip11, nip11_max_limit, nip11_status;
	bool		count;
} RelayScript;

typedef struct RelayPlan
{
	RelayScript base;
	int			n;
	bool		repeat;			/* the nth again for connection n + count */
	RelayScript *nth;			/* malloc'ed */
} RelayPlan;

extern void relay_script_default(RelayScript *s);
extern void relay_plan_default(RelayPlan *p);
extern void relay_plan_free(RelayPlan *p);

/* One setting by its name; *why is static. */
extern bool relay_script_set(RelayScript *s, const char *name, const char *value,
							 const char **why);
/* A JSON object; what it does not name keeps its value. */
extern bool relay_plan_parse(RelayPlan *p, const char *json, size_t len, const char **why);
/* The JSON of what differs from the default: enough to replay. */
extern void relay_plan_json(const RelayPlan *p, NostrBuf *out);
extern const RelayScript *relay_plan_for(const RelayPlan *p, unsigned long connection);	/* from 1 */
extern void relay_script_help(FILE *f);

#endif
