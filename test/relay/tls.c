/*
 * tls.c
 *
 * wss: the handshake, and records both ways through memory, so that the
 * queue of a connection holds what it held before: plain bytes.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

bool
tls_open(Relay *r)
{
	static const int versions[] = {[RELAY_TLS_13] = TLS1_3_VERSION,[RELAY_TLS_12] = TLS1_2_VERSION,
	[RELAY_TLS_11] = TLS1_1_VERSION};
	const RelayScript *s = &r->plan.base;
	char		crt[RELAY_TEXT + 8];
	char		key[RELAY_TEXT + 8];
	SSL_CTX    *ctx;

	if (s->tls[0] == '\0')
		return true;
	snprintf(crt, sizeof(crt), "%s.crt", s->tls);
	snprintf(key, sizeof(key), "%s.key", s->tls);
	r->tls = ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(ctx, s->tls_max == RELAY_TLS_11 ? 0 : 1);
	return SSL_CTX_set_max_proto_version(ctx, versions[s->tls_max]) == 1 &&
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
		SSL_CTX_use_certificate_chain_file(ctx, crt) == 1 &&
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
}

void
tls_close(Relay *r)
{
	SSL_CTX_free(r->tls);
}

void
tls_begin(Conn *c)
{
	if (c->relay->tls == NULL)
		return;
	c->ssl = SSL_new(c->relay->tls);
	SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(c->ssl);
}

void
tls_end(Conn *c)
{
	SSL_free(c->ssl);
}

typedef struct Records
{
	uv_write_t	req;
	NostrBuf	buf;
} Records;

static void
on_written(uv_write_t *req, int status)
{
	Records    *w = (Records *) req;

	if (status < 0)
		conn_close(req->handle->data);
	nostr_buf_free(&w->buf);
	free(w);
}

static void
take_records(Conn *c, NostrBuf *out)
{
	char	   *data;
	long		n = BIO_get_mem_data(SSL_get_wbio(c->ssl), &data);

	if (n > 0)
		nostr_buf_append(out, data, (size_t) n);
	(void) BIO_reset(SSL_get_wbio(c->ssl));
}

/* What OpenSSL has to say itself: the handshake, alerts, tickets. */
static void
flush(Conn *c)
{
	Records    *w = calloc(1, sizeof(Records));
	uv_buf_t	u;

	nostr_buf_init(&w->buf, RELAY_MAX_OUT);
	take_records(c, &w->buf);
	u = uv_buf_init((char *) w->buf.data, (unsigned) w->buf.len);
	if (w->buf.len == 0 || uv_write(&w->req, (uv_stream_t *) &c->tcp, &u, 1, on_written) != 0)
	{
		nostr_buf_free(&w->buf);
		free(w);
	}
}

static void
go_on(Conn *c)
{
	char		plain[16384];
	int			n = 0;

	while (!c->closing && (n = SSL_read(c->ssl, plain, sizeof(plain))) > 0)
		conn_input(c, plain, (size_t) n);
	flush(c);
	if (!c->closing && SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
		conn_close(c);
}

static void
on_timer(uv_timer_t *t)
{
	Conn	   *c = t->data;

	c->busy = false;
	go_on(c);
}

void
tls_take(Conn *c, const void *data, size_t n)
{
	bool		first = SSL_in_before(c->ssl) && BIO_pending(SSL_get_rbio(c->ssl)) == 0;

	BIO_write(SSL_get_rbio(c->ssl), data, (int) n);
	if (first && c->script->tls_delay_ms > 0)
	{
		c->busy = true;			/* nothing is queued yet: the timer is free */
		uv_timer_start(&c->timer, on_timer, (uint64_t) c->script->tls_delay_ms, 0);
	}
	else if (!c->busy || !SSL_in_before(c->ssl))
		go_on(c);
}

void
tls_wrap(Conn *c, NostrBuf *buf)
{
	NostrBuf	plain = *buf;

	nostr_buf_init(buf, RELAY_MAX_OUT);
	if (plain.len > 0)
		SSL_write(c->ssl, plain.data, (int) plain.len);
	nostr_buf_free(&plain);
	take_records(c, buf);
}
