/* SPDX-License-Identifier: MIT
 *
 * A receive turn at speed: from the port into the ring, one frame one or more chains. The rules are those of
 * tour/device/embedded/handle_rx.py (drivers/vhost/net.c, handle_rx@6.1).
 *
 * Where it can, the port's read() goes directly into the guest's buffers: many chains at once with io_uring while one
 * chain holds a frame of the size expected, else one read over as many chains as such a frame takes. What a frame has
 * more ends in memory of ours, where it waits for more chains, as it would in the kernel's queue.
 */
#ifndef VT_RX_H
#define VT_RX_H

#include "rx_chains.h"

/* Reads at once to begin with, and at least; doubled while all find a frame. */
#define VT_READ_AHEAD 4

/* The chains at the window's begin did not do: put them back and ask for a kick. */
static int vt_rx_wait(struct vt_vring *r)
{
	struct vt_queue *q = &r->queue;
	uint16_t seen;
	int more;

	vt_rewind(q, &r->window);
	seen = q->avail_seen;
	more = vt_enable_kicks(q);
	if (more < 0)
		return more;
	if (!more || q->avail_seen == seen)
		return VT_NO_ROOM;
	vt_disable_kicks(q);
	return VT_GO;
}

/* The chain that a frame needs breaks a rule. */
static int vt_rx_fault(struct vt_vring *r)
{
	vt_rewind(&r->queue, &r->window);
	/* As in the kernel, whose count of what to put back does not have the chain at fault. */
	if (r->fault == -VT_WRONG_DIRECTION)
		r->queue.last_avail_idx++;
	return r->fault;
}

static inline void vt_rx_lose(struct vt_vring *r)
{
	vt_count(&r->counts.dropped, 1);
	r->moved++;
}

/* A frame from the port into our own memory, the ring's header before it: 0, or -errno. */
static int vt_rx_hold(struct vt_vring *r)
{
	bool fits = r->port_header_len == (r->supplies ? 0 : r->header_len);
	uint32_t at = fits ? r->header_len - r->port_header_len : 0;
	ssize_t ret;

	vt_count(&r->counts.syscalls, 1);
	memset(r->spill, 0, VT_HEADER_MAX);
	ret = read(r->fd, r->spill + at, VT_FRAME_LIMIT);
	if (ret <= 0)
		return ret < 0 ? -errno : -EAGAIN;
	if (!fits) {
		/* vhost and the port disagree on the header: nothing can be delivered. */
		vt_rx_lose(r);
		return 0;
	}
	at += (uint32_t)ret;
	vt_stash(r, 0, 0, 0, at < r->header_len ? r->header_len : at);
	return 0;
}

/* What a failed read means. */
static int vt_rx_failed(struct vt_vring *r, int error)
{
	const struct vt_window *w = &r->window;

	if (error == EINTR)
		return VT_GO;
	if (error != EFAULT || w->begin == w->end)
		return VT_AT_PORT;
	/* SAFETY: an address as a number, to be told */
	return vt_fault(&r->queue, VT_BAD_ADDRESS, w->chain[w->begin].head,
			(uintptr_t)w->piece[w->chain[w->begin].first].iov_base);
}

/* The oldest frame of ours into as many chains as it takes. */
static int vt_rx_held(struct vt_vring *r)
{
	const unsigned char *data = vt_spill(r, r->stash[r->stash_begin]);
	uint32_t quota = r->mergeable ? VT_CHAINS : 1, n = 0, len = r->stash_len[r->stash_begin];
	uint64_t room = 0;
	int ret = vt_rx_collect(r, len, quota, &n, &room);

	if (ret < 0)
		return vt_rx_fault(r);
	if (room < len && n < quota)
		return vt_rx_wait(r);
	if (++r->stash_begin == r->stash_end)
		r->stash_begin = r->stash_end = 0;
	if (room < len) {
		/* One chain is all a frame may take: it is lost, the chain stays. */
		vt_rx_lose(r);
		return VT_GO;
	}
	vt_show(r, data, len);
	vt_scatter(r, data, len);
	vt_delivered(r, n, len);
	return VT_GO;
}

/* What a read into @room bytes takes more of a frame that is larger: pieces added. */
static uint32_t vt_rx_tail(struct vt_vring *r, uint32_t i, uint64_t room, struct iovec *tail)
{
	if (room > (uint64_t)r->frame_max + r->header_len)
		return 0;
	/* Of what is longer than any frame may be one byte tells. */
	tail->iov_base = vt_spill(r, i) + (room < VT_FRAME_LIMIT ? room : 0);
	tail->iov_len = room < VT_FRAME_LIMIT ? VT_FRAME_LIMIT - room : 1;
	return 1;
}

/* @len bytes were read into @room bytes of chains from the window's begin + @at on: whether they lie there whole. */
static bool vt_rx_fits(struct vt_vring *r, uint32_t i, uint32_t at, uint32_t chains, uint64_t room, uint32_t len)
{
	/* A tap's frame is never that long, another port's may be; without a tail a full room is such a frame, cut. */
	if (len > VT_FRAME_LIMIT || (len == room && room > (uint64_t)r->frame_max + r->header_len)) {
		vt_rx_lose(r);
		return false;
	}
	r->largest = len > r->largest ? len : r->largest;
	r->expect = len > r->expect ? len : r->expect;
	if (++r->seen == VT_LOOK_BACK) {
		r->expect = r->largest > VT_EXPECT_LEAST ? r->largest : VT_EXPECT_LEAST;
		r->largest = r->seen = 0;
	}
	if (len <= room && r->stash_begin == r->stash_end)
		return true;
	vt_stash(r, i, at, chains, len);
	return false;
}

/* Read one frame over the first chains of the window. */
static int vt_rx_over(struct vt_vring *r, uint64_t room, uint32_t chains)
{
	uint32_t n = vt_rx_pieces(r, r->window.begin, chains, r->iov);
	ssize_t ret;

	n += vt_rx_tail(r, 0, room, &r->iov[n]);
	vt_count(&r->counts.syscalls, 1);
	ret = n == 1 ? read(r->fd, r->iov->iov_base, r->iov->iov_len) : readv(r->fd, r->iov, (int)n);
	if (ret <= 0)
		return vt_rx_failed(r, ret < 0 ? errno : EAGAIN);
	if (vt_rx_fits(r, 0, 0, chains, room, (uint32_t)ret))
		vt_delivered(r, vt_chains_of(&r->window, (uint64_t)ret), (uint32_t)ret);
	return VT_GO;
}

/* Results of reads into one chain each: frames move up into the chains that found none. */
static int vt_rx_settle(struct vt_vring *r, uint32_t n, const int32_t *res)
{
	struct vt_window *w = &r->window;
	uint32_t first = w->begin, i, got = 0;
	int ended = VT_GO;

	for (i = 0; i < n; i++) {
		uint32_t at = first + i, len = (uint32_t)res[i];

		if (res[i] <= 0) {
			if (ended == VT_GO && res[i] != -EINTR && res[i] != VT_UNSENT)
				ended = vt_rx_failed(r, res[i] ? -res[i] : EAGAIN);
			continue;
		}
		got++;
		if (!vt_rx_fits(r, i, at - w->begin, 1, w->chain[at].in_len, len))
			continue;
		if (w->begin == at || vt_move(r, w->begin, at, len))
			vt_delivered(r, 1, len);
		else
			vt_stash(r, i, at - w->begin, 1, len);
	}
	r->read_ahead = got == n ? 2 * n : got + VT_READ_AHEAD;
	if (r->read_ahead > VT_BATCH)
		r->read_ahead = VT_BATCH;
	return r->stash_begin == r->stash_end ? ended : VT_GO;
}

/* Many reads in one call, each into the next chain. */
static int vt_rx_many(struct vt_vring *r, uint32_t n)
{
	struct vt_window *w = &r->window;
	struct iovec *iov = r->iov;
	int32_t res[VT_BATCH];
	uint32_t i;

	res[0] = VT_UNSENT;
	for (i = 0; i < n; i++) {
		uint32_t pieces = vt_rx_pieces(r, w->begin + i, 1, iov);

		/* The driver's core read there last. */
		vt_fetch_to_write(iov->iov_base);
		vt_fetch_to_write((char *)iov->iov_base + 64);
		pieces += vt_rx_tail(r, i, w->chain[w->begin + i].in_len, &iov[pieces]);
		res[i] = VT_UNSENT;
		if (pieces == 1)
			vt_uring_put(r->uring, IORING_OP_READ, r->file, iov->iov_base, (uint32_t)iov->iov_len, RWF_NOWAIT, i);
		else
			vt_uring_put(r->uring, IORING_OP_READV, r->file, iov, pieces, RWF_NOWAIT, i);
		iov += pieces;
	}
	vt_count(&r->counts.syscalls, vt_uring_run(r->uring, res));
	if (res[0] == -EOPNOTSUPP || res[0] == VT_UNSENT) {
		r->many_reads = false;
		return VT_GO;
	}
	return vt_rx_settle(r, n, res);
}

/* How many chains at the window's begin hold each a frame of the size expected. */
static uint32_t vt_rx_alone(const struct vt_vring *r, uint32_t max)
{
	const struct vt_window *w = &r->window;
	uint32_t n = 0;

	if (max > r->read_ahead)
		max = r->read_ahead;
	for (; n < max && w->begin + n < w->end; n++) {
		const struct vt_chain *c = &w->chain[w->begin + n];

		if (r->mergeable && c->in_len < r->expect)
			break;
		if (c->in > VT_PIECES - 3 || !vt_rx_direct(r, n))
			break;
	}
	return n;
}

static uint32_t vt_rx_count(const struct vt_vring *r, uint32_t chains)
{
	uint32_t pieces = 0, i;

	for (i = 0; i < chains; i++)
		pieces += r->window.chain[r->window.begin + i].in;
	return pieces;
}

/* The next frame from the port. */
static int vt_rx_fresh(struct vt_vring *r)
{
	uint64_t room = 0;
	uint32_t n = 0, alone;
	int ret;

	vt_rx_refill(r, 1);
	if (r->window.begin == r->window.end) {
		if (!vt_port_readable(r))
			return VT_AT_PORT;
		if (!r->fault)
			return vt_rx_wait(r);
		if (r->fault == -VT_AVAIL_JUMP)
			return vt_rx_fault(r);
		/* The kernel's vhost has the frame already when it meets such a fault: it waits with us, not at the port. */
		ret = vt_rx_hold(r);
		if (ret < 0)
			return vt_rx_failed(r, -ret);
		return r->stash_end ? vt_rx_fault(r) : VT_GO;
	}
	if (r->many_reads && !vt_wanted(r)) {
		vt_rx_refill(r, r->read_ahead);
		alone = vt_rx_alone(r, vt_budget(r));
		if (alone > 1)
			return vt_rx_many(r, alone);
	}
	vt_rx_collect(r, r->expect, r->mergeable ? VT_CHAINS : 1, &n, &room);
	if (n && vt_rx_direct(r, 0) && !vt_wanted(r) && vt_rx_count(r, n) <= VT_PIECES - 3)
		return vt_rx_over(r, room, n);
	ret = vt_rx_hold(r);
	return ret < 0 ? vt_rx_failed(r, -ret) : VT_GO;
}

/**
 * vt_turn_rx() - Deliver what waits at the port (handle_rx)
 * @r:		Ring
 *
 * Return: enum vt_ended, or a fault with all before it delivered and completed
 */
static int vt_turn_rx(struct vt_vring *r)
{
	int ended;

	vt_settle(r);
	vt_disable_kicks(&r->queue);
	r->fault = vt_waiting(&r->queue);
	r->fault = r->fault < 0 ? r->fault : 0;
	do {
		if (r->moved >= VT_PACKETS_A_TURN || r->moved_bytes >= VT_BYTES_A_TURN)
			ended = VT_BOUND;
		else if (!vt_budget(r))
			ended = VT_HELD;
		else
			ended = r->stash_end ? vt_rx_held(r) : vt_rx_fresh(r);
		if (r->filled > VT_BATCH)
			vt_complete(r);
	} while (ended == VT_GO);
	vt_rewind(&r->queue, &r->window);
	vt_settle(r);
	vt_complete(r);
	return ended;
}

#endif /* VT_RX_H */
