/*
 * main.c
 *
 * bigbrotr-net: the process that faces the network.
 *
 * With --worker it serves one worker over descriptor 3 and exits with it: at
 * end of file, at a malformed frame, and when the thread that started it
 * dies.  No job runs before the first CONFIG, and the sandbox is entered
 * right after it.
 */
#include "../nostr/pgfree.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "jobs.h"
#include "sandbox.h"
#include "settings.h"
#include "verify.h"

#ifndef BIGBROTR_VERSION
#define BIGBROTR_VERSION "dev"
#endif

static Net *net;

static void
end_with(const char *why)
{
	if (why != NULL)
	{
		channel_log(2, why);
		channel_drain();
	}
	_exit(why != NULL ? WIRE_EXIT_REFUSED : WIRE_EXIT_OK);
}

static void
on_ended(const char *why)
{
	_exit(why != NULL ? WIRE_EXIT_SOCKET : WIRE_EXIT_OK);
}

static void
first_config(const NetConfig *c)
{
	const char *why = NULL;
	NostrBuf   *out = channel_out();
	size_t		mark;

	net = net_open(uv_default_loop(), c, &why);
	if (net == NULL)
		end_with(why != NULL ? why : "cannot open the network");
	if (!verify_open(uv_default_loop()))
		end_with("cannot start the verification threads");
	jobs_open(net);
	why = sandbox_enter();
	mark = wire_begin(out, WIRE_HELLO, 0);
	wire_put_u32(out, WIRE_VERSION);
	wire_put_str(out, BIGBROTR_VERSION);
	wire_put_str(out, why);
	wire_end(out, mark);
	channel_flush();
}

/* What was opened before the sandbox cannot be opened again in it. */
static bool
needs_new_process(const NetConfig *c)
{
	const NetConfig *now = net_config(net);

	return strcmp(c->ca_file, now->ca_file) != 0 ||
		strcmp(c->dns_servers, now->dns_servers) != 0 ||
		strcmp(c->key_file, now->key_file) != 0 ||
		(net_config_wants_proxy(c) && !net_config_wants_proxy(now));
}

static void
on_frame(const WireFrame *f)
{
	static NetConfig c;
	char		text[256] = "";
	const char *why = "frame before CONFIG";

	if (f->type == WIRE_CONFIG)
	{
		if (!settings_read(f, &c, text, sizeof(text)))
			end_with(text);
		if (net == NULL)
			first_config(&c);
		else if (needs_new_process(&c))
			end_with("ca_file, dns_servers, key_file or the use of proxies has changed: only a new process can follow");
		else
			net_reconfigure(net, &c);
	}
	else if (f->type == WIRE_PING && net != NULL && f->len == 0)
	{
		wire_end(channel_out(), wire_begin(channel_out(), WIRE_PONG, 0));
		channel_flush();
	}
	else if (net == NULL || !jobs_frame(f, &why))
		end_with(why);
}

static int
worker_main(void)
{
	static const ChannelCallbacks cb = {on_frame, on_ended, jobs_pause_all};

	struct stat st;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* looked at before the loop opens descriptors of its own */
	if (fstat(3, &st) != 0 || !S_ISSOCK(st.st_mode) || !channel_open(uv_default_loop(), 3, &cb))
	{
		fprintf(stderr, "bigbrotr-net: descriptor 3 is not a socket\n");
		return 2;
	}
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	return 0;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "--worker") == 0)
		return worker_main();
	return cli_main(argc, argv);
}
