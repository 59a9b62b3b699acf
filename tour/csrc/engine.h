/* SPDX-License-Identifier: MIT
 *
 * The worker's loop: asleep in epoll until a doorbell rings or the port is ready, then turns, a ring after the other,
 * each bounded so that none starves another (tour/device/embedded/worker.py). It costs nothing while idle. A kick
 * eventfd is never read, as vhost never does: EPOLLET tells of each write; a pipe is emptied. Interest in the port is
 * armed for one event at a time (EPOLLONESHOT), as vhost_poll_start and _stop do.
 *
 * Control happens while no thread is inside vt_engine_run() (control.h); what others may ask for at any time goes
 * through words of barrier E.
 */
#ifndef VT_ENGINE_H
#define VT_ENGINE_H

#include "guard.h"
#include "rx.h"
#include "tx.h"

#include <sys/epoll.h>
#include <time.h>

#define VT_RX 0
#define VT_TX 1
/* What an epoll event is about: these, plus the ring's index. */
enum vt_about {
	VT_ABOUT_WAKE = 0,
	VT_ABOUT_KICK = 2,
	VT_ABOUT_PORT = 4,
};

struct vt_engine {
	struct vt_vring ring[2];
	struct vt_ground ground[2];
	struct vt_table table;
	struct vt_region *regions;
	struct vt_uring uring;
	int epoll, wake, busy_poll_us;
	bool quarantine;
	uint32_t asked, requested, asleep, ready, lingering, last_look, news;
	uint64_t linger_until;
};

static uint64_t vt_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/**
 * vt_arm() - Be told when the port is ready (vhost_net_enable_vq)
 * @e:		Engine
 * @index:	Ring
 *
 * A dead port is ready all the time: only a kick still tries.
 */
static void vt_arm(struct vt_engine *e, uint32_t index)
{
	struct vt_vring *r = &e->ring[index];
	struct epoll_event ev = { .events = EPOLLONESHOT | (index == VT_TX ? EPOLLOUT : EPOLLIN) };

	if (r->fd < 0 || r->dead || r->armed)
		return;
	ev.data.u32 = VT_ABOUT_PORT + index;
	r->armed = !epoll_ctl(e->epoll, EPOLL_CTL_MOD, r->fd, &ev);
	vt_count(&r->counts.syscalls, 1);
}

static int vt_flush_filled(struct vt_vring *r)
{
	vt_complete(r);
	return 0;
}

/* The driver broke a rule, or its memory is gone: all before is completed, control is told. */
static void vt_violated(struct vt_engine *e, uint32_t index, int fault)
{
	struct vt_vring *r = &e->ring[index];

	r->told_at = r->queue.fault_at;
	r->told_value = r->queue.fault_value;
	if (vt_guarded(r, &e->ground[index], vt_flush_filled) < 0)
		r->filled = 0;
	vt_own_set(&r->told, (uint32_t)-fault);
	vt_ring_bell(r, r->err);
	r->resting = true;
	vt_own_set(&r->broken, e->quarantine);
	e->news |= 2u << index;
}

static bool vt_may_turn(const struct vt_engine *e, uint32_t index)
{
	const struct vt_vring *r = &e->ring[index];

	if (!r->attached || r->broken || r->resting || (index == VT_RX && r->fd < 0))
		return false;
	return !vt_own_get(&r->hold) || vt_own_get(&r->released);
}

/* After work, and instead of asking for kicks, go on looking for a while. */
static void vt_may_linger(struct vt_engine *e, uint32_t index, int ended)
{
	bool moved = e->ring[index].moved > 0;

	if (!e->busy_poll_us || (ended != VT_LINGER && !moved))
		return;
	if (moved || !e->lingering)
		e->linger_until = vt_now_ns() + 1000u * (uint64_t)e->busy_poll_us;
	e->lingering |= 1u << index;
}

static void vt_take_turn(struct vt_engine *e, uint32_t index)
{
	struct vt_vring *r = &e->ring[index];
	int ended;

	if (!vt_may_turn(e, index))
		return;
	vt_count(&r->counts.turns, 1);
	r->moved = 0;
	r->moved_bytes = 0;
	r->linger = e->busy_poll_us && !(e->last_look & 1u << index);
	e->last_look &= ~(1u << index);
	ended = vt_guarded(r, &e->ground[index], index == VT_TX ? vt_turn_tx : vt_turn_rx);
	vt_may_linger(e, index, ended);
	if (ended < 0)
		vt_violated(e, index, ended);
	else if (ended == VT_BOUND)
		e->ready |= 1u << index;
	else if (ended == VT_AT_PORT)
		vt_arm(e, index);
}

static void vt_kicked(struct vt_engine *e, uint32_t index)
{
	struct vt_vring *r = &e->ring[index];
	unsigned char drain[512];

	/* A bound: who fills it as fast as we read must not keep us here. */
	for (int n = 0; r->kick_pipe && n < 4096 && read(r->kick, drain, sizeof(drain)) > 0; n++)
		;
	vt_count(&r->counts.kicks, 1);
	r->resting = r->dead = false;
	e->ready |= 1u << index;
}

static void vt_port_event(struct vt_engine *e, uint32_t index, uint32_t events)
{
	struct vt_vring *r = &e->ring[index];

	r->armed = false;
	r->dead = events & (EPOLLERR | EPOLLHUP);
	if (events & (EPOLLIN | EPOLLOUT))
		e->ready |= 1u << index;
}

/* Take what has happened, without waiting. */
static void vt_look(struct vt_engine *e)
{
	struct epoll_event ev[8];
	int n = epoll_wait(e->epoll, ev, 8, 0), i;
	uint64_t drain;

	for (i = 0; i < n; i++) {
		uint32_t about = ev[i].data.u32, index = about & 1;

		if (about >= VT_ABOUT_PORT)
			vt_port_event(e, index, ev[i].events);
		else if (about >= VT_ABOUT_KICK)
			vt_kicked(e, index);
		else if (read(e->wake, &drain, sizeof(drain)) < 0)
			continue;
	}
}

static void vt_requests(struct vt_engine *e)
{
	uint32_t wanted = vt_own_take(&e->requested), index;

	for (index = 0; index < 2; index++)
		if (wanted & 1u << index)
			e->ring[index].resting = false;
	e->ready |= wanted;
}

/* Sleep until something has happened; it is taken afterwards, so that vt_engine_idle() sees it while we wake up. */
static void vt_sleep(struct vt_engine *e)
{
	struct pollfd p = { .fd = e->epoll, .events = POLLIN };
	uint32_t index;

	for (index = 0; index < 2; index++)
		vt_count(&e->ring[index].counts.sleeps, 1);
	vt_own_set(&e->asleep, 1);
	poll(&p, 1, -1);
	vt_own_set(&e->asleep, 0);
}

/* Look at the lingering rings for a moment: true when there is something to do or the time is not up. */
static bool vt_linger(struct vt_engine *e)
{
	if (!e->lingering)
		return false;
	if (e->lingering & 1u << VT_TX && vt_may_turn(e, VT_TX) &&
	    vt_guarded(&e->ring[VT_TX], &e->ground[VT_TX], vt_spin)) {
		e->ready |= 1u << VT_TX;
		return true;
	}
	if (vt_now_ns() < e->linger_until)
		return true;
	/* Time is up: a last turn asks the driver to kick. */
	e->last_look = e->lingering & 1u << VT_TX;
	e->ready |= e->last_look;
	e->lingering = 0;
	return e->ready;
}

/**
 * vt_engine_run() - Work until asked to return, or until there is news
 * @e:		Engine; one thread at a time
 *
 * Return: bit 0: asked; bit 1: ring 0 has a fault to tell; bit 2: ring 1 has
 */
static int vt_engine_run(struct vt_engine *e)
{
	uint32_t news, index, turn;

	vt_guard_install();
	for (;;) {
		news = e->news | (vt_own_take(&e->asked) ? 1 : 0);
		e->news = 0;
		if (news)
			return (int)news;
		vt_requests(e);
		if (!e->ready && !vt_linger(e))
			vt_sleep(e);
		vt_look(e);
		turn = e->ready;
		e->ready = 0;
		for (index = 0; index < 2; index++)
			if (turn & 1u << index)
				vt_take_turn(e, index);
	}
}

#endif /* VT_ENGINE_H */
