/*
 * seen.c
 *
 * Reads a certificate.  Everything in it is chosen by the peer: texts are cut
 * and cleaned to printable UTF-8 where they are used (crawl/text.h), lists
 * are bounded, and a field that OpenSSL cannot read stays empty.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "seen.h"

void
seen_init(NetSeen *s)
{
	memset(s, 0, sizeof(*s));
	nostr_buf_init(&s->tls.san, SEEN_MAX_SANS_SIZE);
}

void
seen_free(NetSeen *s)
{
	nostr_buf_free(&s->tls.san);
}

/* The first entry of a name with that type, as UTF-8 without '\0'. */
static void
name_entry(X509_NAME *name, int nid, char *out)
{
	int			at = name != NULL ? X509_NAME_get_index_by_NID(name, nid, -1) : -1;
	unsigned char *utf8 = NULL;
	int			len;

	if (at < 0)
		return;
	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && memchr(utf8, '\0', (size_t) len) == NULL)
	{
		if (len >= SEEN_MAX_TEXT)
			len = SEEN_MAX_TEXT - 1;
		memcpy(out, utf8, (size_t) len);
		out[len] = '\0';
	}
	OPENSSL_free(utf8);
}

static int64_t
unix_time(const ASN1_TIME *t)
{
	struct tm	tm;

	return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t) timegm(&tm) : 0;
}

static void
add_san(SeenTls *t, const void *text, size_t len)
{
	if (len == 0 || len >= SEEN_MAX_TEXT || memchr(text, '\0', len) != NULL ||
		t->n_san == SEEN_MAX_SAN || len + 1 > t->san.max - t->san.len)
		return;
	nostr_buf_append(&t->san, text, len);
	nostr_buf_append_byte(&t->san, '\0');
	if (!t->san.failed)
		t->n_san++;
}

static void
subject_names(SeenTls *t, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	nostr_buf_reset(&t->san);
	t->n_san = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
	{
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == GEN_DNS)
			add_san(t, ASN1_STRING_get0_data(n->d.dNSName), (size_t) ASN1_STRING_length(n->d.dNSName));
		else if (n->type == GEN_IPADD)
		{
			NostrAddr	addr = {.v6 = ASN1_STRING_length(n->d.iPAddress) == 16};
			char		text[64];

			if (!addr.v6 && ASN1_STRING_length(n->d.iPAddress) != 4)
				continue;
			memcpy(addr.bytes, ASN1_STRING_get0_data(n->d.iPAddress), addr.v6 ? 16 : 4);
			nostr_addr_format(&addr, text);
			add_san(t, text, strlen(text));
		}
	}
	GENERAL_NAMES_free(names);
}

static void
serial_number(SeenTls *t, X509 *x)
{
	BIGNUM	   *n = ASN1_INTEGER_to_BN(X509_get_serialNumber(x), NULL);
	char	   *hex = n != NULL ? BN_bn2hex(n) : NULL;
	const char *p = hex;

	/* BN_bn2hex pads to whole bytes */
	while (p != NULL && p[0] == '0' && p[1] != '\0')
		p++;
	if (p != NULL && strlen(p) < SEEN_MAX_TEXT)
		strcpy(t->serial, p);
	OPENSSL_free(hex);
	BN_free(n);
}

void
seen_certificate(SeenTls *t, void *x509, int chain_length, int verdict)
{
	X509	   *x = x509;
	unsigned int size = 0;

	t->certificate = true;
	t->verdict = verdict;
	t->verdict_text[0] = '\0';
	if (verdict != X509_V_OK)
		strncat(t->verdict_text, X509_verify_cert_error_string(verdict), SEEN_MAX_TEXT - 1);
	name_entry(X509_get_subject_name(x), NID_commonName, t->subject_cn);
	name_entry(X509_get_issuer_name(x), NID_organizationName, t->issuer);
	name_entry(X509_get_issuer_name(x), NID_commonName, t->issuer_cn);
	t->not_before = unix_time(X509_get0_notBefore(x));
	t->not_after = unix_time(X509_get0_notAfter(x));
	serial_number(t, x);
	t->version = (int) X509_get_version(x);
	X509_digest(x, EVP_sha256(), t->fingerprint, &size);
	t->chain_length = chain_length;
	subject_names(t, x);
}

void
seen_handshake(SeenTls *t, const void *ssl)
{
	const SSL  *s = ssl;
	const SSL_CIPHER *cipher = SSL_get_current_cipher(s);

	t->protocol[0] = t->cipher[0] = '\0';
	strncat(t->protocol, SSL_get_version(s), sizeof(t->protocol) - 1);
	if (cipher == NULL)
		return;
	strncat(t->cipher, SSL_CIPHER_get_name(cipher), sizeof(t->cipher) - 1);
	t->cipher_bits = SSL_CIPHER_get_bits(cipher, NULL);
}
