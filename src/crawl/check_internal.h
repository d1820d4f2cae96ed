/*
 * check_internal.h
 *
 * What the parts of a check share.  Each part starts with its _start, says
 * check_part_over exactly once, and has _stop, after which it says so soon.
 */
#ifndef CRAWL_CHECK_INTERNAL_H
#define CRAWL_CHECK_INTERNAL_H

#include "../net/dns_record.h"
#include "../net/http.h"
#include "../nostr/event.h"
#include "../nostr/message.h"
#include "../nostr/sign.h"
#include "check.h"
#include "nip11.h"

typedef enum CheckStep			/* of the conversation */
{
	STEP_OPENING,
	STEP_READING,
	STEP_WAITING,				/* for NIP-11, which may demand work */
	STEP_WORKING,
	STEP_LISTENING,				/* the subscription that is to get our event */
	STEP_WRITING,
	STEP_LOOKING,				/* is it stored? */
	STEP_OVER
} CheckStep;

struct Check
{
	Net		   *net;
	NostrRelayUrl url;
	CheckSpec	spec;
	uint8_t		seckey[32];
	uint16_t	kinds[CHECK_MAX_KINDS];
	CheckDone	done;
	void	   *user;
	CheckResult result;
	uv_timer_t	deadline;
	int			parts;			/* that are not over */
	bool		stopped;		/* by the deadline or a cancel */
	char		stop_reason[64];

	/* check_ws.c */
	WsConn	   *ws;
	NetSeen		seen;
	CheckStep	step;
	uv_timer_t	step_timer;
	bool		step_timer_open;
	char		sub[24];
	NostrBuf	scratch;
	NostrBuf	tags;
	NostrEvent	probe;
	NostrPow	pow;
	char		notice[CHECK_MAX_REASON];

	/* check_nip11.c */
	HttpGet    *http;
	Nip11		nip11;
	bool		nip11_over;

	/* check_dns.c */
	json_t	   *dns_data;
	json_t	   *dns_status;
	json_t	   *dns_ttl;
	int			dns_questions;
	NostrAddr	addr[DNS_MAX_ADDRESSES];
	int			n_addr;
};

extern void check_part_over(Check *c);
extern bool check_wants(const Check *c, CheckType t);

extern void check_ws_start(Check *c);
extern void check_ws_stop(Check *c);
extern void check_ws_nip11_over(Check *c);

extern void check_nip11_start(Check *c);
extern void check_nip11_stop(Check *c);

extern void check_dns_start(Check *c);

/* check_document.c: what the finished parts say, as documents */
extern void check_documents(Check *c);

#endif
