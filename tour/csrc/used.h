/* SPDX-License-Identifier: MIT
 *
 * The device's own words: used ring, used.flags and avail_event (tour/virtqueue/device.py: attach, fill, flush,
 * needs_call, disable_kicks, enable_kicks). Each store is noted in the dirty log when control asked for it.
 */
#ifndef VT_USED_H
#define VT_USED_H

#include "queue.h"

#define VT_NO_NOTIFY 1		/* VRING_USED_F_NO_NOTIFY */
#define VT_NO_INTERRUPT 1	/* VRING_AVAIL_F_NO_INTERRUPT */

/* @at: bytes from the begin of the used ring */
static inline void vt_log_used(const struct vt_queue *q, uint64_t at, uint64_t len)
{
	if (q->log.used)
		vt_log_mark(&q->log, q->log.used_gpa + at, len);
}

static inline void vt_store_flags(struct vt_queue *q, uint16_t flags)
{
	vt_store_relaxed_u16(q->used, flags);
	vt_log_used(q, 0, 2);
}

/**
 * vt_begin() - Begin with available entry @base and the used index that memory holds (vhost_vq_init_access)
 * @q:		Queue
 * @base:	Next available index to read
 * @kicks_wanted:	What used.flags shall say
 */
static void vt_begin(struct vt_queue *q, uint16_t base, bool kicks_wanted)
{
	q->last_avail_idx = q->avail_seen = base;
	q->used_shadow = vt_load_acquire_u16(q->used + 2);
	q->signalled = false;
	q->kicks_wanted = kicks_wanted;
	vt_store_flags(q, kicks_wanted ? 0 : VT_NO_NOTIFY);
}

/**
 * vt_fill() - Write the @n-th next used element; the driver sees it with vt_flush()
 * @q:		Queue
 * @head:	Head of the chain that is done
 * @len:	Bytes written into it
 * @n:		Elements filled since the last flush
 */
static inline void vt_fill(struct vt_queue *q, uint32_t head, uint32_t len, uint32_t n)
{
	uint64_t at = 4 + 8 * (uint64_t)((q->used_shadow + n) & (q->num - 1));

	vt_store_relaxed_u32(q->used + at, head);
	vt_store_relaxed_u32(q->used + at + 4, len);
	vt_log_used(q, at, 8);
}

/**
 * vt_flush() - Hand @count filled elements to the driver (barrier B)
 * @q:		Queue
 * @count:	Elements
 */
static inline void vt_flush(struct vt_queue *q, uint16_t count)
{
	uint16_t next = (uint16_t)(q->used_shadow + count);

	vt_store_release_u16(q->used + 2, next);
	q->used_shadow = next;
	vt_log_used(q, 2, 2);
	/* After 2^16 elements without a look the comparison of vt_needs_call() would mean nothing. */
	if (q->signalled && (uint16_t)(next - q->signalled_used) < count)
		q->signalled = false;
}

/**
 * vt_needs_call() - Whether the driver asked to be told of what was flushed since the last call of this (barrier D)
 * @q:		Queue
 *
 * Return: whether to ring
 */
static inline bool vt_needs_call(struct vt_queue *q)
{
	uint16_t old = q->signalled_used, event;
	bool known = q->signalled;

	vt_full_barrier();
	if (q->notify_on_empty && q->avail_seen == q->last_avail_idx)
		return true;
	if (!q->event_idx)
		return !(vt_load_relaxed_u16(q->avail) & VT_NO_INTERRUPT);
	q->signalled_used = q->used_shadow;
	q->signalled = true;
	event = vt_load_relaxed_u16(q->avail + 4 + 2 * (uintptr_t)q->num);
	return !known || (uint16_t)(q->used_shadow - event - 1) < (uint16_t)(q->used_shadow - old);
}

/**
 * vt_disable_kicks() - Ask for no kicks while we are looking anyway; with event idx nothing is written
 * @q:		Queue
 */
static inline void vt_disable_kicks(struct vt_queue *q)
{
	if (q->kicks_wanted && !q->event_idx)
		vt_store_flags(q, VT_NO_NOTIFY);
	q->kicks_wanted = false;
}

/**
 * vt_enable_kicks() - Ask for a kick from the next entry on (barrier C)
 * @q:		Queue
 *
 * Return: whether one slipped in meanwhile, or a fault
 */
static inline int vt_enable_kicks(struct vt_queue *q)
{
	int count;

	if (q->kicks_wanted)
		return 0;
	q->kicks_wanted = true;
	if (q->event_idx) {
		vt_store_relaxed_u16(q->used + 4 + 8 * (uintptr_t)q->num, q->avail_seen);
		vt_log_used(q, 4 + 8 * (uint64_t)q->num, 2);
	} else {
		vt_store_flags(q, 0);
	}
	vt_full_barrier();
	count = vt_waiting(q);
	return count < 0 ? count : count > 0;
}

#endif /* VT_USED_H */
