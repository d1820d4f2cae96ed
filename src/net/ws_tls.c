/*
 * ws_tls.c
 *
 * TLS: when the handshake begins, what the certificate is checked against,
 * and the verdict.
 *
 * The verdict is recorded here, at the moment OpenSSL passes it, because
 * libwebsockets overwrites it (its LCCSCF_ALLOW_ flags do, so they are never
 * used).  With insecure_tls the error is cleared after it was recorded.
 */
#include "../nostr/pgfree.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "arrival.h"
#include "net_internal.h"

/* The info callback has only the SSL; its socket says which connection. */
static WsConn *
find_by_fd(Net *net, int fd)
{
	for (WsConn *c = net->conns; c != NULL; c = c->next)
	{
		if (c->wsi_live && c->wsi != NULL && lws_get_socket_fd(c->wsi) == fd)
			return c;
	}
	return NULL;
}

/* The handshake is over: what there was to see of it. */
static void
observe_handshake(WsConn *c, const SSL *ssl)
{
	X509	   *leaf = SSL_get1_peer_certificate(ssl);

	if (leaf != NULL)
		seen_certificate(&c->seen->tls, leaf, sk_X509_num(SSL_get_peer_cert_chain(ssl)),
						 c->tls_verdict);
	X509_free(leaf);
	seen_handshake(&c->seen->tls, ssl);
}

/* Before each read: when did that arrive? */
static long
look_at_clock(BIO *bio, int what, const char *data, size_t len, int i, long l, int ret, size_t *done)
{
	WsConn	   *c = (WsConn *) BIO_get_callback_arg(bio);
	int			fd = -1;
	uint64_t	at;

	(void) data, (void) len, (void) i, (void) l, (void) done;
	if (what == BIO_CB_READ && BIO_get_fd(bio, &fd) >= 0 && (at = arrival_peek(fd)) != 0)
		c->arrived = at;
	return ret;
}

static void
watch(WsConn *c, SSL *ssl)
{
	int			fd = SSL_get_fd(ssl);

	c->arrived = arrival_connected(fd, c->mark);
	ws_enter(c, WS_TLS);
	if (c->seen == NULL)
		return;					/* each read would cost one call more */
	arrival_watch(fd);
	BIO_set_callback_arg(SSL_get_rbio(ssl), (char *) c);
	BIO_set_callback_ex(SSL_get_rbio(ssl), look_at_clock);
}

static void
info_callback(const SSL *ssl, int where, int ret)
{
	Net		   *net = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	WsConn	   *c;
	SSL		   *s = (SSL *) ssl;
	NostrAddr	addr;

	(void) ret;
	if (!(where & (SSL_CB_HANDSHAKE_START | SSL_CB_HANDSHAKE_DONE)) || net == NULL)
		return;
	c = find_by_fd(net, SSL_get_fd(ssl));
	if (c == NULL)
		return;
	if ((where & SSL_CB_HANDSHAKE_DONE) && c->phase == WS_TLS && c->timings.tls == 0 && c->arrived > c->mark)
		c->timings.tls = (uint32_t) ((c->arrived - c->mark) / 1000) + 1;
	if ((where & SSL_CB_HANDSHAKE_DONE) && c->seen != NULL)
		observe_handshake(c, ssl);
	if (!(where & SSL_CB_HANDSHAKE_START) || c->phase != WS_CONNECTING)
		return;
	watch(c, s);

	/* libwebsockets takes the name from the Host header up to the first ':',
	 * which is wrong for an IPv6 literal, and sends addresses as SNI, which
	 * RFC 6066 forbids. */
	if (c->url.ip_literal && nostr_addr_parse(c->url.host, &addr))
	{
		X509_VERIFY_PARAM *param = SSL_get0_param(s);

		SSL_set_tlsext_host_name(s, NULL);
		X509_VERIFY_PARAM_set1_host(param, NULL, 0);
		X509_VERIFY_PARAM_set1_ip(param, addr.bytes, addr.v6 ? 16 : 4);
	}
}

void
ws_tls_setup(Net *net, void *ssl_ctx)
{
	SSL_CTX_set_app_data((SSL_CTX *) ssl_ctx, net);
	SSL_CTX_set_info_callback((SSL_CTX *) ssl_ctx, info_callback);
	SSL_CTX_set_min_proto_version((SSL_CTX *) ssl_ctx, TLS1_2_VERSION);
}

/* 0: go on; 1: fail the handshake. */
int
ws_tls_verify(WsConn *c, void *x509_store_ctx, int preverify_ok)
{
	X509_STORE_CTX *x = x509_store_ctx;

	if (preverify_ok)
		return 0;
	if (c->tls_verdict == 0)
		c->tls_verdict = X509_STORE_CTX_get_error(x);
	/* refused here, the handshake never ends: look at it now */
	if (c->seen != NULL)
		seen_certificate(&c->seen->tls, X509_STORE_CTX_get0_cert(x),
						 sk_X509_num(X509_STORE_CTX_get0_untrusted(x)), c->tls_verdict);
	if (!c->net->config.insecure_tls)
		return 1;
	X509_STORE_CTX_set_error(x, X509_V_OK);
	return 0;
}

const char *
ws_tls_verdict_text(int verdict)
{
	return X509_verify_cert_error_string(verdict);
}
