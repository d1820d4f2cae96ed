/*
 * sandbox.c
 *
 * no_new_privs, no core, landlock (no file at all, no TCP bind) and a seccomp
 * allow list whose answer to the rest is EACCES.  What the kernel does not
 * have is left out and not named in the answer.
 *
 * seccomp goes to every thread (TSYNC); landlock covers the calling thread
 * only, but the verification threads cannot open files either way.
 */
#include "../nostr/pgfree.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

static int
landlock(void)
{
	struct
	{
		uint64_t	fs;
		uint64_t	net;
		uint64_t	scoped;
	}			attr = {(1u << 13) - 1, 0, 0};
	long		abi = syscall(444, NULL, 0, 1);
	size_t		size = 8;
	long		fd;
	long		r;

	if (abi < 1)
		return 0;
	if (abi >= 2)
		attr.fs |= 1u << 13;
	if (abi >= 3)
		attr.fs |= 1u << 14;
	if (abi >= 4)
	{
		attr.net = 1;			/* bind, not connect */
		size = 16;
	}
	if (abi >= 5)
		attr.fs |= 1u << 15;
	if (abi >= 6)
	{
		attr.scoped = 3;
		size = 24;
	}
	fd = syscall(444, &attr, size, 0);
	if (fd < 0)
		return 0;
	r = syscall(446, (int) fd, 0);
	close((int) fd);
	return r == 0 ? (int) abi : 0;
}

#ifdef __x86_64__
static const int allowed[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_fstat, SYS_lseek,
	SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait,
	SYS_epoll_ctl, SYS_epoll_create1, SYS_eventfd2, SYS_pipe2, SYS_mmap, SYS_munmap,
	SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_getrandom,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack,
	SYS_clock_gettime, SYS_gettimeofday, SYS_time, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_connect, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_sendmmsg, SYS_recvmsg,
	SYS_recvmmsg, SYS_shutdown, SYS_getsockname, SYS_getpeername, SYS_setsockopt,
	SYS_getsockopt, SYS_fcntl, SYS_ioctl, SYS_getpid, SYS_gettid, SYS_getppid,
	SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_uname, SYS_sysinfo,
	SYS_getrusage, SYS_sched_yield, SYS_restart_syscall, SYS_tgkill, SYS_exit,
	SYS_exit_group, SYS_dup, SYS_bind, SYS_accept4,
	/* a verification thread that was created before the filter may only start
	 * after it: these are its first calls */
	SYS_rseq, SYS_set_robust_list, SYS_set_tid_address, SYS_prctl, SYS_sched_getaffinity,
};

#define N_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

static int
seccomp(void)
{
	struct sock_filter f[N_ALLOWED * 2 + 16];
	struct sock_fprog prog;
	unsigned short n = 0;

#define ADD(...) f[n++] = (struct sock_filter) __VA_ARGS__
#define DENY SECCOMP_RET_ERRNO | EACCES
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < N_ALLOWED; i++)
	{
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) allowed[i], 0, 1));
		ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	}
	/* only internet sockets */
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	ADD(BPF_STMT(BPF_RET | BPF_K, DENY));
	prog.len = n;
	prog.filter = f;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				   SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0;
}
#else
static int
seccomp(void)
{
	return 0;
}
#endif

const char *
sandbox_enter(void)
{
	static char text[96];
	struct rlimit none = {0, 0};
	int			abi;

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "none";
	strcpy(text, "no_new_privs");
	abi = landlock();
	if (abi > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " landlock(%d)", abi);
	if (seccomp())
		strcat(text, " seccomp");
	return text;
}
