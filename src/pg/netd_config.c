/*
 * netd_config.c
 *
 * Turns the GUCs into the CONFIG frame.  All settings travel each time, so
 * that the child never has to know a default.
 */
#include "postgres.h"

#include "pg/guc.h"
#include "pg/guc_monitor.h"
#include "pg/netd_config.h"

#define USER_AGENT "bigbrotr/" BB_VERSION

/* Each setting adds to the count, which is written in front of them. */
typedef struct Config
{
	NostrBuf   *out;
	int			n;
} Config;

static void
put(Config *c, const char *name, const char *value)
{
	c->n++;
	wire_put_str(c->out, name);
	wire_put_str(c->out, value ? value : "");
}

static void
put_int(Config *c, const char *name, int64 value)
{
	char		text[32];

	snprintf(text, sizeof(text), INT64_FORMAT, value);
	put(c, name, text);
}

static void
put_bool(Config *c, const char *name, bool value)
{
	put(c, name, value ? "true" : "false");
}

static void
put_network(Config *c, NostrNetwork network)
{
	const char *net = nostr_network_name(network);
	const BbNetworkGuc *g = &bb_network[network];
	char		name[64];

	snprintf(name, sizeof(name), "%s.enabled", net);
	put_bool(c, name, g->enabled);
	snprintf(name, sizeof(name), "%s.proxy", net);
	put(c, name, g->proxy);
	snprintf(name, sizeof(name), "%s.max_connections", net);
	put_int(c, name, g->max_connections);
	snprintf(name, sizeof(name), "%s.timeout_ms", net);
	put_int(c, name, g->timeout);
}

void
netd_put_config(NostrBuf *out)
{
	NostrBuf	fields;
	Config		c = {&fields, 0};
	size_t		mark;

	nostr_buf_init(&fields, out->max);
	put_network(&c, NOSTR_CLEARNET);
	put_network(&c, NOSTR_TOR);
	put_network(&c, NOSTR_I2P);
	put_network(&c, NOSTR_LOKI);
	put(&c, "allow_networks", bb_allow_networks);
	put_bool(&c, "insecure_tls", bb_invalid_certificate == 1);
	put_int(&c, "max_message_size", (int64) bb_max_message_size * 1024);
	put(&c, "ca_file", bb_ca_file);
	put(&c, "dns_servers", bb_dns_servers);
	put(&c, "user_agent", USER_AGENT);
	put(&c, "key_file", bb_key_file);
	put(&c, "mmdb_city", bb_monitor_city_file);
	put(&c, "mmdb_asn", bb_monitor_asn_file);

	mark = wire_begin(out, WIRE_CONFIG, 0);
	wire_put_u16(out, (uint16_t) c.n);
	wire_put_fixed(out, fields.data, fields.len);
	wire_end(out, mark);
	if (fields.failed)
		out->failed = true;
	nostr_buf_free(&fields);
}
