/*
 * seen.h
 *
 * What one connection attempt shows of the peer besides messages: address,
 * certificate, headers of the upgrade.  Also filled, as far as it got, when
 * the certificate or the upgrade is refused.
 */
#ifndef NET_SEEN_H
#define NET_SEEN_H

#include "../nostr/buf.h"
#include "../nostr/special_addr.h"

#define SEEN_MAX_TEXT		256		/* bytes of a name or a header, cut there */
#define SEEN_MAX_SAN		100		/* names of a certificate that are kept */
#define SEEN_MAX_SANS_SIZE	(16 * 1024)

typedef struct SeenTls
{
	bool		certificate;	/* the leaf was seen; else all below is empty */
	int			verdict;		/* X509_V_OK, or the first error */
	char		verdict_text[SEEN_MAX_TEXT];
	char		subject_cn[SEEN_MAX_TEXT];
	char		issuer[SEEN_MAX_TEXT];	/* organisation */
	char		issuer_cn[SEEN_MAX_TEXT];
	int64_t		not_before;		/* unix seconds */
	int64_t		not_after;
	char		serial[SEEN_MAX_TEXT];	/* upper-case hex, no padding */
	int			version;		/* as in X.509: 2 is v3 */
	uint8_t		fingerprint[32];	/* SHA-256 of the DER form */
	int			chain_length;	/* certificates that the peer sent */
	NostrBuf	san;			/* names and addresses, each with its '\0' */
	int			n_san;
	char		protocol[16];	/* "TLSv1.3"; empty: the handshake did not end */
	char		cipher[64];
	int			cipher_bits;
} SeenTls;

typedef struct NetSeen
{
	bool		has_address;	/* false behind a proxy */
	NostrAddr	address;
	int			http_status;	/* of the upgrade; 0: no answer */
	char		server[SEEN_MAX_TEXT];
	char		powered_by[SEEN_MAX_TEXT];
	SeenTls		tls;
} NetSeen;

extern void seen_init(NetSeen *s);
extern void seen_free(NetSeen *s);

/* For src/net.  certificate: the X509 of the peer; verdict of OpenSSL. */
extern void seen_certificate(SeenTls *t, void *x509, int chain_length, int verdict);
/* ssl: the handshake is over. */
extern void seen_handshake(SeenTls *t, const void *ssl);

#endif
