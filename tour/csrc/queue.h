/* SPDX-License-Identifier: MIT
 *
 * The device's side of a split ring at speed: gather (many pops) -> fill -> flush -> call. The same rules in the same
 * order as tour/virtqueue/device.py and chain.py, which are there to be read; a differential test holds the two
 * against each other. The driver is not trusted: each of its words is read once into a local, and checked.
 *
 * A fault is a negative number, -(enum vt_fault); the queue keeps at which index and which value.
 */
#ifndef VT_QUEUE_H
#define VT_QUEUE_H

#include "memory.h"

#define VT_DESC_SIZE 16
#define VT_F_NEXT 1
#define VT_F_WRITE 2
#define VT_F_INDIRECT 4
/* UIO_MAXIOV: what one readv or writev takes, and what the kernel's vhost takes of a chain or a frame. */
#define VT_PIECES 1024
/* Entries an indirect table can have: next has 16 bits. */
#define VT_INDIRECT_MAX (1u << 16)
/* VHOST_NET_BATCH (drivers/vhost/net.c@6.1) */
#define VT_BATCH 64
#define VT_CHAINS 1024
#define VT_WINDOW (2 * VT_PIECES)

/* tour.errors.RingFault, those a driver can commit. */
enum vt_fault {
	VT_NO_FAULT,
	VT_AVAIL_JUMP,
	VT_HEAD_RANGE,
	VT_NEXT_RANGE,
	VT_CHAIN_LOOP,
	VT_BAD_ADDRESS,
	VT_INDIRECT_SIZE,
	VT_INDIRECT_NESTED,
	VT_INDIRECT_NEXT,
	VT_INDIRECT_OFF,
	VT_READ_AFTER_WRITE,
	VT_TOO_MANY,
	VT_WRONG_DIRECTION,
	VT_TOO_SHORT,
};

/* A descriptor's numbers, read once. */
struct vt_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

/* A chain as it was popped: @out readable pieces, then @in writable ones, from @first on in its window. */
struct vt_chain {
	uint64_t out_len, in_len;
	uint16_t head, first, out, in;
};

/* Chains popped and not yet done, oldest first: [@begin, @end). */
struct vt_window {
	uint32_t begin, end, pieces;
	struct vt_chain chain[VT_CHAINS];
	struct iovec piece[VT_WINDOW + 2];
	uint64_t gpa[VT_WINDOW];	/* of each piece, kept while the dirty log is on */
};

/* One queue as its device keeps it. @desc, @avail and @used are HVAs that control has checked whole. */
struct vt_queue {
	uintptr_t desc, avail, used;
	uint32_t num, hint;
	const struct vt_table *table;
	uint16_t last_avail_idx, avail_seen, used_shadow, signalled_used;
	bool signalled, event_idx, indirect, notify_on_empty, kicks_wanted;
	uint32_t fault_at;
	uint64_t fault_value;
	struct vt_log log;
};

/**
 * vt_fault() - Note where and by which value a rule was broken
 * @q:		Queue
 * @fault:	Rule
 * @at:		Index of the descriptor, entry or head
 * @value:	What was found there
 *
 * Return: -@fault
 */
static inline int vt_fault(struct vt_queue *q, enum vt_fault fault, uint32_t at, uint64_t value)
{
	q->fault_at = at;
	q->fault_value = value;
	return -(int)fault;
}

/* A descriptor's 16 bytes, copied once: a table need not be aligned (the kernel does not ask for it). */
static inline struct vt_desc vt_read_desc(uintptr_t table, uint32_t i)
{
	struct vt_desc d;

	/* SAFETY: control has checked that the whole table is mapped, and i < num */
	memcpy(&d, (const void *)(table + (uintptr_t)i * VT_DESC_SIZE), VT_DESC_SIZE);
	vt_compiler_barrier();
	d.addr = le64toh(d.addr);
	d.len = le32toh(d.len);
	d.flags = le16toh(d.flags);
	d.next = le16toh(d.next);
	return d;
}

/**
 * vt_waiting() - How many entries wait to be popped (barrier A)
 * @q:		Queue
 *
 * Return: entries, or a fault
 */
static inline int vt_waiting(struct vt_queue *q)
{
	uint16_t avail_idx = vt_load_acquire_u16(q->avail + 2);
	uint16_t count = (uint16_t)(avail_idx - q->last_avail_idx);

	if (count > q->num)
		return vt_fault(q, VT_AVAIL_JUMP, q->last_avail_idx, avail_idx);
	q->avail_seen = avail_idx;
	return count;
}

/* A chain's buffers on their way from the table to pieces: numbers only, nothing is mapped yet. */
struct vt_walk {
	uint32_t n;
	bool writing, more;
	struct vt_desc desc[VT_PIECES];
};

static int vt_note(struct vt_queue *q, struct vt_walk *w, uint32_t i, const struct vt_desc *d)
{
	if (d->flags & VT_F_WRITE)
		w->writing = true;
	else if (w->writing)
		return vt_fault(q, VT_READ_AFTER_WRITE, i, d->flags);
	/* Empty buffers have no piece; of more pieces than one may have, what they are does not matter. */
	if (d->len && w->n < VT_PIECES)
		w->desc[w->n++] = *d;
	else if (d->len)
		w->more = true;
	return 0;
}

/* Entry @i of an indirect table. It may lie in several regions: each entry is found on its own. */
static int vt_entry(struct vt_queue *q, const struct vt_desc *table, uint32_t i, struct vt_desc *d)
{
	unsigned char raw[VT_DESC_SIZE];
	struct iovec piece[VT_DESC_SIZE];
	size_t done = 0;
	int n = vt_map(q->table, &q->hint, table->addr + (uint64_t)i * VT_DESC_SIZE, VT_DESC_SIZE, piece, VT_DESC_SIZE), k;

	if (n < 0)
		return n;
	for (k = 0; k < n; k++) {
		memcpy(raw + done, piece[k].iov_base, piece[k].iov_len);
		done += piece[k].iov_len;
	}
	*d = vt_read_desc((uintptr_t)raw, 0);
	return 0;
}

static int vt_walk_indirect(struct vt_queue *q, struct vt_walk *w, uint32_t at, const struct vt_desc *table)
{
	uint32_t count = table->len / VT_DESC_SIZE, i = 0, n;

	if (!q->indirect)
		return vt_fault(q, VT_INDIRECT_OFF, at, table->flags);
	if (table->flags & VT_F_NEXT)
		return vt_fault(q, VT_INDIRECT_NEXT, at, table->flags);
	if (!table->len || table->len % VT_DESC_SIZE || count > VT_INDIRECT_MAX)
		return vt_fault(q, VT_INDIRECT_SIZE, at, table->len);
	if (vt_map(q->table, &q->hint, table->addr, table->len, NULL, 0) < 0)
		return vt_fault(q, VT_BAD_ADDRESS, at, table->addr);
	for (n = 0; n < count; n++) {
		struct vt_desc d;
		int ret;

		if (vt_entry(q, table, i, &d) < 0)
			return vt_fault(q, VT_BAD_ADDRESS, at, table->addr);
		if (d.flags & VT_F_INDIRECT)
			return vt_fault(q, VT_INDIRECT_NESTED, i, d.flags);
		ret = vt_note(q, w, i, &d);
		if (ret < 0 || !(d.flags & VT_F_NEXT))
			return ret;
		if (d.next >= count)
			return vt_fault(q, VT_NEXT_RANGE, i, d.next);
		i = d.next;
	}
	return vt_fault(q, VT_CHAIN_LOOP, 0, i);
}

static int vt_walk_chain(struct vt_queue *q, struct vt_walk *w, uint32_t head, struct vt_desc d)
{
	uint32_t i = head, n;

	for (n = 0;; d = vt_read_desc(q->desc, i)) {
		int ret = d.flags & VT_F_INDIRECT ? vt_walk_indirect(q, w, i, &d) : vt_note(q, w, i, &d);

		if (ret < 0 || !(d.flags & VT_F_NEXT))
			return ret;
		if (d.next >= q->num)
			return vt_fault(q, VT_NEXT_RANGE, i, d.next);
		i = d.next;
		if (++n == q->num)
			return vt_fault(q, VT_CHAIN_LOOP, head, i);
	}
}

/* Where each piece's guest memory begins, for the dirty log. */
static void vt_note_gpa(struct vt_window *w, uint32_t at, int n, uint64_t gpa)
{
	int k;

	for (k = 0; k < n; k++) {
		w->gpa[at + (uint32_t)k] = gpa;
		gpa += w->piece[at + (uint32_t)k].iov_len;
	}
}

static int vt_map_walk(struct vt_queue *q, struct vt_window *w, struct vt_chain *c, const struct vt_walk *walk)
{
	uint32_t i, used = 0;

	for (i = 0; i < walk->n; i++) {
		const struct vt_desc *d = &walk->desc[i];
		int n = vt_map(q->table, &q->hint, d->addr, d->len, &w->piece[w->pieces + used], VT_PIECES - used);

		if (n < 0)
			return vt_fault(q, n == -1 ? VT_BAD_ADDRESS : VT_TOO_MANY, c->head, d->addr);
		if (q->log.all)
			vt_note_gpa(w, w->pieces + used, n, d->addr);
		used += (uint32_t)n;
		if (d->flags & VT_F_WRITE) {
			c->in = (uint16_t)(c->in + n);
			c->in_len += d->len;
		} else {
			c->out = (uint16_t)(c->out + n);
			c->out_len += d->len;
		}
	}
	if (walk->more)
		return vt_fault(q, VT_TOO_MANY, c->head, used);
	w->pieces += used;
	return 0;
}

static __attribute__((noinline)) int vt_take_long(struct vt_queue *q, struct vt_window *w, uint16_t head,
						  struct vt_desc d)
{
	struct vt_chain *c = &w->chain[w->end];
	struct vt_walk walk;
	int ret;

	walk.n = 0;
	walk.writing = walk.more = false;
	*c = (struct vt_chain){ .head = head, .first = (uint16_t)w->pieces };
	ret = vt_walk_chain(q, &walk, head, d);
	if (!ret)
		ret = vt_map_walk(q, w, c, &walk);
	if (ret < 0)
		return ret;
	w->end++;
	q->last_avail_idx++;
	return 0;
}

/**
 * vt_take() - Take the chain that begins at @head into the window; one that breaks a rule is not taken
 * @q:		Queue
 * @w:		Window with room for a chain and VT_PIECES pieces
 * @head:	Head as the available ring has it
 *
 * Return: 0, or a fault
 */
static inline int vt_take(struct vt_queue *q, struct vt_window *w, uint16_t head)
{
	const struct vt_region *r;
	struct vt_chain *c = &w->chain[w->end];
	struct vt_desc d;

	if (head >= q->num)
		return vt_fault(q, VT_HEAD_RANGE, q->last_avail_idx & (q->num - 1), head);
	d = vt_read_desc(q->desc, head);
	if (d.flags & (VT_F_NEXT | VT_F_INDIRECT) || !d.len || q->hint >= q->table->n)
		return vt_take_long(q, w, head, d);
	r = &q->table->region[q->hint];
	if (d.addr < r->first || d.addr > r->last || r->last - d.addr < d.len - 1)
		return vt_take_long(q, w, head, d);
	/* One buffer in the region of the one before: nearly all are. */
	c->head = head;
	c->first = (uint16_t)w->pieces;
	c->in = d.flags & VT_F_WRITE ? 1 : 0;
	c->out = !c->in;
	c->in_len = c->in ? d.len : 0;
	c->out_len = c->in ? 0 : d.len;
	/* SAFETY: [d.addr, d.addr + d.len) lies in @r, which control has mapped at r->hva */
	w->piece[w->pieces].iov_base = (void *)(r->hva + (uintptr_t)(d.addr - r->first));
	w->piece[w->pieces].iov_len = d.len;
	if (c->out) {
		/* The driver's core has it; by the time it is sent it is here. */
		__builtin_prefetch(w->piece[w->pieces].iov_base);
		__builtin_prefetch((char *)w->piece[w->pieces].iov_base + 64);
	}
	if (q->log.all)
		w->gpa[w->pieces] = d.addr;
	w->pieces++;
	w->end++;
	q->last_avail_idx++;
	return 0;
}

/**
 * vt_gather() - Take up to @max chains, VT_BATCH at most, into the window
 * @q:		Queue
 * @w:		Window
 * @max:	Chains
 * @fault:	0, or the fault that the chain after the last taken one is
 *
 * Return: chains taken, 0 when none waits, a fault stands first, or the window is full
 */
static uint32_t vt_gather(struct vt_queue *q, struct vt_window *w, uint32_t max, int *fault)
{
	uint16_t heads[VT_BATCH];
	int count = (uint16_t)(q->avail_seen - q->last_avail_idx);
	uint32_t n, k;

	*fault = 0;
	if (!count)
		count = vt_waiting(q);
	if (count < 0)
		*fault = count;
	if (count <= 0)
		return 0;
	n = (uint32_t)count < max ? (uint32_t)count : max;
	n = n < VT_BATCH ? n : VT_BATCH;
	n = n < VT_CHAINS - w->end ? n : VT_CHAINS - w->end;
	for (k = 0; k < n; k++) {
		heads[k] = vt_load_relaxed_u16(q->avail + 4 + 2 * ((q->last_avail_idx + k) & (q->num - 1)));
		/* SAFETY: a hint; nothing is read, whatever the head is */
		__builtin_prefetch((const void *)(q->desc + (uintptr_t)heads[k] * VT_DESC_SIZE));
		if (!(k & 7))
			vt_fetch_to_write((const void *)(q->used + 4 + 8 * ((q->last_avail_idx + k) & (q->num - 1))));
	}
	for (k = 0; k < n && w->pieces <= VT_WINDOW - VT_PIECES; k++) {
		*fault = vt_take(q, w, heads[k]);
		if (*fault < 0)
			break;
	}
	return k;
}

/**
 * vt_rewind() - Put back all chains of the window that are not done (the kernel's vhost_discard_vq_desc)
 * @q:		Queue
 * @w:		Window, empty afterwards
 */
static inline void vt_rewind(struct vt_queue *q, struct vt_window *w)
{
	q->last_avail_idx = (uint16_t)(q->last_avail_idx - (w->end - w->begin));
	w->begin = w->end = w->pieces = 0;
}

#endif /* VT_QUEUE_H */
