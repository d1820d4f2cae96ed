/*
 * many.c
 *
 * Many scripted relays in one process:
 *
 *   many EVENTS COUNT NAME=SCRIPT [COUNT NAME=SCRIPT]...
 *
 * All serve the events of one file.  Prints "NAME ws://127.0.0.1:PORT" for
 * each, then "ready".  SCRIPT is JSON as for relay --script; the word
 * "refused" stands for addresses at which nobody listens.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "nostr/crypto.h"
#include "relay.h"

static bool
start_group(uv_loop_t *loop, RelayStore *store, int count, char *what)
{
	char	   *script = strchr(what, '=');
	RelayPlan	plan;
	const char *why;

	if (script == NULL || count < 0)
		return false;
	*script++ = '\0';
	if (strcmp(script, "refused") == 0)
	{
		/* nothing of ours listens on the second loopback address */
		for (int i = 0; i < count; i++)
			printf("%s ws://127.0.0.2:%d\n", what, 20000 + i);
		return true;
	}
	relay_plan_default(&plan);
	if (!relay_plan_parse(&plan, script, strlen(script), &why))
	{
		fprintf(stderr, "many: %s: %s\n", script, why);
		return false;
	}
	for (int i = 0; i < count; i++)
	{
		Relay	   *relay;
		int			port = relay_start(loop, &plan, store, 0, &relay);

		if (port < 0)
			return false;
		printf("%s ws://127.0.0.1:%d\n", what, port);
	}
	relay_plan_free(&plan);
	return true;
}

int
main(int argc, char **argv)
{
	uv_loop_t  *loop = uv_default_loop();
	RelayStore	store;
	struct rlimit files = {1 << 16, 1 << 16};

	signal(SIGPIPE, SIG_IGN);
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) == 0)
	{
		files.rlim_cur = files.rlim_max;
		(void) setrlimit(RLIMIT_NOFILE, &files);
	}
	relay_store_init(&store);
	if (argc < 4 || argc % 2 != 0 || !nostr_crypto_init() ||
		relay_store_load(&store, argv[1], 0) < 0)
	{
		fprintf(stderr, "usage: many EVENTS COUNT NAME=SCRIPT [COUNT NAME=SCRIPT]...\n");
		return 2;
	}
	for (int i = 2; i < argc; i += 2)
		if (!start_group(loop, &store, atoi(argv[i]), argv[i + 1]))
			return 1;
	printf("ready\n");
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
