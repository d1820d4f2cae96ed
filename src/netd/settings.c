/*
 * settings.c
 *
 * Guarantees: a CONFIG frame is taken whole or not at all; no name and no
 * value is guessed.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../nostr/event.h"
#include "../wire/messages.h"
#include "settings.h"

/* What the server accepts fits: a value must not be refused only here. */
#define FITS(member, max) _Static_assert(sizeof(((NetConfig *) 0)->member) > (max), #member)
FITS(ca_file, WIRE_MAX_PATH);
FITS(key_file, WIRE_MAX_PATH);
FITS(mmdb_city, WIRE_MAX_PATH);
FITS(mmdb_asn, WIRE_MAX_PATH);
FITS(dns_servers, WIRE_MAX_DNS_SERVERS);
FITS(network[0].proxy, WIRE_MAX_PROXY);

static bool
set_u32(const char *v, uint32_t *out)
{
	char	   *end;
	unsigned long n;

	errno = 0;
	n = strtoul(v, &end, 10);
	if (v[0] < '0' || v[0] > '9' || *end != '\0' || errno != 0 || n > INT32_MAX)
		return false;
	*out = (uint32_t) n;
	return true;
}

static bool
set_bool(const char *v, bool *out)
{
	*out = strcmp(v, "on") == 0 || strcmp(v, "true") == 0 || strcmp(v, "1") == 0;
	return *out || strcmp(v, "off") == 0 || strcmp(v, "false") == 0 || strcmp(v, "0") == 0;
}

static bool
set_str(const char *v, char *out, size_t size)
{
	if (strlen(v) >= size)
		return false;
	strcpy(out, v);
	return true;
}

static bool
set_network(NetNetworkConfig *n, const char *key, const char *v)
{
	if (strcmp(key, "enabled") == 0)
		return set_bool(v, &n->enabled);
	if (strcmp(key, "proxy") == 0)
		return set_str(v, n->proxy, sizeof(n->proxy));
	if (strcmp(key, "max_connections") == 0)
		return set_u32(v, &n->max_connections) && n->max_connections > 0;
	if (strcmp(key, "timeout_ms") == 0)
		return set_u32(v, &n->timeout_ms) && n->timeout_ms > 0;
	return false;
}

static bool
set_one(NetConfig *c, const char *name, const char *v)
{
	const char *dot = strchr(name, '.');
	size_t		bad;

	if (dot != NULL)
	{
		for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
		{
			const char *net = nostr_network_name((NostrNetwork) i);

			if (strlen(net) == (size_t) (dot - name) &&
				strncmp(net, name, strlen(net)) == 0)
				return set_network(&c->network[i], dot + 1, v);
		}
		return false;
	}
	if (strcmp(name, "allow_networks") == 0)
		return nostr_cidr_list_parse(v, &c->allow, &bad);
	if (strcmp(name, "insecure_tls") == 0)
		return set_bool(v, &c->insecure_tls);
	if (strcmp(name, "max_message_size") == 0)
		return set_u32(v, &c->max_message_size) && c->max_message_size > 0 &&
			c->max_message_size <= NOSTR_EVENT_MAX_SIZE;
	if (strcmp(name, "ca_file") == 0)
		return set_str(v, c->ca_file, sizeof(c->ca_file));
	if (strcmp(name, "dns_servers") == 0)
		return set_str(v, c->dns_servers, sizeof(c->dns_servers));
	if (strcmp(name, "user_agent") == 0)
		return set_str(v, c->user_agent, sizeof(c->user_agent));
	if (strcmp(name, "key_file") == 0)
		return set_str(v, c->key_file, sizeof(c->key_file));
	if (strcmp(name, "mmdb_city") == 0)
		return set_str(v, c->mmdb_city, sizeof(c->mmdb_city));
	if (strcmp(name, "mmdb_asn") == 0)
		return set_str(v, c->mmdb_asn, sizeof(c->mmdb_asn));
	return false;
}

bool
settings_read(const WireFrame *f, NetConfig *c, char *why, size_t size)
{
	WireReader	r;
	uint16_t	n;
	bool		ok = true;

	net_config_default(c);
	wire_reader(&r, f);
	n = wire_get_u16(&r);
	for (uint16_t i = 0; i < n && ok && !r.bad; i++)
	{
		size_t		nl;
		size_t		vl;
		const uint8_t *np = wire_get_bytes(&r, 64, &nl);
		const uint8_t *vp = wire_get_bytes(&r, WIRE_MAX_SETTING, &vl);
		char	   *name = np != NULL ? strndup((const char *) np, nl) : NULL;
		char	   *value = vp != NULL ? strndup((const char *) vp, vl) : NULL;

		ok = name != NULL && value != NULL && set_one(c, name, value);
		if (!ok)
			snprintf(why, size, "setting \"%s\" is unknown or has a bad value",
					 name != NULL ? name : "?");
		free(name);
		free(value);
	}
	if (ok && !wire_done(&r))
	{
		ok = false;
		snprintf(why, size, "malformed CONFIG");
	}
	return ok;
}
