/* SPDX-License-Identifier: MIT
 *
 * What any thread may ask of an engine or tell it, at any time while it exists, also while another is inside
 * vt_engine_run(). Control's part is in control.h.
 */
#ifndef VT_REQUESTS_H
#define VT_REQUESTS_H

#include "engine.h"

/* What a ring is doing: any thread may ask. @fault is an enum vt_fault, the last told. */
struct vt_status {
	uint16_t last_avail_idx, avail_seen, used_shadow;
	uint8_t attached, broken, kicks_wanted, held, many_writes, many_reads;
	uint32_t fault, fault_at;
	uint64_t fault_value;
};

static void vt_wake(struct vt_engine *e)
{
	uint64_t one = 1;

	if (write(e->wake, &one, sizeof(one)) < 0)
		return;
}

/**
 * vt_engine_ask() - Have vt_engine_run() return soon
 * @e:		Engine
 */
static void vt_engine_ask(struct vt_engine *e)
{
	vt_own_set(&e->asked, 1);
	vt_wake(e);
}

/**
 * vt_engine_kick() - Have a ring take a turn, as a kick does
 * @e:		Engine
 * @index:	Ring
 */
static void vt_engine_kick(struct vt_engine *e, int index)
{
	vt_own_or(&e->requested, 1u << index);
	vt_wake(e);
}

/**
 * vt_engine_hold() - Slow motion: while held the worker takes only chains that were released
 * @e:		Engine
 * @index:	Ring
 * @on:		Whether to hold
 */
static void vt_engine_hold(struct vt_engine *e, int index, int on)
{
	vt_own_set(&e->ring[index].released, 0);
	vt_own_set(&e->ring[index].hold, on ? 1 : 0);
	vt_engine_kick(e, index);
}

/**
 * vt_engine_release() - Let a held ring take more chains
 * @e:		Engine
 * @index:	Ring
 * @n:		Chains
 */
static void vt_engine_release(struct vt_engine *e, int index, uint32_t n)
{
	vt_own_add(&e->ring[index].released, n);
	vt_engine_kick(e, index);
}

/**
 * vt_engine_idle() - Whether the worker sleeps and nothing has happened that would wake it
 * @e:		Engine
 *
 * Return: 1 or 0
 */
static int vt_engine_idle(struct vt_engine *e)
{
	struct pollfd p = { .fd = e->epoll, .events = POLLIN };
	uint64_t sleeps = vt_counted(&e->ring[0].counts.sleeps);

	return vt_own_get(&e->asleep) && poll(&p, 1, 0) == 0 && vt_own_get(&e->asleep) &&
	       sleeps == vt_counted(&e->ring[0].counts.sleeps);
}

/**
 * vt_engine_counts() - Running totals of a ring since the engine was made
 * @e:		Engine
 * @index:	Ring
 * @counts:	Where to put them
 */
static void vt_engine_counts(struct vt_engine *e, int index, struct vt_counts *counts)
{
	const uint64_t *from = &e->ring[index].counts.chains;
	uint64_t *to = &counts->chains;
	size_t i;

	for (i = 0; i < sizeof(*counts) / sizeof(*to); i++)
		to[i] = vt_counted(&from[i]);
}

/**
 * vt_engine_status() - Where a ring stands
 * @e:		Engine
 * @index:	Ring
 * @status:	Where to put it
 */
static void vt_engine_status(struct vt_engine *e, int index, struct vt_status *status)
{
	const struct vt_vring *r = &e->ring[index];

	memset(status, 0, sizeof(*status));
	status->last_avail_idx = vt_index(&r->settled);
	status->avail_seen = vt_index(&r->queue.avail_seen);
	status->used_shadow = vt_index(&r->queue.used_shadow);
	status->attached = r->attached;
	status->broken = vt_own_get(&r->broken) != 0;
	status->kicks_wanted = r->queue.kicks_wanted;
	status->held = vt_own_get(&r->hold) != 0;
	status->many_writes = r->many_writes;
	status->many_reads = r->many_reads;
	status->fault = vt_own_get(&r->told);
	status->fault_at = r->told_at;
	status->fault_value = r->told_value;
}

/**
 * vt_engine_last_packet() - A copy of one packet as the worker moved it, header first
 * @e:		Engine
 * @index:	Ring
 * @want:	Whether the next one shall be copied for a later call
 * @buf:	Where to put the packet asked for before, if it has come
 * @size:	Bytes that fit; the rest is cut
 * @len:	Its length
 *
 * Return: 1 if there was one, else 0
 */
static int vt_engine_last_packet(struct vt_engine *e, int index, int want, unsigned char *buf, uint32_t size,
				 uint32_t *len)
{
	struct vt_snap *snap = &e->ring[index].snap;
	int there = vt_own_get(&snap->want) == 2;

	if (there) {
		*len = snap->len;
		memcpy(buf, snap->data, snap->len < size ? snap->len : size);
	}
	vt_own_set(&snap->want, want ? 1 : 0);
	return there;
}

#endif /* VT_REQUESTS_H */
