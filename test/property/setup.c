/*
 * setup.c
 *
 * A network for tests.
 */
#include "setup.h"

#include <sys/resource.h>

#include "../unit/netcheck.h"

#define MAX_MESSAGE	(512 * 1024)

Net *
setup_net(uv_loop_t *loop, uint32_t connections)
{
	struct rlimit files = {4096, 4096};
	NetConfig	config;

	setrlimit(RLIMIT_NOFILE, &files);
	netcheck_config(&config, 30000);
	config.network[NOSTR_CLEARNET].max_connections = connections;
	config.max_message_size = MAX_MESSAGE;
	return netcheck_open(loop, &config);
}

void
setup_close(Net *net, uv_loop_t *loop)
{
	net_close(net);
	netcheck_settle(loop);
}
