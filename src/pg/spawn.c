/*
 * spawn.c
 *
 * Starts bigbrotr-net with one socket on descriptor 3 and nothing else
 * inherited.
 *
 * Guarantees: no descriptor, environment variable, signal mask or signal
 * handler of the server reaches the child; its memory and descriptors are
 * limited; it is reaped by this process.  posix_spawn runs no code of ours
 * between fork and exec.  Must survive: a missing program, no free
 * descriptors, children that do not respond.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/fd.h"

#include "pg/spawn.h"

#define CHILD_SOCKET	3
#define CHILD_FILES		16384

static void
limit(pid_t pid, int what, rlim_t value)
{
	struct rlimit old;
	struct rlimit new;

	if (prlimit(pid, what, NULL, &old) != 0)
		return;
	/* never above what the administrator allowed */
	if (old.rlim_max != RLIM_INFINITY && value > old.rlim_max)
		value = old.rlim_max;
	new.rlim_cur = new.rlim_max = value;
	(void) prlimit(pid, what, &new, NULL);
}

static int
spawn(const char *program, int child_sock, pid_t *pid)
{
	char	   *argv[] = {unconstify(char *, program), "--worker", NULL};
	char	   *envp[] = {"LANG=C", "PATH=/nonexistent", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t	all;
	sigset_t	none;
	int			rc;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

	posix_spawn_file_actions_init(&actions);
	/* dup2 to itself clears close-on-exec: right in both cases */
	rc = posix_spawn_file_actions_adddup2(&actions, child_sock, CHILD_SOCKET);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_SOCKET + 1);
	if (rc == 0)
		rc = posix_spawn(pid, program, &actions, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return rc;
}

int
bb_spawn_net(const char *program, int memory_mb, int *sock)
{
	int			fds[2];
	pid_t		pid = 0;
	int			rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return -1;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
	{
		int			save = errno;

		close(fds[0]);
		close(fds[1]);
		errno = save;
		return -1;
	}
	rc = spawn(program, fds[1], &pid);
	close(fds[1]);
	if (rc != 0)
	{
		close(fds[0]);
		errno = rc;
		return -1;
	}
	limit(pid, RLIMIT_AS, (rlim_t) memory_mb * 1024 * 1024);
	limit(pid, RLIMIT_NOFILE, CHILD_FILES);
	limit(pid, RLIMIT_CORE, 0);
	ReserveExternalFD();
	*sock = fds[0];
	return pid;
}

/* A process that closed its socket is about to end: how it ends is worth
 * the wait.  True when it is collected. */
static bool
collect(int pid, int wait_ms, int *status)
{
	for (int i = 0;; i++)
	{
		int			rc = waitpid(pid, status, WNOHANG);

		if (rc == pid)
			return true;
		if ((rc < 0 && errno != EINTR) || i >= wait_ms)
			return false;
		pg_usleep(1000);
	}
}

bool
bb_spawn_end(int pid, int sock, int wait_ms, int *status)
{
	bool		alone;

	if (sock >= 0)
	{
		close(sock);
		ReleaseExternalFD();
	}
	if (pid <= 0)
		return false;
	alone = collect(pid, wait_ms, status);
	if (alone)
		return true;
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return false;
}
