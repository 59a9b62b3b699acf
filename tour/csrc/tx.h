/* SPDX-License-Identifier: MIT
 *
 * A transmit turn at speed: from the ring to the port, one chain one frame, in batches. The rules are those of
 * tour/device/embedded/handle_tx.py (drivers/vhost/net.c, handle_tx_copy@6.1).
 */
#ifndef VT_TX_H
#define VT_TX_H

#include "port.h"

/* Below this many packets one write each is as fast as an io_uring. */
#define VT_URING_FROM 4

/* A frame that is larger than any link takes: lost before the port sees it. */
#define VT_OVERSIZE (-EMSGSIZE)

static inline bool vt_full(int32_t res)
{
	return res == -EAGAIN || res == -ENOMEM || res == -ENOBUFS || res == VT_UNSENT;
}

/* Write to the port: bytes, or -errno. */
static int32_t vt_port_writev(struct vt_vring *r, const struct iovec *piece, uint32_t n)
{
	ssize_t ret;

	do {
		vt_count(&r->counts.syscalls, 1);
		ret = n == 1 ? write(r->fd, piece->iov_base, piece->iov_len) : writev(r->fd, piece, (int)n);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : (int32_t)ret;
}

/* A packet that was copied to the port, with as much of its header as travels there. */
static int32_t vt_send_copied(struct vt_vring *r, uint32_t len)
{
	static const unsigned char none[VT_HEADER_MAX];
	uint32_t head = r->header_len < r->port_header_len ? r->header_len : r->port_header_len;
	struct iovec piece[3] = {
		{ r->copy, head },
		/* SAFETY: written from, never to */
		{ (void *)(uintptr_t)none, r->port_header_len - head },
		{ r->copy + r->header_len, len - r->header_len },
	};

	return vt_port_writev(r, piece, 3);
}

/* Send from a copy: for the null port, for a port with another header, and for a packet somebody wants to see. */
static int32_t vt_send_copy(struct vt_vring *r, const struct vt_chain *c)
{
	uint32_t len = vt_copy_out(&r->window, c, r->copy, VT_FRAME_LIMIT);

	vt_show(r, r->copy, len);
	return r->fd < 0 ? (int32_t)len : vt_send_copied(r, len);
}

static uint32_t vt_send_one_by_one(struct vt_vring *r, uint32_t from, uint32_t n, int32_t *res)
{
	struct vt_window *w = &r->window;
	bool copy = r->fd < 0 || r->port_header_len != r->header_len;
	uint32_t i;

	for (i = from; i < n; i++) {
		const struct vt_chain *c = &w->chain[i];

		if (res[i] != VT_UNSENT)
			continue;
		res[i] = copy ? vt_send_copy(r, c) : vt_port_writev(r, &w->piece[c->first], c->out);
		if (res[i] == -EFAULT || vt_full(res[i]))
			return i + 1;
	}
	return n;
}

static void vt_send_together(struct vt_vring *r, uint32_t from, uint32_t n, int32_t *res)
{
	struct vt_window *w = &r->window;
	uint32_t i, last = from;

	for (i = from; i < n; i++) {
		const struct vt_chain *c = &w->chain[i];
		const struct iovec *p = &w->piece[c->first];

		if (res[i] != VT_UNSENT)
			continue;
		if (c->out == 1)
			vt_uring_put(r->uring, IORING_OP_WRITE, r->file, p->iov_base, (uint32_t)p->iov_len, 0, i);
		else
			vt_uring_put(r->uring, IORING_OP_WRITEV, r->file, p, c->out, 0, i);
	}
	vt_count(&r->counts.syscalls, vt_uring_run(r->uring, res));
	for (i = from; i < n; i++) {
		if (!vt_full(res[i]))
			last = i;
		/* The kernel did not even take it: never ask again. */
		if (res[i] == VT_UNSENT)
			r->many_writes = false;
	}
	/* What was refused for want of room before one that was taken gets one more try: order is lost, no packet is. */
	for (i = from; i < last; i++)
		if (vt_full(res[i])) {
			const struct vt_chain *c = &w->chain[i];

			res[i] = vt_port_writev(r, &w->piece[c->first], c->out);
			if (vt_full(res[i]))
				res[i] = -EIO;
		}
}

/* Send the first @n chains of the window; what became of each is in @res. */
static void vt_send(struct vt_vring *r, uint32_t n, int32_t *res)
{
	uint32_t from = 0;

	if (n && r->fd >= 0 && vt_wanted(r) && res[0] == VT_UNSENT) {
		res[0] = vt_send_copy(r, &r->window.chain[0]);
		if (vt_full(res[0]) || res[0] == -EFAULT)
			return;
		from = 1;
	}
	if (r->many_writes && n - from >= VT_URING_FROM)
		vt_send_together(r, from, n, res);
	else
		vt_send_one_by_one(r, from, n, res);
}

/*
 * How many chains at the window's begin obey the rules; the one after them is the fault. @res tells of those that are
 * lost without being sent.
 */
static uint32_t vt_check_out(struct vt_vring *r, uint32_t n, int32_t *res, int *fault)
{
	uint32_t own = r->supplies ? r->header_len : 0, i;
	uint64_t least = r->header_len + (r->supplies ? 1 : 0);

	for (i = 0; i < n; i++) {
		const struct vt_chain *c = &r->window.chain[i];

		res[i] = VT_UNSENT;
		if (!c->in && c->out_len - least <= VT_FRAME_LIMIT - least)
			continue;
		if (c->in) {
			*fault = vt_fault(&r->queue, VT_WRONG_DIRECTION, c->head, c->in);
		} else if (c->out_len > VT_FRAME_LIMIT) {
			res[i] = VT_OVERSIZE;
			continue;
		} else {
			*fault = vt_fault(&r->queue, VT_TOO_SHORT, c->head, c->out_len);
		}
		/* The kernel passes over such a chain and never completes it; a short one it puts back. */
		r->window.begin = i + (c->in || c->out_len <= own ? 1 : 0);
		return i;
	}
	r->window.begin = n;
	return n;
}

/* Fill a used element for each packet that was sent or lost; the window begins at what was not. */
static int vt_sent(struct vt_vring *r, uint32_t n, const int32_t *res)
{
	struct vt_window *w = &r->window;
	uint32_t i, chains = 0, dropped = 0;
	uint64_t bytes = 0, frames = 0, pieces = 0;
	int ended = VT_GO;

	for (i = 0; i < n; i++) {
		const struct vt_chain *c = &w->chain[i];

		if (res[i] == -EFAULT) {
			/* SAFETY: an address as a number, to be told */
			ended = vt_fault(&r->queue, VT_BAD_ADDRESS, c->head, (uintptr_t)w->piece[c->first].iov_base);
			continue;
		}
		if (vt_full(res[i])) {
			w->begin = i;
			ended = ended ? ended : VT_AT_PORT;
			break;
		}
		vt_fill(&r->queue, c->head, 0, r->filled + chains++);
		dropped += res[i] < 0;
		bytes += c->out_len;
		frames += res[i] < 0 ? 0 : c->out_len - r->header_len;
		pieces += c->out;
	}
	r->filled += chains;
	vt_count(&r->counts.packets, chains - dropped);
	vt_count(&r->counts.bytes, frames);
	vt_count(&r->counts.pieces, pieces);
	if (dropped)
		vt_count(&r->counts.dropped, dropped);
	vt_moved(r, chains, chains, bytes);
	return ended;
}

/*
 * A driver that is about to publish more need not kick us: after work, hand back what is done and look on for about a
 * microsecond, far less than a wake-up costs. Whether there is more.
 */
static bool vt_grace(struct vt_vring *r)
{
	if (!r->moved && !r->linger)
		return false;
	vt_complete(r);
	return vt_spin(r);
}

/* One batch: gather, check, send, fill. */
static int vt_batch_tx(struct vt_vring *r)
{
	struct vt_window *w = &r->window;
	int32_t res[VT_BATCH];
	uint32_t budget = vt_budget(r), n, good;
	int broken = 0, after = 0, ended, slipped;

	if (r->moved_bytes >= VT_BYTES_A_TURN || r->moved >= VT_PACKETS_A_TURN)
		return VT_BOUND;
	if (!budget)
		return VT_HELD;
	n = vt_gather(&r->queue, w, budget, &after);
	if (n) {
		good = vt_check_out(r, n, res, &broken);
		vt_send(r, good, res);
		ended = vt_sent(r, good, res);
		vt_rewind(&r->queue, w);
		vt_settle(r);
		ended = ended ? ended : broken;
		if (ended)
			return ended;
	}
	if (after < 0)
		return after;
	if (n || vt_grace(r))
		return VT_GO;
	if (r->linger)
		return VT_LINGER;
	slipped = vt_enable_kicks(&r->queue);
	if (slipped > 0)
		vt_disable_kicks(&r->queue);
	return slipped < 0 ? slipped : slipped ? VT_GO : VT_EMPTY;
}

/**
 * vt_turn_tx() - Send what the driver published (handle_tx)
 * @r:		Ring
 *
 * Return: enum vt_ended, or a fault with all before it sent and completed
 */
static int vt_turn_tx(struct vt_vring *r)
{
	int ended;

	vt_settle(r);
	vt_disable_kicks(&r->queue);
	ended = vt_waiting(&r->queue);
	if (ended < 0)
		return ended;
	do {
		ended = vt_batch_tx(r);
		if (r->filled >= VT_BATCH)
			vt_complete(r);
	} while (ended == VT_GO);
	vt_complete(r);
	return ended;
}

#endif /* VT_TX_H */
