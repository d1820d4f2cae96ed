/*
 * internal.h
 *
 * What the files of the scripted relay share.
 *
 * A connection's output is a queue of segments: each waits, then is written
 * whole or in drops; what is said later goes behind.  So every delay keeps
 * the order of messages, and one timer does.
 */
#ifndef TEST_RELAY_INTERNAL_H
#define TEST_RELAY_INTERNAL_H

#include "random.h"
#include "relay.h"

#define RELAY_MAX_IN		(4 << 20)	/* bytes a client may have us hold */
#define RELAY_MAX_OUT		((size_t) 1 << 30)
#define RELAY_MAX_SUBS		256
#define RELAY_SUB_LEN		64
#define RELAY_FLOOD_PIECE	65536

typedef struct Segment
{
	struct Segment *next;
	uint32_t	wait_ms;
	uint64_t	not_before;		/* uv_now */
	NostrBuf	buf;
	size_t		at;
} Segment;

typedef struct Sub
{
	char		id[RELAY_SUB_LEN + 1];
	json_t	   *filters;		/* the REQ message; NULL: free */
} Sub;

typedef struct Conn
{
	Relay	   *relay;
	struct Conn *next;
	struct Conn **link;			/* what points to this */
	const RelayScript *script;
	uv_tcp_t	tcp;
	uv_timer_t	timer;
	int			handles;
	void	   *ssl;			/* NULL: plain */
	uint64_t	began;			/* uv_now */
	bool		upgraded;
	bool		closing;
	bool		busy;			/* a write or the timer is under way */
	bool		ending;			/* after the queue is written */
	Segment    *head;
	Segment    *tail;
	unsigned long long flooded;
	int			flooding;
	char		flood_sub[RELAY_SUB_LEN + 1];
	uint8_t    *in;
	size_t		in_len;
	NostrBuf	message;		/* fragments of one */
	unsigned long messages;		/* sent, for ping */
	int			reqs;
	Sub			sub[RELAY_MAX_SUBS];
	char		challenge[33];
	bool		authed;
	void	   *neg;			/* neg.c's sessions */
} Conn;

struct Relay
{
	uv_loop_t  *loop;
	uv_tcp_t	server;
	int			port;
	RelayPlan	plan;
	RelayStore *store;
	void	   *tls;			/* SSL_CTX; NULL: plain */
	Conn	   *conns;
	RelayCounters counters;
	Random		random;
	uint64_t	rate_start;		/* uv_now */
	int			rate_used;
	int			handles;		/* server and connections */
	bool		stopping;
	void		(*stopped) (void *user);
	void	   *user;
};

/* conn.c: the connection and its queue */
extern void conn_input(Conn *c, const void *data, size_t len);	/* plain, from the client */
extern void conn_bytes(Conn *c, const void *data, size_t len);
extern void conn_wait(Conn *c, int ms);	/* what follows goes out later */
extern void conn_pump(Conn *c);
extern void conn_end(Conn *c);	/* once the queue is written, as drop_how says */
extern void conn_close(Conn *c);	/* now */

/* tls.c; false: the certificate cannot be used */
extern bool tls_open(Relay *r);
extern void tls_close(Relay *r);
extern void tls_begin(Conn *c);
extern void tls_end(Conn *c);
extern void tls_take(Conn *c, const void *data, size_t n);	/* from the client */
extern void tls_wrap(Conn *c, NostrBuf *buf);	/* to the client: plain bytes become records */

/* frame.c: RFC 6455, server's side */
extern void frame_text(Conn *c, const void *data, size_t len);
/* True: the head of a message of one frame is written, len bytes of text
 * follow by conn_bytes.  False: the script wants other frames. */
extern bool frame_plain(Conn *c, size_t len);
extern void frame_str(Conn *c, const char *s);
extern void frame_control(Conn *c, int opcode, const void *data, size_t len);
extern void frame_half(Conn *c);	/* the beginning of a frame */
/* Takes one frame off the input; bytes used, 0: need more. */
extern size_t frame_take(Conn *c, uint8_t *p, size_t n);
extern void frame_accept_key(const char *key, char out[64]);

/* http.c: upgrade and NIP-11.  The head of the request is terminated. */
extern void http_request(Conn *c, const char *head);

/* message.c: NIP-01 verbs */
extern void message_take(Conn *c, const char *msg, size_t len);
extern void message_push(Conn *c, const RelayItem *it);
extern void message_say(Conn *c, const char *verb, const char *id, const char *text);
extern void message_notice(Conn *c, const char *text);

/* answer.c: REQ and COUNT */
extern void answer_req(Conn *c, const char *sub, json_t *req);
extern void answer_count(Conn *c, const char *sub, json_t *req);
extern void answer_event(Conn *c, const char *sub, const RelayItem *it);
extern bool answer_hidden(const Conn *c, const RelayItem *it);
extern int	answer_flags(const RelayScript *s);

/* auth.c: NIP-42 */
extern void auth_challenge(Conn *c);
extern void auth_take(Conn *c, json_t *event);
extern bool auth_missing(const Conn *c);	/* a REQ must be refused */

/* neg.c: NIP-77 */
extern void neg_take(Conn *c, const char *verb, const char *sub, json_t *msg);
extern void neg_free(Conn *c);

#endif
