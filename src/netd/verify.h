/*
 * verify.h
 *
 * Signature checks in two threads, results on the loop.
 *
 * A small cache of (id, sig) pairs that verified spares the second check of
 * an event that several relays send; nothing else ever enters it.  The id
 * must have been recomputed: it stands for the public key too.
 */
#ifndef NETD_VERIFY_H
#define NETD_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

typedef struct VerifyItem
{
	uint8_t		id[32];
	uint8_t		pubkey[32];
	uint8_t		sig[64];
	bool		ok;
} VerifyItem;

typedef struct VerifyBatch
{
	VerifyItem *item;			/* malloc'ed, the pool's after submit */
	uint32_t	n;
	uint32_t	next;			/* private */
	uint32_t	finished;		/* private */
	/* on the loop; NULL after verify_abandon; the batch is freed after it */
	void		(*done) (void *user, const VerifyItem *item, uint32_t n);
	void	   *user;
	struct VerifyBatch *link;	/* private */
} VerifyBatch;

extern bool verify_open(uv_loop_t *loop);	/* starts threads: before the sandbox */
/* Takes over item (malloc'ed).  NULL: out of memory.  Never calls back from
 * inside. */
extern VerifyBatch *verify_submit(VerifyItem *item, uint32_t n,
								  void (*done) (void *, const VerifyItem *, uint32_t),
								  void *user);
extern void verify_abandon(VerifyBatch *b);
extern bool verify_recent(const uint8_t id[32], const uint8_t sig[64]);

#endif
