/*
 * drive.c
 *
 * Random reconciliations between our library and another program, in turns
 * as client and as server, each checked against the difference of the sets.
 * Equal sets must be found equal at once: the fingerprints are the same.
 *
 * Usage: drive COUNT SEED ROLES PREFIX PROGRAM [ARG...]
 * ROLES: what the program can be, "client", "server" or "both".
 * PREFIX: the most leading bytes that ids have in common, up to 28.
 *
 * The program speaks lines on its standard input and output:
 *
 *   > start client|server FRAME     a new reconciliation; FRAME bytes at most
 *   > item TIMESTAMP ID             many times
 *   > seal                          a client answers with "msg"
 *   > msg HEX                       a server answers with "msg"; a client with
 *                                   "have ID" and "need ID" for what it learned,
 *                                   then "msg" or "done"
 *   < error TEXT                    instead of any answer
 */
#include "../../../src/nostr/pgfree.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../src/nostr/crypto.h"
#include "../../../src/nostr/hex.h"
#include "../../unit/negsets.h"

static FILE *to_peer;
static FILE *from_peer;
static char *line;				/* the peer's last, without its end */
static size_t line_cap;
static NostrBuf in;
static NostrBuf out;
static size_t prefix;
static char hex[2 * NOSTR_NEG_MAX_MESSAGE + 1];

static pid_t
start_peer(char **argv)
{
	int			down[2];
	int			up[2];
	pid_t		pid;

	if (pipe(down) != 0 || pipe(up) != 0 || (pid = fork()) < 0)
		exit(2);
	if (pid == 0)
	{
		dup2(down[0], 0);
		dup2(up[1], 1);
		close(down[1]);
		close(up[0]);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	close(down[0]);
	close(up[1]);
	to_peer = fdopen(down[1], "w");
	from_peer = fdopen(up[0], "r");
	return pid;
}

/* What follows "word " in the peer's line; NULL: it says something else. */
static const char *
says(const char *word)
{
	size_t		n = strlen(word);

	if (strncmp(line, word, n) != 0 || (line[n] != ' ' && line[n] != 0))
		return NULL;
	return line[n] == ' ' ? line + n + 1 : line + n;
}

static bool
read_line(void)
{
	ssize_t		n;

	fflush(to_peer);
	n = getline(&line, &line_cap, from_peer);
	if (n <= 0)
		return false;
	line[n - 1] = 0;
	return says("error") == NULL;
}

static void
send_items(const NostrNegSet *set, const char *role, size_t frame)
{
	char		id[64];

	fprintf(to_peer, "start %s %zu\n", role, frame);
	for (size_t i = 0; i < set->n; i++)
	{
		nostr_hex_encode(set->items[i].id, 32, id);
		fprintf(to_peer, "item %llu %.64s\n", (unsigned long long) set->items[i].timestamp, id);
	}
	fputs("seal\n", to_peer);
}

static void
send_message(const NostrBuf *msg)
{
	nostr_hex_encode(msg->data, msg->len, hex);
	fprintf(to_peer, "msg %.*s\n", (int) (2 * msg->len), hex);
}

/* The peer's line as a message in "in". */
static bool
read_message(size_t frame)
{
	const char *text = says("msg");
	size_t		n = text != NULL ? strlen(text) / 2 : 0;
	uint8_t    *bytes;

	nostr_buf_reset(&in);
	bytes = nostr_buf_reserve(&in, n);
	in.len = n;
	return text != NULL && n <= frame && bytes != NULL &&
		nostr_hex_decode(text, strlen(text), bytes, n);
}

static bool
we_ask(const NegSets *sets, const NostrNegLimits *limits, size_t frame, Found *found,
	   unsigned *answers)
{
	NostrNeg	neg;
	NostrNegStatus status;

	send_items(&sets->server, "server", frame);
	nostr_neg_client(&neg, &sets->client, 0, UINT64_MAX, limits, collect, found);
	status = nostr_neg_open(&neg, &out);
	while (status == NOSTR_NEG_SEND && out.len <= limits->frame)
	{
		send_message(&out);
		if (!read_line() || !read_message(frame))
			break;
		status = nostr_neg_receive(&neg, in.data, in.len, &out);
	}
	if (status == NOSTR_NEG_FAILED)
		fprintf(stderr, "we say: %s\n", nostr_neg_error_text(neg.error));
	*answers = neg.rounds;
	nostr_neg_free(&neg);
	return status == NOSTR_NEG_DONE;
}

static bool
they_ask(const NegSets *sets, const NostrNegLimits *limits, size_t frame, Found *found,
		 unsigned *answers)
{
	NostrNeg	neg;
	bool		done = false;

	send_items(&sets->client, "client", frame);
	nostr_neg_server(&neg, &sets->server, 0, UINT64_MAX, limits);
	while (!done && read_line())
	{
		const char *have = says("have");
		const char *need = says("need");
		uint8_t		id[32];

		if (have != NULL || need != NULL)
		{
			if (!nostr_hex_decode(have != NULL ? have : need, 64, id, 32))
				break;
			collect(found, have != NULL, id);
			continue;
		}
		done = says("done") != NULL;
		if (done)
			break;
		if (!read_message(frame) ||
			nostr_neg_receive(&neg, in.data, in.len, &out) != NOSTR_NEG_SEND ||
			out.len > limits->frame)
			break;
		send_message(&out);
	}
	if (neg.error != NOSTR_NEG_OK)
		fprintf(stderr, "we say: %s\n", nostr_neg_error_text(neg.error));
	*answers = neg.rounds;
	nostr_neg_free(&neg);
	return done;
}

/* false: says what it was. */
static bool
one(unsigned i, bool asking)
{
	NegSets		sets;
	NostrNegLimits limits[2];
	Found		found = {0};
	uint64_t	seed = negsets_seed;
	size_t		n = random_size(i);
	unsigned	answers = 0;
	bool		ok;

	make_sets(&sets, n, 0, UINT64_MAX, false, prefix);
	random_limits(&limits[0], &limits[1]);
	if (asking)
		ok = we_ask(&sets, &limits[0], limits[1].frame, &found, &answers);
	else
		ok = they_ask(&sets, &limits[1], limits[0].frame, &found, &answers);
	if (!ok)
		fprintf(stderr, "the peer's last line: %.100s\n", line != NULL ? line : "none");
	ok = ok && same_found(&found, &sets.differences) &&
		(sets.differences.n > 0 || answers == 1);
	if (!ok)
		fprintf(stderr, "disagreement: number %u, seed %llu, we %s, %zu and %zu items, "
				"%zu differences, %zu found in %u answers, frames %zu and %zu\n", i,
				(unsigned long long) seed, asking ? "ask" : "answer", sets.client.n,
				sets.server.n, sets.differences.n, found.n, answers, limits[0].frame, limits[1].frame);
	free_sets(&sets);
	free(found.ids);
	return ok;
}

int
main(int argc, char **argv)
{
	unsigned	count = argc > 5 ? (unsigned) atoi(argv[1]) : 0;
	unsigned	asked = 0;
	bool		ok = true;
	pid_t		pid;

	if (count == 0 || !nostr_crypto_init())
	{
		fprintf(stderr, "usage: drive COUNT SEED client|server|both PREFIX PROGRAM [ARG...]\n");
		return 2;
	}
	negsets_seed ^= (uint64_t) atoll(argv[2]);
	prefix = (size_t) atoi(argv[4]) <= 28 ? (size_t) atoi(argv[4]) : 28;
	nostr_buf_init(&in, NOSTR_NEG_MAX_MESSAGE);
	nostr_buf_init(&out, NOSTR_NEG_MAX_MESSAGE);
	pid = start_peer(argv + 5);
	for (unsigned i = 0; i < count && ok; i++)
	{
		bool		asking = strcmp(argv[3], "server") == 0 ||
			(strcmp(argv[3], "both") == 0 && i % 2 == 1);

		asked += asking;
		ok = one(i, asking);
	}
	fclose(to_peer);
	fclose(from_peer);
	waitpid(pid, NULL, 0);
	if (ok)
		printf("%u reconciliations (we asked in %u), no disagreement\n", count, asked);
	nostr_buf_free(&in);
	nostr_buf_free(&out);
	free(line);
	return !ok;
}
