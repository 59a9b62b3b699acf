/* SPDX-License-Identifier: MIT
 *
 * Guest memory can go away under us: its file is truncated (SIGBUS), a mapping is gone (SIGSEGV). A touch of it then
 * ends the turn, not the process. Any other fault goes to whoever had the signal before, as if we were not there.
 *
 * The kernel's own copies (read, write, io_uring) answer EFAULT and need none of this.
 */
#ifndef VT_GUARD_H
#define VT_GUARD_H

#include "port.h"

#include <setjmp.h>
#include <signal.h>

/* What a turn may touch besides its table's regions: three ring parts and the dirty log. */
struct vt_ground {
	const struct vt_table *table;
	struct {
		uintptr_t first;
		uint64_t size;
	} part[4];
};

struct vt_guard {
	sigjmp_buf back;
	const struct vt_ground *ground;
	uintptr_t at;
};

/* A thread's guard while it is in a turn. The model: a handler must not call what allocates. */
static __thread struct vt_guard *vt_guard_now __attribute__((tls_model("initial-exec")));
static __thread int vt_guard_deep __attribute__((tls_model("initial-exec")));
static struct sigaction vt_guard_before[2];

static bool vt_ground_has(const struct vt_ground *ground, uintptr_t at)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		if (at - ground->part[i].first < ground->part[i].size)
			return true;
	for (i = 0; i < ground->table->n; i++) {
		const struct vt_region *r = &ground->table->region[i];

		if (at - r->hva <= r->last - r->first)
			return true;
	}
	return false;
}

static void vt_guard_caught(int sig, siginfo_t *info, void *context)
{
	struct vt_guard *g = vt_guard_now;
	const struct sigaction *before = &vt_guard_before[sig == SIGBUS];

	/* SAFETY: an address as a number, to be compared */
	if (g && vt_ground_has(g->ground, (uintptr_t)info->si_addr)) {
		g->at = (uintptr_t)info->si_addr;
		vt_guard_now = NULL;
		siglongjmp(g->back, 1);
	}
	if (vt_guard_deep || before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN) {
		/* The instruction runs again, and this time it ends the process. */
		signal(sig, SIG_DFL);
		return;
	}
	/* Whoever was before us may hand it on to whoever was before it: to us (faulthandler does). */
	vt_guard_deep++;
	if (before->sa_flags & SA_SIGINFO)
		before->sa_sigaction(sig, info, context);
	else
		before->sa_handler(sig);
	vt_guard_deep--;
}

/**
 * vt_guard_install() - Have both signals, in front of whoever has them now
 *
 * Called whenever a worker begins to run: somebody may have taken them meanwhile (faulthandler does). SA_NODEFER,
 * because siglongjmp() leaves the handler for good and the signal must not stay blocked.
 */
static void vt_guard_install(void)
{
	static const int sigs[2] = { SIGSEGV, SIGBUS };
	struct sigaction now, ours;
	int i;

	memset(&ours, 0, sizeof(ours));
	ours.sa_sigaction = vt_guard_caught;
	ours.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
	for (i = 0; i < 2; i++) {
		if (sigaction(sigs[i], NULL, &now))
			continue;
		if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == vt_guard_caught)
			continue;
		vt_guard_before[i] = now;
		sigaction(sigs[i], &ours, NULL);
	}
}

/**
 * vt_guarded() - Work on guest memory that may not be there
 * @r:		Ring
 * @ground:	What may be touched
 * @work:	The work
 *
 * Return: what @work returns, or the fault VT_BAD_ADDRESS with the address of ours that was touched in vain; then
 * the ring is back where it was last settled
 */
static __attribute__((noinline)) int vt_guarded(struct vt_vring *r, const struct vt_ground *ground,
						int (*work)(struct vt_vring *))
{
	struct vt_guard guard;
	int ret;

	guard.ground = ground;
	if (sigsetjmp(guard.back, 0)) {
		vt_compiler_barrier();
		r->window.begin = r->window.end = r->window.pieces = 0;
		r->queue.last_avail_idx = r->settled;
		if (r->uring && r->uring->fd >= 0)
			vt_uring_drop(r->uring);
		return vt_fault(&r->queue, VT_BAD_ADDRESS, 0, guard.at);
	}
	vt_guard_now = &guard;
	vt_compiler_barrier();
	ret = work(r);
	vt_compiler_barrier();
	vt_guard_now = NULL;
	return ret;
}

#endif /* VT_GUARD_H */
