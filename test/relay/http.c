/*
 * http.c
 *
 * The upgrade, and the relay information document (NIP-11) on the same
 * port, each also in the ways they go wrong.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define HUGE_DOCUMENT	(8 << 20)

/* Value of a header, cut at the end of its line; NULL: not there. */
static const char *
header(const char *head, const char *name, char *out, size_t size)
{
	const char *p = strcasestr(head, name);
	size_t		n;

	if (p == NULL)
		return NULL;
	p += strlen(name);
	p += strspn(p, " ");
	n = strcspn(p, "\r\n");
	snprintf(out, size, "%.*s", (int) n, p);
	return out;
}

static void
respond(Conn *c, int status, const char *type, const char *location,
		const void *body, size_t len, size_t claimed)
{
	char		text[600];

	snprintf(text, sizeof(text), "HTTP/1.1 %d Status\r\n%s%s%s%s%s%sContent-Length: %zu\r\n"
			 "Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n", status,
			 type[0] ? "Content-Type: " : "", type, type[0] ? "\r\n" : "",
			 location[0] ? "Location: " : "", location, location[0] ? "\r\n" : "", claimed);
	conn_bytes(c, text, strlen(text));
	conn_bytes(c, body, len);
	conn_end(c);
}

static char *
document(const Conn *c)
{
	const RelayScript *s = c->script;
	bool		wrong = s->nip11 == RELAY_NIP11_TYPES;
	json_t	   *limits = json_object();
	json_t	   *o;
	char	   *text;

	if (wrong)
		json_object_set_new(limits, "max_limit", json_string("many"));
	else if (s->nip11_max_limit >= 0)
		json_object_set_new(limits, "max_limit",
							json_integer(s->nip11_max_limit > 0 ? s->nip11_max_limit : s->cap));
	if (s->default_limit > 0)
		json_object_set_new(limits, "default_limit", json_integer(s->default_limit));
	json_object_set_new(limits, "max_subscriptions", json_integer(s->max_subs));
	json_object_set_new(limits, "max_message_length", json_integer(s->max_message));
	json_object_set_new(limits, "auth_required",
						json_boolean(s->auth > RELAY_AUTH_OFFER && s->auth != RELAY_AUTH_KINDS));
	o = json_pack("{s:s, s:s, s:s, s:s, s:[i,i,i,i], s:o}",
				  "name", "scripted relay", "description", "serves what it is told to",
				  "software", "bigbrotr test relay", "version", "1",
				  "supported_nips", 1, 11, 42, s->neg == RELAY_NEG_YES ? 77 : 45, "limitation", limits);
	if (s->hints == RELAY_HINTS_HONEST)
		json_array_append_new(json_object_get(o, "supported_nips"), json_integer(67));
	if (wrong)
	{
		json_object_set_new(o, "name", json_pack("[i]", 7));
		json_object_set_new(o, "supported_nips", json_string("1,11"));
	}
	text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(o);
	return text;
}

static void
spoilt_document(Conn *c, const char *doc)
{
	static const char json[] = "application/nostr+json";
	char	   *big = calloc(1, HUGE_DOCUMENT + 1);
	char		text[600];
	size_t		len = strlen(doc);

	switch (c->script->nip11)
	{
		case RELAY_NIP11_CUT:
			respond(c, 200, json, "", doc, len / 2, len / 2);
			break;
		case RELAY_NIP11_LENGTH:
			respond(c, 200, json, "", doc, len, len + 1000);
			break;
		case RELAY_NIP11_HUGE:
			memset(big, ' ', HUGE_DOCUMENT);
			memcpy(big, doc, len);
			respond(c, 200, json, "", big, HUGE_DOCUMENT, HUGE_DOCUMENT);
			break;
		case RELAY_NIP11_DEEP:
			memset(big, '[', 100000);
			memset(big + 100000, ']', 100000);
			respond(c, 200, json, "", big, 200000, 200000);
			break;
		case RELAY_NIP11_UTF8:
			respond(c, 200, json, "", "{\"name\":\"\xff\xfe\"}", 13, 13);
			break;
		case RELAY_NIP11_NUL:
			respond(c, 200, json, "", "{\"name\":\"a\\u0000b\"}", 19, 19);
			break;
		default:				/* RELAY_NIP11_TWICE */
			snprintf(text, sizeof(text), "{\"name\":\"other\",%.500s", doc + 1);
			respond(c, 200, json, "", text, strlen(text), strlen(text));
	}
	free(big);
}

static void
nip11(Conn *c)
{
	static const char json[] = "application/nostr+json";
	char	   *doc = document(c);
	size_t		len = strlen(doc);
	char		self[64];

	c->relay->counters.documents++;
	snprintf(self, sizeof(self), "http://127.0.0.1:%d/", c->relay->port);
	switch (c->script->nip11)
	{
		case RELAY_NIP11_OK:
		case RELAY_NIP11_TYPES:
			respond(c, 200, json, "", doc, len, len);
			break;
		case RELAY_NIP11_NONE:
			respond(c, 404, "", "", "", 0, 0);
			break;
		case RELAY_NIP11_STATUS:
			respond(c, c->script->nip11_status, "text/plain", "", "no", 2, 2);
			break;
		case RELAY_NIP11_HTML:
			respond(c, 200, "text/html", "", "<html>A relay</html>", 20, 20);
			break;
		case RELAY_NIP11_TYPE:
			respond(c, 200, "text/html", "", doc, len, len);
			break;
		case RELAY_NIP11_EMPTY:
			respond(c, 200, json, "", "", 0, 0);
			break;
		case RELAY_NIP11_NOT_JSON:
			respond(c, 200, json, "", "a relay", 7, 7);
			break;
		case RELAY_NIP11_ARRAY:
			respond(c, 200, json, "", "[1,2]", 5, 5);
			break;
		case RELAY_NIP11_REDIRECT:
			respond(c, 302, "", c->script->location, "", 0, 0);
			break;
		case RELAY_NIP11_LOOP:
			respond(c, 302, "", self, "", 0, 0);
			break;
		case RELAY_NIP11_HANG:
			break;
		default:
			spoilt_document(c, doc);
	}
	free(doc);
}

void
http_request(Conn *c, const char *head)
{
	const RelayScript *s = c->script;
	char		key[128];
	char		accept[64];
	char		out[256];

	conn_wait(c, s->upgrade_delay_ms);
	if (header(head, "\nSec-WebSocket-Key:", key, sizeof(key)) == NULL)
	{
		if (header(head, "\nAccept:", key, sizeof(key)) != NULL && strstr(key, "nostr+json") != NULL)
			nip11(c);
		else
			respond(c, 404, "", "", "", 0, 0);
		return;
	}
	if (s->http != 101)
	{
		respond(c, s->http, "", s->location, "", 0, 0);
		return;
	}
	frame_accept_key(s->handshake == RELAY_SHAKE_BAD_ACCEPT ? "AAAAAAAAAAAAAAAAAAAAAAAA" : key, accept);
	snprintf(out, sizeof(out), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
	if (s->handshake == RELAY_SHAKE_HANG)
		return;
	if (s->handshake == RELAY_SHAKE_HANG_UP)
		conn_close(c);
	else if (s->handshake == RELAY_SHAKE_GARBAGE)
		conn_bytes(c, "SSH-2.0-OpenSSH_9.2\r\n\r\n", 23);
	else
		conn_bytes(c, out, strlen(out));
	c->upgraded = s->handshake == RELAY_SHAKE_OK;
	if (c->upgraded && (s->auth == RELAY_AUTH_OFFER || s->auth == RELAY_AUTH_REQUIRED ||
						s->auth == RELAY_AUTH_REFUSE || s->auth == RELAY_AUTH_DEAF ||
						s->auth == RELAY_AUTH_KINDS ||
						(s->auth == RELAY_AUTH_NONE &&
						 (s->writes == RELAY_WRITES_AUTH || s->writes == RELAY_WRITES_NEVER))))
		auth_challenge(c);
}
