/* SPDX-License-Identifier: MIT
 *
 * A litmus test of barrier C: driver and device each store a word of their own and then look at the other's.
 *
 * In every round the driver stores avail.idx and looks whether a kick is wanted, while the device stores that it wants
 * one and looks at avail.idx. If both still see the other's old word, nobody rings and nobody works: the wake-up is
 * lost. A full barrier between store and look, on both sides, is what rules that out (virtio v1.3 2.7.13.4.1).
 */
#ifndef VT_LITMUS_H
#define VT_LITMUS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "barrier.h"

/* Looks at the other side before the processor is given away: with one CPU the other side is not even running. */
#define VT_LITMUS_SPINS 2000

/* What one side writes, on cache lines of its own. */
struct vt_litmus_side {
	uint8_t pad[128];
	uint32_t word;		/* avail.idx, or the wish for a kick: the number of the round it was stored in */
	uint8_t apart[124];
	uint32_t ready;		/* the round it stands before (barrier E) */
	uint32_t missed[2];	/* by odd and even round: the other side's word was still old */
	uint8_t end[116];
};

struct vt_litmus {
	struct vt_litmus_side side[2];
	uint32_t stop;
	uint64_t rounds, lost;
};

/* Wait until the other side stands before @round too; false when it was told to stop. */
static bool vt_litmus_meet(struct vt_litmus *t, uint32_t which, uint32_t round)
{
	uint32_t spins = 0;

	vt_own_set(&t->side[which].ready, round);
	while (vt_own_get(&t->side[!which].ready) < round) {
		if (vt_own_get(&t->stop))
			return false;
		if (++spins % VT_LITMUS_SPINS == 0)
			sched_yield();
		else
			vt_pause();
	}
	return true;
}

/**
 * vt_litmus_run() - Play one side, together with another thread that plays the other
 * @t:		The test, zeroed before
 * @which:	0: driver, which also counts; 1: device
 * @rounds:	How often
 * @fence:	Whether a full barrier stands between store and look
 *
 * Return: nothing; @t->rounds and @t->lost are complete once side 0 is back
 */
static void vt_litmus_run(struct vt_litmus *t, uint32_t which, uint32_t rounds, int fence)
{
	struct vt_litmus_side *own = &t->side[which], *other = &t->side[!which];
	uint32_t round;

	for (round = 1; vt_litmus_meet(t, which, round) && round <= rounds; round++) {
		/* The round before is over on both sides, and neither is past this one. */
		if (which == 0 && round > 1) {
			t->lost += own->missed[(round - 1) & 1] && other->missed[(round - 1) & 1];
			t->rounds++;
		}
		/* SAFETY: a word of this struct, aligned by the compiler */
		vt_store_relaxed_u32((uintptr_t)&own->word, round);
		if (fence)
			vt_full_barrier(); /* Barrier C: own word before the other's */
		else
			vt_compiler_barrier();
		/* SAFETY: as above */
		own->missed[round & 1] = vt_load_relaxed_u32((uintptr_t)&other->word) < round;
	}
	if (which == 0 && round > rounds && rounds) {
		t->lost += own->missed[rounds & 1] && other->missed[rounds & 1];
		t->rounds++;
	}
}

/**
 * vt_litmus_stop() - Have both sides come back at once
 * @t:		The test
 */
static void vt_litmus_stop(struct vt_litmus *t)
{
	vt_own_set(&t->stop, 1);
}

#endif /* VT_LITMUS_H */
