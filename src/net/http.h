/*
 * http.h
 *
 * HTTP GET (RFC 9110, HTTP/1.1) with limits: resolve (c-ares), check every
 * address (special_addr.h), connect by number or through the network's SOCKS5
 * proxy (which then resolves), TLS with the same verification as ws.h.
 *
 * Redirects are followed here, not by the library: each hop is resolved and
 * checked like the first; a hop that leaves https or the network (clearnet,
 * tor, ...) is refused.  Only http and https, no cookies, no credentials, no
 * reuse of connections.  gzip and deflate are undone, and the limit of the
 * body counts what comes out of them.
 *
 * Never calls back from inside http_get.  done() is called exactly once for
 * every http_get that returned non-NULL, unless http_cancel comes first; the
 * request is gone when it returns.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "net.h"

#define HTTP_MAX_URL		4096
#define HTTP_MAX_HEADERS	(64 * 1024)	/* bytes of one hop, all responses */
#define HTTP_MAX_VALUE		1024		/* bytes of a header that we send */

typedef struct HttpGet HttpGet;

typedef struct HttpSpec			/* strings are copied */
{
	const char *url;			/* http:// or https:// */
	const char *accept;			/* "Accept:", NULL: anything */
	const char *if_none_match;	/* an ETag, NULL: none */
	const char *if_modified_since;	/* NULL: none */
	size_t		max_body;		/* bytes that are kept; a longer body is cut */
	uint32_t	timeout_ms;		/* for all of it; 0: the network's */
	uint8_t		max_redirects;
} HttpSpec;

typedef struct HttpTimings		/* microseconds, of the last hop; 0: not reached */
{
	uint32_t	dns;
	uint32_t	tcp;
	uint32_t	tls;
	uint32_t	first_byte;
} HttpTimings;

typedef struct HttpResult		/* everything is valid during the call */
{
	NetFailure	failure;		/* NET_OK: status is 2xx or 304, the body is whole.
								 * NET_HTTP_STATUS: another status (or too many
								 * redirects), with its body.  NET_TOO_LARGE: cut */
	const char *reason;			/* a short text for people */
	int			status;			/* 0: none came */
	bool		cut;			/* the body is the first max_body bytes */
	const uint8_t *body;
	size_t		len;
	const char *headers;		/* as they came, see http_header */
	size_t		headers_len;
	const char *url;			/* of the last hop */
	int			redirects;
	HttpTimings timings;
} HttpResult;

typedef void (*HttpCallback) (void *user, const HttpResult *r);

/* NULL: out of memory only; all else is an answer. */
extern HttpGet *http_get(Net *net, const HttpSpec *spec, HttpCallback done, void *user);
/* Ends it at once; done() is not called.  Not from inside its done(). */
extern void http_cancel(HttpGet *g);
/* Value of the first header of that name (any case), without blanks around
 * it; not terminated.  NULL: there is none. */
extern const char *http_header(const HttpResult *r, const char *name, size_t *len);

#endif
