/*
 * dnscheck.h
 *
 * A real name server on loopback (test/relay/dns.pl) for a unit test.
 */
#ifndef TEST_DNSCHECK_H
#define TEST_DNSCHECK_H

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Serves the zone, one record a line; servers gets its "127.0.0.1:PORT". */
static inline pid_t
dnscheck_start(const char *zone, char *servers, size_t size)
{
	char		path[] = "/tmp/bigbrotr-zone-XXXXXX";
	char		line[64] = "";
	int			fd = mkstemp(path);
	int			to_us[2];
	int			port = 0;
	FILE	   *f;
	pid_t		pid;

	CHECK(fd >= 0 && write(fd, zone, strlen(zone)) == (ssize_t) strlen(zone) && close(fd) == 0);
	CHECK(pipe(to_us) == 0);
	pid = fork();
	if (pid == 0)
	{
		dup2(to_us[1], 1);
		close(to_us[0]);
		close(to_us[1]);
		execlp("perl", "perl", "test/relay/dns.pl", path, (char *) NULL);
		_exit(1);
	}
	close(to_us[1]);
	f = fdopen(to_us[0], "r");
	CHECK(fgets(line, sizeof(line), f) != NULL && sscanf(line, "listening %d", &port) == 1);
	snprintf(servers, size, "127.0.0.1:%d", port);
	fclose(f);
	unlink(path);				/* read before it said so */
	return pid;
}

static inline void
dnscheck_stop(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

#endif
