/*
 * http_url.c
 *
 * Splits a URL, and rebuilds it with its host in the one form that was
 * checked: what libcurl gets is what the guard saw.
 */
#include "../nostr/pgfree.h"

#include <stdlib.h>
#include <string.h>

#include "http_internal.h"

static const char *
take_host(CURLU *u, bool allow_special, HttpUrl *out)
{
	char	   *host = NULL;
	char	   *zone = NULL;
	size_t		len;
	bool		bracketed;
	NostrUrlReject why;
	char		text[NOSTR_HOST_MAX + 3];

	if (curl_url_get(u, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK)
	{
		curl_free(zone);
		return "the address has a zone";
	}
	if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return "there is no host";
	len = strlen(host);
	bracketed = len >= 2 && host[0] == '[' && host[len - 1] == ']';
	why = nostr_host_parse(bracketed ? host + 1 : host, bracketed ? len - 2 : len,
						   bracketed, allow_special, &out->host);
	curl_free(host);
	if (why != NOSTR_URL_OK)
		return nostr_url_reject_text(why);
	strcpy(text, out->host.v6 ? "[" : "");
	strcat(text, out->host.text);
	strcat(text, out->host.v6 ? "]" : "");
	return curl_url_set(u, CURLUPART_HOST, text, 0) == CURLUE_OK ? NULL : "the host is not valid";
}

static const char *
take_parts(CURLU *u, bool allow_special, HttpUrl *out)
{
	char	   *part = NULL;
	const char *bad;

	if (curl_url_get(u, CURLUPART_SCHEME, &part, 0) != CURLUE_OK)
		return "there is no scheme";
	out->tls = strcmp(part, "https") == 0;
	bad = out->tls || strcmp(part, "http") == 0 ? NULL : "only http and https are allowed";
	curl_free(part);
	if (bad == NULL)
		bad = take_host(u, allow_special, out);
	if (bad != NULL)
		return bad;
	if (curl_url_get(u, CURLUPART_PORT, &part, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return "the port is not valid";
	out->port = (uint16_t) strtoul(part, NULL, 10);
	curl_free(part);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	if (out->port == 0 || curl_url_get(u, CURLUPART_URL, &part, 0) != CURLUE_OK)
		return "the URL is not valid";
	if (strlen(part) > HTTP_MAX_URL)
		bad = "the URL is too long";
	else
		strcpy(out->url, part);
	curl_free(part);
	return bad;
}

const char *
http_url_parse(const char *raw, const char *base, bool allow_special, HttpUrl *out)
{
	CURLU	   *u;
	const char *bad = NULL;
	CURLUcode	rc = CURLUE_OK;

	memset(out, 0, sizeof(*out));
	if (strlen(raw) > HTTP_MAX_URL)
		return "the URL is too long";
	if ((u = curl_url()) == NULL)
		return "out of memory";
	if (base != NULL)
		rc = curl_url_set(u, CURLUPART_URL, base, CURLU_DISALLOW_USER);
	if (rc == CURLUE_OK)
		rc = curl_url_set(u, CURLUPART_URL, raw, CURLU_DISALLOW_USER | CURLU_URLENCODE);
	if (rc == CURLUE_UNSUPPORTED_SCHEME)
		bad = "only http and https are allowed";
	else if (rc == CURLUE_USER_NOT_ALLOWED)
		bad = "a user name in the URL is not allowed";
	else if (rc != CURLUE_OK)
		bad = "the URL is not valid";
	if (bad == NULL)
		bad = take_parts(u, allow_special, out);
	curl_url_cleanup(u);
	return bad;
}
