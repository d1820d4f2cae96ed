/*
 * http_internal.h
 *
 * What the three files of the HTTP client share: http.c decides (hops,
 * addresses, deadline), http_curl.c carries out one attempt with libcurl,
 * http_url.c takes addresses apart.
 */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <curl/curl.h>

#include "../nostr/buf.h"
#include "../nostr/host.h"
#include "dns.h"
#include "http.h"

typedef struct HttpUrl
{
	char		url[HTTP_MAX_URL + 1];	/* absolute; no userinfo, no fragment */
	NostrHost	host;
	bool		tls;
	uint16_t	port;
} HttpUrl;

/* raw may be relative when base is given.  NULL, or why it is refused. */
extern const char *http_url_parse(const char *raw, const char *base,
								  bool allow_special, HttpUrl *out);

struct HttpGet
{
	Net		   *net;
	HttpGet    *prev;
	HttpGet    *next;
	HttpCallback done;
	void	   *user;
	HttpUrl		url;
	const char *bad_url;		/* why the first URL is refused */
	char	   *accept;
	char	   *if_none_match;
	char	   *if_modified_since;
	size_t		max_body;
	uint32_t	timeout_ms;
	int			max_redirects;
	NostrNetwork network;		/* of the first hop */

	bool		started;
	bool		ended;			/* failure and reason are final */
	bool		told;			/* done() was called, or never will be */
	bool		dns_pending;	/* c-ares still holds our pointer */
	int			handles;		/* of libuv, not yet closed */
	NetFailure	failure;
	char		reason[CURL_ERROR_SIZE];
	uv_timer_t	soon;			/* the next step, from the loop */
	uv_timer_t	timer;
	uint64_t	deadline;		/* uv_now() ms */
	uint64_t	mark;			/* start of the resolution, uv_hrtime() ns */

	NostrAddr	addr[DNS_MAX_ADDRESSES];
	int			n_addr;
	int			next_addr;
	NostrAddr	peer;			/* the only address this attempt may connect to */
	uint16_t	peer_port;
	bool		proxied;

	CURL	   *easy;			/* of the attempt that runs */
	struct curl_slist *send;	/* headers */
	struct curl_slist *connect_to;
	char		error[CURL_ERROR_SIZE];
	int			fd;				/* of the attempt */
	uint64_t	arrived;		/* the latest bytes, uv_hrtime() ns; 0: not told */
	uint64_t	late;			/* us, that the answer waited for us */
	bool		connected;
	bool		cut;
	bool		headers_over;	/* more than HTTP_MAX_HEADERS */
	size_t		headers_seen;
	NostrBuf	headers;		/* of the latest response */
	NostrBuf	body;
	int			status;
	int			redirects;
	HttpTimings timings;
};

/* http.c */
extern bool http_is_redirect(int status);
extern void http_attempt_over(HttpGet *g, CURLcode code, long os_error);

/* http_curl.c: peer, peer_port and proxied say where; NULL reason: started. */
typedef struct Http Http;
extern Http *http_open(Net *net, const char *ca_file, const char **why);
extern const char *http_curl_start(HttpGet *g, uint32_t connect_ms);
extern void http_curl_stop(HttpGet *g);
extern void http_curl_look(HttpGet *g);	/* status, connected and timings so far */
extern void http_curl_close(Http *http);

/* http.c: ends every request (their done() is called). */
extern void http_close(Net *net);

#endif
