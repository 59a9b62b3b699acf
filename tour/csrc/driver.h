/* SPDX-License-Identifier: MIT
 *
 * The driver's side of a split ring at speed: many packets a call, one publish and at most one kick for each
 * VT_DRIVER_PUBLISH of them. The rules are those of tour/virtqueue/driver.py, which is there to be read.
 *
 * Every descriptor has one buffer of its own, a *slot*, in guest memory; so a descriptor's address never changes, and
 * what it says is written again only when it differs: lines of the table stay in both CPUs' caches. What the device
 * writes is checked before it is believed. One thread at a time may be in a queue.
 *
 * A fault is a negative number, -(1 + place in enum vt_driver_fault); the queue keeps where and which number.
 */
#ifndef VT_DRIVER_H
#define VT_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "barrier.h"

/* Entries made visible at once: few enough that the device begins early, enough that idx is written seldom. */
#define VT_DRIVER_PUBLISH 32
/* Slots one packet may take: 64 KiB in slots of a page less, and its header. */
#define VT_DRIVER_PIECES 64
#define VT_DRIVER_NEXT 1
#define VT_DRIVER_WRITE 2
#define VT_DRIVER_INDIRECT 4
#define VT_DRIVER_DESC 16
#define VT_DRIVER_HEADER 12

/* In the order of FAULTS in tour/virtqueue/burst.py. */
enum vt_driver_fault {
	VT_DRIVER_USED_JUMP,
	VT_DRIVER_NOT_OUTSTANDING,
	VT_DRIVER_USED_LENGTH,
	VT_DRIVER_SHORT_USED,	/* a received packet is shorter than its header */
	VT_DRIVER_BUFFERS,	/* num_buffers is 0, or more than there are */
	VT_DRIVER_TOO_LARGE,	/* the caller's: a frame that the ring cannot hold, or that has no room */
	VT_DRIVER_TOO_FEW,	/* the caller's: the lengths say more bytes than were given */
};

/* Where everything of a queue lies. All but *_gpa are HVAs; @stride bytes from slot to slot, @room of them used. */
struct vt_driver_place {
	uint64_t desc, avail, used;
	uint64_t slots, slots_gpa;
	uint64_t tables, tables_gpa;
	uint64_t features;
	uint32_t num, room, stride;
	int32_t kick;
	uint32_t base;
};

struct vt_driver_counts {
	uint64_t packets, bytes, chains, kicks, kicks_saved, publishes, outstanding;
	uint64_t fault_at, fault_value;
};

struct vt_driver {
	struct vt_driver_place at;
	struct vt_driver_counts counts;
	bool event_idx, indirect, mergeable, kick_known;
	uint32_t header_len, mask;
	uint16_t avail_shadow, published, kick_decided, last_used;
	uint32_t free_first, free_count, outstanding;
	/* by descriptor: numbers free to use, in the order they came back; links; a chain's length at its head */
	uint16_t *free, *next, *taken;
	/* by descriptor: what the table says now; by slot of avail: the head it holds now */
	uint64_t *said;
	uint16_t *entered;
};

/**
 * vt_driver_fault() - Remember what the other side did wrong
 * @d:		Queue
 * @fault:	Which rule
 * @at:		Descriptor or slot
 * @value:	The offending number
 *
 * Return: the fault as a negative number
 */
static int vt_driver_fault(struct vt_driver *d, enum vt_driver_fault fault, uint64_t at, uint64_t value)
{
	d->counts.fault_at = at;
	d->counts.fault_value = value;
	return -1 - (int)fault;
}

/**
 * vt_driver_free() - Forget a queue; its memory and descriptors are the caller's
 * @d:		Queue, may be NULL
 */
static void vt_driver_free(struct vt_driver *d)
{
	if (!d)
		return;
	free(d->free);
	free(d->next);
	free(d->taken);
	free(d->said);
	free(d->entered);
	free(d);
}

/**
 * vt_driver_calls() - Ask for a call once @after more elements are used, or for none
 * @d:		Queue
 * @after:	Elements, at least 1; 0: no calls (a hint, calls may still come)
 *
 * Return: whether that many are there already
 */
static int vt_driver_calls(struct vt_driver *d, uint32_t after)
{
	/* With event idx 'none' is an event that lies just behind: 65535 elements away. */
	if (!d->event_idx)
		vt_store_relaxed_u16(d->at.avail, after ? 0 : 1);
	else
		vt_store_relaxed_u16(d->at.avail + 4 + 2 * (uint64_t)d->at.num, (uint16_t)(d->last_used + after - 1));
	vt_full_barrier(); /* Barrier D: flags or event before used.idx */
	return after && (uint16_t)(vt_load_acquire_u16(d->at.used + 2) - d->last_used) >= after;
}

/**
 * vt_driver_new() - A queue with an empty ring; both indices in memory are @base
 * @at:		Where it lies; copied
 *
 * Return: the queue, NULL without memory
 */
static struct vt_driver *vt_driver_new(const struct vt_driver_place *at)
{
	struct vt_driver *d = calloc(1, sizeof(*d));
	uint32_t i;

	if (!d)
		return NULL;
	d->at = *at;
	d->free = calloc(at->num, sizeof(*d->free));
	d->next = calloc(at->num, sizeof(*d->next));
	d->taken = calloc(at->num, sizeof(*d->taken));
	d->said = calloc(at->num, sizeof(*d->said));
	d->entered = calloc(at->num, sizeof(*d->entered));
	if (!d->free || !d->next || !d->taken || !d->said || !d->entered) {
		vt_driver_free(d);
		return NULL;
	}
	d->mergeable = at->features >> 15 & 1;
	d->indirect = (at->features >> 28 & 1) && at->tables;
	d->event_idx = at->features >> 29 & 1;
	d->header_len = (at->features >> 32 & 1) || d->mergeable ? VT_DRIVER_HEADER : VT_DRIVER_HEADER - 2;
	d->mask = at->num - 1;
	d->avail_shadow = d->published = d->kick_decided = d->last_used = (uint16_t)at->base;
	d->free_count = at->num;
	for (i = 0; i < at->num; i++) {
		d->free[i] = (uint16_t)i;
		d->said[i] = UINT64_MAX;
		d->entered[i] = UINT16_MAX;
	}
	vt_store_relaxed_u16(at->used + 2, (uint16_t)at->base);
	(void)vt_driver_calls(d, 0);
	vt_store_release_u16(at->avail + 2, (uint16_t)at->base);
	return d;
}

/**
 * vt_driver_slot() - The buffer of a descriptor
 * @d:		Queue
 * @i:		Descriptor
 *
 * Return: its first byte
 */
static uint8_t *vt_driver_slot(const struct vt_driver *d, uint32_t i)
{
	/* SAFETY: i < num, and the caller's memory holds num slots of @stride bytes from @slots on */
	return (uint8_t *)(uintptr_t)(d->at.slots + (uint64_t)i * d->at.stride);
}

/**
 * vt_driver_write_desc() - Write 16 bytes of a descriptor or of a table's entry
 * @at:		Address of the entry
 * @gpa:	Where the buffer lies
 * @len:	Its bytes
 * @flags:	NEXT, WRITE, INDIRECT
 * @next:	The next entry
 */
static void vt_driver_write_desc(uint64_t at, uint64_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	vt_store_relaxed_u64(at, gpa);
	vt_store_relaxed_u64(at + 8, (uint64_t)next << 48 | (uint64_t)flags << 32 | len);
}

/**
 * vt_driver_say() - Have a descriptor say this, unless it does already
 * @d:		Queue
 * @i:		Descriptor
 * @len:	Bytes of its buffer
 * @flags:	NEXT, WRITE, INDIRECT; with INDIRECT it names the table of @i, else the slot of @i
 * @next:	The next descriptor
 */
static void vt_driver_say(struct vt_driver *d, uint16_t i, uint32_t len, uint16_t flags, uint16_t next)
{
	uint64_t what = (uint64_t)next << 48 | (uint64_t)flags << 32 | len;
	uint64_t gpa = d->at.slots_gpa + (uint64_t)i * d->at.stride;

	if (d->said[i] == what)
		return;
	if (flags & VT_DRIVER_INDIRECT)
		gpa = d->at.tables_gpa + (uint64_t)i * VT_DRIVER_PIECES * VT_DRIVER_DESC;
	vt_driver_write_desc(d->at.desc + (uint64_t)i * VT_DRIVER_DESC, gpa, len, flags, next);
	d->said[i] = what;
}

/**
 * vt_driver_take() - Take a descriptor from the free list; there is one
 * @d:		Queue
 *
 * Return: its number
 */
static uint16_t vt_driver_take(struct vt_driver *d)
{
	uint16_t i = d->free[d->free_first & d->mask];

	d->free_first++;
	d->free_count--;
	return i;
}

/**
 * vt_driver_give_back() - Put a chain's descriptors back
 * @d:		Queue
 * @head:	Its head
 */
static void vt_driver_give_back(struct vt_driver *d, uint16_t head)
{
	uint16_t n = d->taken[head], i = head;

	d->taken[head] = 0;
	d->outstanding--;
	while (n--) {
		d->free[(d->free_first + d->free_count++) & d->mask] = i;
		i = d->next[i];
	}
}

/**
 * vt_driver_enter() - Second half of add: a chain's head into the next entry
 * @d:		Queue
 * @head:	Head
 */
static void vt_driver_enter(struct vt_driver *d, uint16_t head)
{
	uint32_t slot = d->avail_shadow & d->mask;

	if (d->entered[slot] != head)
		vt_store_relaxed_u16(d->at.avail + 4 + 2 * (uint64_t)slot, head);
	d->entered[slot] = head;
	d->avail_shadow++;
	d->outstanding++;
	d->counts.chains++;
}

/**
 * vt_driver_needs_kick() - Whether the device asked to be told of what was published since it was last decided
 * @d:		Queue
 *
 * Return: whether to ring
 */
static bool vt_driver_needs_kick(struct vt_driver *d)
{
	uint16_t old = d->kick_decided, event;
	bool known = d->kick_known;

	d->kick_decided = d->published;
	d->kick_known = true;
	vt_full_barrier(); /* Barrier C: avail.idx before flags or event */
	if (!d->event_idx)
		return !(vt_load_relaxed_u16(d->at.used) & 1);
	event = vt_load_relaxed_u16(d->at.used + 4 + 8 * (uint64_t)d->at.num);
	return !known || (uint16_t)(d->published - event - 1) < (uint16_t)(d->published - old);
}

/**
 * vt_driver_publish() - Hand everything entered to the device, and kick it if it wants to be
 * @d:		Queue
 */
static void vt_driver_publish(struct vt_driver *d)
{
	uint64_t one = 1;

	if (d->published == d->avail_shadow)
		return;
	vt_store_release_u16(d->at.avail + 2, d->avail_shadow); /* Barrier A: release */
	d->published = d->avail_shadow;
	d->counts.publishes++;
	if (d->at.kick < 0 || !vt_driver_needs_kick(d)) {
		d->counts.kicks_saved++;
		return;
	}
	d->counts.kicks++;
	/* A full counter already says all that a kick can say. */
	(void)!write(d->at.kick, &one, sizeof(one));
}

/**
 * vt_driver_publish_some() - In the midst of a burst: publish what has come together, unless the device sleeps
 * @d:		Queue
 *
 * A device at work goes on with it at once. One that sleeps is woken at the burst's end, for all of it: what is read
 * here, without order, is a hint and decides nothing else.
 */
static void vt_driver_publish_some(struct vt_driver *d)
{
	uint16_t count = d->avail_shadow - d->published, event;

	if (count < VT_DRIVER_PUBLISH)
		return;
	if (!d->event_idx && !(vt_load_relaxed_u16(d->at.used) & 1))
		return;
	event = d->event_idx ? vt_load_relaxed_u16(d->at.used + 4 + 8 * (uint64_t)d->at.num) : 0;
	if (d->event_idx && (!d->kick_known || (uint16_t)(d->avail_shadow - event - 1) < count))
		return;
	vt_driver_publish(d);
}

/**
 * vt_driver_waiting() - How many used elements wait to be reaped
 * @d:		Queue
 *
 * Return: elements, or a fault
 */
static int vt_driver_waiting(struct vt_driver *d)
{
	uint16_t used_idx = vt_load_acquire_u16(d->at.used + 2); /* Barrier B: acquire */
	uint16_t waiting = used_idx - d->last_used;

	if (waiting > d->outstanding)
		return vt_driver_fault(d, VT_DRIVER_USED_JUMP, d->last_used, used_idx);
	return waiting;
}

/**
 * vt_driver_used() - Look at a used element
 * @d:		Queue
 * @ahead:	How many elements after the next one
 * @writable:	Bytes the device may have written
 * @len:	Bytes it says it wrote
 *
 * Return: head, or a fault
 */
static int vt_driver_used(struct vt_driver *d, uint32_t ahead, uint32_t writable, uint32_t *len)
{
	uint32_t slot = (d->last_used + ahead) & d->mask;
	uint64_t at = d->at.used + 4 + 8 * (uint64_t)slot;
	uint32_t head = vt_load_relaxed_u32(at);

	*len = vt_load_relaxed_u32(at + 4);
	if (head >= d->at.num || !d->taken[head])
		return vt_driver_fault(d, VT_DRIVER_NOT_OUTSTANDING, slot, head);
	if (*len > writable)
		return vt_driver_fault(d, VT_DRIVER_USED_LENGTH, head, *len);
	return (int)head;
}

/**
 * vt_driver_tell() - What the queue has done, and where the last fault was
 * @d:		Queue
 * @counts:	Where to tell it
 */
static void vt_driver_tell(const struct vt_driver *d, struct vt_driver_counts *counts)
{
	*counts = d->counts;
	counts->outstanding = d->outstanding;
}

/**
 * vt_driver_reap() - Take back every packet that was sent
 * @d:		Transmit queue
 *
 * Return: chains taken back, or a fault
 */
static int vt_driver_reap(struct vt_driver *d)
{
	int waiting = vt_driver_waiting(d), n;

	for (n = 0; n < waiting; n++) {
		uint32_t len;
		int head = vt_driver_used(d, 0, 0, &len);

		if (head < 0)
			return head;
		d->last_used++;
		vt_driver_give_back(d, (uint16_t)head);
	}
	return waiting;
}

#endif /* VT_DRIVER_H */
