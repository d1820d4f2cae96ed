/*
 * delayline.c
 *
 * A network of a known length: delayline DEVICE MILLISECONDS takes over a TUN
 * device and gives back each packet after that time with source and
 * destination exchanged.  So a host with address A.1 on it that connects to
 * A.2 meets its own server at A.1, one delay away, and the answer takes one
 * more.  Checksums stay right: both addresses are summed alike.  IPv4 only.
 *
 * Prints "ready", serves until it is ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKETS	65536			/* under way at most; more are lost */
#define MTU		2048

typedef struct Packet
{
	uint64_t	due;			/* ns */
	size_t		len;
	uint8_t		data[MTU];
} Packet;

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static void
exchange(Packet *p)
{
	uint8_t		source[4];

	memcpy(source, p->data + 12, 4);
	memcpy(p->data + 12, p->data + 16, 4);
	memcpy(p->data + 16, source, 4);
}

static void
serve(int fd, uint64_t delay)
{
	Packet	   *ring = malloc(PACKETS * sizeof(Packet));
	unsigned	first = 0;
	unsigned	end = 0;

	for (;;)
	{
		struct pollfd p = {fd, POLLIN, 0};
		uint64_t	t = now();
		struct timespec wait = {0, 0};

		for (; first != end && ring[first % PACKETS].due <= t; first++)
		{
			if (write(fd, ring[first % PACKETS].data, ring[first % PACKETS].len) < 0 && errno != EINVAL)
				perror("write");
		}
		if (first != end)
			wait.tv_nsec = (long) (ring[first % PACKETS].due - t);	/* below a second */
		if (ppoll(&p, 1, first != end ? &wait : NULL, NULL) <= 0)
			continue;
		if (p.revents & POLLERR)
			usleep(10000);		/* the device is down */
		while (end - first < PACKETS)
		{
			Packet	   *next = &ring[end % PACKETS];
			ssize_t		n = read(fd, next->data, MTU);

			if (n < 0)
				break;
			if (n < 20 || next->data[0] >> 4 != 4)
				continue;
			next->due = now() + delay;
			next->len = (size_t) n;
			exchange(next);
			end++;
		}
	}
}

int
main(int argc, char **argv)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int			fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (argc != 3 || atoi(argv[2]) < 1 || atoi(argv[2]) > 900)
	{
		fprintf(stderr, "usage: delayline DEVICE MILLISECONDS\n");
		return 2;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[1]);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) != 0)
	{
		perror("delayline");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	serve(fd, (uint64_t) atoi(argv[2]) * 1000000);
	return 0;
}
