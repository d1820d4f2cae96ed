/*
 * setup.c
 *
 * A network for tests.  Memory that OpenSSL and libwebsockets keep at exit is
 * suppressed; see test_net.c.
 */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../../src/nostr/crypto.h"

#define MAX_MESSAGE	(512 * 1024)

extern const char *__lsan_default_options(void);
extern const char *__lsan_default_suppressions(void);

const char *
__lsan_default_options(void)
{
	return "print_suppressions=0";
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto\nleak:libssl\nleak:libwebsockets\n";
}

Net *
setup_net(uv_loop_t *loop, uint32_t connections)
{
	struct rlimit files = {4096, 4096};
	NetConfig	config;
	const char *why = "out of memory";
	size_t		bad;
	Net		   *net = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	setrlimit(RLIMIT_NOFILE, &files);
	net_config_default(&config);
	strcpy(config.dns_servers, "127.0.0.1:1");
	config.network[NOSTR_CLEARNET].timeout_ms = 30000;
	config.network[NOSTR_CLEARNET].max_connections = connections;
	config.max_message_size = MAX_MESSAGE;
	nostr_cidr_list_parse("127.0.0.0/8", &config.allow, &bad);
	if (nostr_crypto_init())
		net = net_open(loop, &config, &why);
	if (net == NULL)
	{
		fprintf(stderr, "no network: %s\n", why);
		exit(1);
	}
	return net;
}

void
setup_close(Net *net, uv_loop_t *loop)
{
	net_close(net);
	for (int i = 0; i < 20; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}
