/*
 * main.c
 *
 * The scripted relay as a program: serves the events of a file (one JSON
 * line each) over plain WebSocket on loopback, and misbehaves on command.
 *
 * Prints "listening PORT" when ready.  SIGUSR1 prints the counters, SIGUSR2
 * adds the events of --add (again each time: the file may have grown).
 * Everything is in memory and preformatted, so that the relay is not what a
 * benchmark measures.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "nostr/crypto.h"
#include "relay.h"

typedef struct Options
{
	int			port;
	const char *events;
	const char *add;
	long		corrupt;
	RelayPlan	plan;
} Options;

static Relay *relay;
static Options options;

static void
usage(FILE *f)
{
	fprintf(f, "relay [--port N] [--events FILE] [--add FILE] [--corrupt N] [--mode MODE]\n"
			"      [--script FILE|JSON] [--SETTING VALUE]...\n\n"
			"  --port     0: the kernel chooses (default)\n"
			"  --events   one event a line; what is no event is served too\n"
			"  --add      events that come later, at SIGUSR2\n"
			"  --corrupt  every Nth line of --events has a broken signature\n"
			"  --mode     short for a script: ok oldest silent closed notice notnostr no-upgrade badutf8\n"
			"  --script   {\"cap\":100,\"connections\":[{\"refuse\":\"closed\"},{}],\"repeat\":false}:\n"
			"             settings for all, and for the first, second, ... connection\n\n"
			"Settings, alone or in a script; numbers are 0 unless another is given:\n");
	relay_script_help(f);
}

static bool
set_mode(RelayScript *s, const char *mode)
{
	static const struct
	{
		const char *mode;
		const char *name;
		const char *value;
	}			modes[] = {
		{"ok", "cap", "500"}, {"oldest", "order", "oldest"}, {"silent", "refuse", "silent"},
		{"closed", "refuse", "closed"}, {"notice", "refuse", "notice"}, {"notnostr", "refuse", "garbage"},
		{"no-upgrade", "http", "404"}, {"badutf8", "bad_utf8", "1"}
	};
	const char *why;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
	{
		if (strcmp(modes[i].mode, mode) != 0)
			continue;
		if (strcmp(mode, "closed") == 0)
			strcpy(s->refuse_text, "auth-required: members only");
		if (strcmp(mode, "notice") == 0)
			strcpy(s->refuse_text, "ERROR: bad req: no");
		return i == 0 || relay_script_set(s, modes[i].name, modes[i].value, &why);
	}
	return false;
}

static bool
read_script(RelayPlan *plan, const char *arg, const char **why)
{
	NostrBuf	b;
	FILE	   *f;
	int			ch;
	bool		ok;

	if (arg[0] == '{')
		return relay_plan_parse(plan, arg, strlen(arg), why);
	*why = "cannot be read";
	f = fopen(arg, "r");
	if (f == NULL)
		return false;
	nostr_buf_init(&b, 1 << 20);
	while ((ch = getc(f)) != EOF)
		nostr_buf_append_byte(&b, (uint8_t) ch);
	fclose(f);
	ok = relay_plan_parse(plan, (char *) b.data, b.len, why);
	nostr_buf_free(&b);
	return ok;
}

static void
read_options(int argc, char **argv)
{
	Options    *o = &options;

	relay_plan_default(&o->plan);
	for (int i = 1; i < argc; i += 2)
	{
		const char *name = argv[i];
		const char *value = argv[i + 1];
		const char *why = "no such mode";
		bool		ok = true;

		if (strcmp(name, "--help") == 0)
		{
			usage(stdout);
			exit(0);
		}
		if (value == NULL || strncmp(name, "--", 2) != 0)
			ok = false, why = "needs a value";
		else if (strcmp(name, "--port") == 0)
			o->port = atoi(value);
		else if (strcmp(name, "--events") == 0)
			o->events = value;
		else if (strcmp(name, "--add") == 0)
			o->add = value;
		else if (strcmp(name, "--corrupt") == 0)
			o->corrupt = atol(value);
		else if (strcmp(name, "--mode") == 0)
			ok = set_mode(&o->plan.base, value);
		else if (strcmp(name, "--script") == 0)
			ok = read_script(&o->plan, value, &why);
		else
		{
			char		setting[64];

			snprintf(setting, sizeof(setting), "%s", name + 2);
			for (char *p = setting; *p != '\0'; p++)
				*p = *p == '-' ? '_' : *p;
			ok = relay_script_set(&o->plan.base, setting, value, &why);
		}
		if (!ok)
		{
			fprintf(stderr, "relay: %s %s: %s (see --help)\n", name, value != NULL ? value : "", why);
			exit(2);
		}
	}
}

static void
on_usr1(uv_signal_t *s, int signum)
{
	const RelayCounters *n = relay_counters(relay);

	(void) s;
	(void) signum;
	printf("reqs %lu events %lu connections %lu refused %lu pushed %lu published %lu auths %lu "
		   "neg_opens %lu neg_msgs %lu pings %lu documents %lu bytes_in %llu bytes_out %llu\n",
		   n->reqs, n->events, n->connections, n->refused, n->pushed, n->published, n->auths,
		   n->neg_opens, n->neg_msgs, n->pings, n->documents, n->bytes_in, n->bytes_out);
	fflush(stdout);
}

static void
on_usr2(uv_signal_t *s, int signum)
{
	FILE	   *f = options.add != NULL ? fopen(options.add, "r") : NULL;
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		len;
	long		n = 0;

	(void) s;
	(void) signum;
	while (f != NULL && (len = getline(&line, &size, f)) > 0)
	{
		if (line[len - 1] == '\n')
			len--;
		n += relay_publish(relay, line, (size_t) len);
	}
	free(line);
	if (f != NULL)
		fclose(f);
	printf("added %ld\n", n);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	uv_loop_t  *loop = uv_default_loop();
	RelayStore	store;
	uv_signal_t usr1;
	uv_signal_t usr2;
	int			port;

	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	relay_store_init(&store);
	if (!nostr_crypto_init())
		return 1;
	if (options.events != NULL && relay_store_load(&store, options.events, options.corrupt) < 0)
	{
		perror(options.events);
		return 1;
	}
	port = relay_start(loop, &options.plan, &store, options.port, &relay);
	if (port < 0)
	{
		fprintf(stderr, "relay: cannot listen on port %d\n", options.port);
		return 1;
	}
	uv_signal_init(loop, &usr1);
	uv_signal_start(&usr1, on_usr1, SIGUSR1);
	uv_signal_init(loop, &usr2);
	uv_signal_start(&usr2, on_usr2, SIGUSR2);
	printf("listening %d\n", port);
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
