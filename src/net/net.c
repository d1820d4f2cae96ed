/*
 * net.c
 *
 * Opens and closes everything that lives on the loop: the libwebsockets
 * context with its two vhosts (with and without permessage-deflate), libcurl and
 * the resolver.
 *
 * Guarantees: after net_open no file is opened any more; the environment has
 * no proxy variable that a library could follow behind our back; SIGPIPE is
 * ignored.  net_close runs the loop to let handles go, so it must not be
 * called from a callback of the loop.
 */
#include "../nostr/pgfree.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_internal.h"
#include "net_internal.h"

/* Offered on every connection: no context is kept between messages, which
 * takes an idle connection from 300 KB of heap to 16 KB. */
static const struct lws_extension deflate_extension[] = {
	{
		"permessage-deflate", lws_extension_callback_pm_deflate,
		"permessage-deflate; client_no_context_takeover; server_no_context_takeover"
	},
	{NULL, NULL, NULL}
};

static const struct lws_protocols protocols[] = {
	{.name = WS_PROTOCOL_NAME,.callback = ws_lws_callback},
	{.name = NULL}
};

static const char *const ca_bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",	/* Debian */
	"/etc/pki/tls/certs/ca-bundle.crt", /* Red Hat */
	"/etc/ssl/ca-bundle.pem",	/* SUSE */
	"/etc/ssl/cert.pem",		/* Alpine */
};

void
net_config_default(NetConfig *c)
{
	memset(c, 0, sizeof(*c));
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		c->network[i].enabled = i == NOSTR_CLEARNET;
		c->network[i].max_connections = i == NOSTR_CLEARNET ? 200 : 20;
		c->network[i].timeout_ms = i == NOSTR_CLEARNET ? 15000 : 60000;
	}
	c->max_message_size = 1024 * 1024;
	strcpy(c->user_agent, "bigbrotr");
}

void
net_tick(uv_idle_t *handle)
{
	Net		   *net = handle->data;

	ws_run_ready(net);
	if (net->ready == NULL)
		uv_idle_stop(handle);
}

static const char *
ca_file(const NetConfig *c)
{
	if (c->ca_file[0] != '\0')
		return access(c->ca_file, R_OK) == 0 ? c->ca_file : NULL;
	for (size_t i = 0; i < sizeof(ca_bundles) / sizeof(ca_bundles[0]); i++)
	{
		if (access(ca_bundles[i], R_OK) == 0)
			return ca_bundles[i];
	}
	return NULL;
}

static bool
open_lws(Net *net, const char *ca, const char **why)
{
	struct lws_context_creation_info info;
	void	   *loops[1] = {net->loop};

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
		LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
		LWS_SERVER_OPTION_JUST_USE_RAW_ORIGIN;
	info.foreign_loops = loops;
	info.user = net;
	info.pt_serv_buf_size = 64 * 1024;
	/* Our own deadlines decide; these must only be later than any of them. */
	info.timeout_secs = 3600;
	info.connect_timeout_secs = 3600;
	net->lws = lws_create_context(&info);
	if (net->lws == NULL)
	{
		*why = "could not create the libwebsockets context (is its libuv plugin installed?)";
		return false;
	}

	info.protocols = protocols;
	info.client_ssl_ca_filepath = ca;
	info.vhost_name = "plain";
	net->vhost_plain = lws_create_vhost(net->lws, &info);
	info.vhost_name = "deflate";
	info.extensions = deflate_extension;
	net->vhost_deflate = lws_create_vhost(net->lws, &info);
	if (net->vhost_plain == NULL || net->vhost_deflate == NULL)
	{
		*why = "could not create the libwebsockets vhosts (is the CA file valid?)";
		return false;
	}
	return true;
}

Net *
net_open(uv_loop_t *loop, const NetConfig *c, const char **why)
{
	static const char *const scrub[] = {"http_proxy", "HTTP_PROXY", "https_proxy",
	"HTTPS_PROXY", "socks_proxy", "SOCKS_PROXY", "all_proxy", "ALL_PROXY"};
	const char *ca = ca_file(c);
	Net		   *net;

	for (size_t i = 0; i < sizeof(scrub) / sizeof(scrub[0]); i++)
		unsetenv(scrub[i]);
	signal(SIGPIPE, SIG_IGN);
	lws_set_log_level(0, NULL);

	if (ca == NULL)
	{
		*why = "could not read the CA certificates";
		return NULL;
	}
	net = calloc(1, sizeof(*net));
	if (net == NULL)
	{
		*why = "out of memory";
		return NULL;
	}
	net->loop = loop;
	net->config = *c;
	net->ready_tail = &net->ready;
	uv_idle_init(loop, &net->tick);
	net->tick.data = net;
	net->tick_open = true;

	net->dns = dns_open(loop, c->dns_servers, false, why);
	net->dns_as_is = dns_open(loop, c->dns_servers, true, why);
	if (net_config_wants_proxy(c))
		net->door = socks_door_open(loop);
	if (net->dns == NULL || net->dns_as_is == NULL || !open_lws(net, ca, why) ||
		(net->http = http_open(net, ca, why)) == NULL)
	{
		net_close(net);
		return NULL;
	}
	return net;
}

bool
net_config_wants_proxy(const NetConfig *c)
{
	for (int i = 0; i < NOSTR_NETWORK_COUNT; i++)
	{
		if (c->network[i].enabled && c->network[i].proxy[0] != '\0')
			return true;
	}
	return false;
}

void
net_reconfigure(Net *net, const NetConfig *c)
{
	NetConfig	fresh = *c;

	memcpy(fresh.ca_file, net->config.ca_file, sizeof(fresh.ca_file));
	memcpy(fresh.dns_servers, net->config.dns_servers, sizeof(fresh.dns_servers));
	memcpy(fresh.mmdb_city, net->config.mmdb_city, sizeof(fresh.mmdb_city));
	memcpy(fresh.mmdb_asn, net->config.mmdb_asn, sizeof(fresh.mmdb_asn));
	memcpy(fresh.key_file, net->config.key_file, sizeof(fresh.key_file));
	net->config = fresh;
	if (net->door == NULL && net_config_wants_proxy(&fresh))
		net->door = socks_door_open(net->loop);	/* not in the sandbox: netd/main.c */
}

const NetConfig *
net_config(const Net *net)
{
	return &net->config;
}

uv_loop_t *
net_loop(const Net *net)
{
	return net->loop;
}

struct Dns *
net_dns_as_is(const Net *net)
{
	return net->dns_as_is;
}

static void
count_closing(uv_handle_t *handle, void *arg)
{
	if (uv_is_closing(handle))
		++*(int *) arg;
}

/* Runs the loop until no handle is half closed.  The caller's own handles may
 * stay active, so "nothing left" is not the condition. */
static void
drain(Net *net)
{
	for (int i = 0; i < 1000; i++)
	{
		int			closing = 0;

		uv_run(net->loop, UV_RUN_NOWAIT);
		uv_walk(net->loop, count_closing, &closing);
		if (closing == 0 && net->ready == NULL)
			return;
	}
}

void
net_close(Net *net)
{
	WsConn	   *c;

	if (net == NULL)
		return;
	net->closing = true;
	for (c = net->conns; c != NULL; c = c->next)
	{
		if (!c->ended)
			ws_end(c, NET_CANCELLED, "shutting down");
	}
	ws_run_ready(net);
	if (net->lws != NULL)
		lws_context_destroy(net->lws);	/* WSI_DESTROY for what is left */
	ws_run_ready(net);
	http_close(net);
	socks_door_close(net->door);
	dns_close(net->dns);
	dns_close(net->dns_as_is);
	drain(net);
	if (net->lws != NULL)
		lws_context_destroy(net->lws);	/* the second call frees */
	uv_close((uv_handle_t *) &net->tick, NULL);
	net->tick_open = false;
	drain(net);
	free(net);
}
