/* SPDX-License-Identifier: MIT
 *
 * The chains of a receive turn: collecting them for a frame, the bytes in them, and the used elements afterwards
 * (tour/device/embedded/handle_rx.py: _collect, _scatter, _deliver).
 */
#ifndef VT_RX_CHAINS_H
#define VT_RX_CHAINS_H

#include "port.h"

/**
 * vt_rx_direct() - Whether a read may go into chains: the port's header is the ring's, and num_buffers, written or left
 * alone on its own, lies in the first piece
 * @r:		Ring
 * @i:		The first chain, from the window's begin
 *
 * Return: whether
 */
static inline bool vt_rx_direct(const struct vt_vring *r, uint32_t i)
{
	const struct vt_window *w = &r->window;

	if (r->supplies || r->port_header_len != r->header_len)
		return false;
	return r->mergeable || w->piece[w->chain[w->begin + i].first].iov_len >= VT_HEADER_MAX;
}

static inline bool vt_window_full(const struct vt_window *w)
{
	return w->pieces > VT_WINDOW - VT_PIECES || w->end == VT_CHAINS;
}

/**
 * vt_rx_refill() - Have at least @want chains in the window, if the driver offers that many
 * @r:		Ring; @fault is set when the next chain breaks a rule
 * @want:	Chains
 */
static void vt_rx_refill(struct vt_vring *r, uint32_t want)
{
	struct vt_window *w = &r->window;
	uint32_t from, k;
	int fault = 0;

	if (w->end - w->begin >= want || r->fault)
		return;
	if (w->begin == w->end)
		w->begin = w->end = w->pieces = 0;
	from = w->end;
	vt_gather(&r->queue, w, VT_BATCH, &fault);
	r->fault = fault;
	for (k = from; k < w->end; k++) {
		const struct vt_chain *c = &w->chain[k];

		if (!c->out && c->in)
			continue;
		r->fault = vt_fault(&r->queue, VT_WRONG_DIRECTION, c->head, c->out);
		r->queue.last_avail_idx = (uint16_t)(r->queue.last_avail_idx - (w->end - k));
		w->end = k;
	}
}

/**
 * vt_rx_collect() - Find chains at the window's begin that hold @size bytes (get_rx_bufs)
 * @r:		Ring
 * @size:	Bytes
 * @quota:	Chains at most
 * @n:		Chains found
 * @room:	Bytes that fit them
 *
 * Return: 0, or the fault that stands where one more chain is needed
 */
static int vt_rx_collect(struct vt_vring *r, uint64_t size, uint32_t quota, uint32_t *n, uint64_t *room)
{
	struct vt_window *w = &r->window;
	uint32_t pieces = 0;

	for (*n = 0, *room = 0; *room < size && *n < quota; (*n)++) {
		const struct vt_chain *c;

		vt_rx_refill(r, *n + 1);
		if (w->end - w->begin <= *n && !r->fault && w->begin && vt_window_full(w)) {
			/* Those before are done with: once more from the begin. */
			vt_rewind(&r->queue, w);
			return vt_rx_collect(r, size, quota, n, room);
		}
		if (w->end - w->begin <= *n)
			return r->fault;
		c = &w->chain[w->begin + *n];
		pieces += c->in;
		if (pieces > VT_PIECES) {
			r->fault = vt_fault(&r->queue, VT_TOO_MANY, c->head, pieces);
			return r->fault;
		}
		*room += c->in_len;
	}
	return 0;
}

/**
 * vt_rx_pieces() - The pieces of chains for a read; num_buffers is left out where it is not ours to write
 * @r:		Ring
 * @from:	The first chain, as in the window
 * @chains:	Chains
 * @to:		Room for all their pieces and two more
 *
 * Return: pieces
 */
static uint32_t vt_rx_pieces(struct vt_vring *r, uint32_t from, uint32_t chains, struct iovec *to)
{
	static unsigned char nowhere[VT_HEADER_MAX];
	const struct vt_window *w = &r->window;
	uint32_t n = 0, i, k;

	for (i = from; i < from + chains; i++)
		for (k = 0; k < w->chain[i].in; k++)
			to[n++] = w->piece[w->chain[i].first + k];
	if (r->mergeable || r->header_len == VT_NUM_BUFFERS)
		return n;
	memmove(to + 3, to + 1, (n - 1) * sizeof(*to));
	to[2].iov_base = (char *)to[0].iov_base + VT_HEADER_MAX;
	to[2].iov_len = to[0].iov_len - VT_HEADER_MAX;
	to[1].iov_base = nowhere;
	to[1].iov_len = VT_HEADER_MAX - VT_NUM_BUFFERS;
	to[0].iov_len = VT_NUM_BUFFERS;
	return n + 2;
}

/* Bytes of @data into the chains from the window's begin on, as if they were one buffer, from its byte @at on. */
static void vt_put(struct vt_vring *r, uint64_t at, const unsigned char *data, uint32_t len)
{
	struct vt_window *w = &r->window;
	uint32_t i, k;

	for (i = w->begin; len && i < w->end; i++)
		for (k = 0; len && k < w->chain[i].in; k++) {
			const struct iovec *p = &w->piece[w->chain[i].first + k];
			uint32_t here;

			if (at >= p->iov_len) {
				at -= p->iov_len;
				continue;
			}
			here = len < p->iov_len - at ? len : (uint32_t)(p->iov_len - at);
			memcpy((char *)p->iov_base + at, data, here);
			data += here;
			len -= here;
			at = 0;
		}
}

/**
 * vt_scatter() - A packet of ours into the chains at the window's begin; without MRG_RXBUF num_buffers is left as the
 * driver had it
 * @r:		Ring
 * @data:	The packet, header first
 * @len:	Bytes
 */
static void vt_scatter(struct vt_vring *r, const unsigned char *data, uint32_t len)
{
	uint32_t cut = len < VT_NUM_BUFFERS ? len : VT_NUM_BUFFERS;

	vt_put(r, 0, data, cut);
	if (len > r->header_len)
		vt_put(r, r->header_len, data + r->header_len, len - r->header_len);
}

/**
 * vt_spill() - Where a frame that did not fit is put together
 * @r:		Ring
 * @i:		Which of VT_BATCH
 *
 * Return: VT_FRAME_LIMIT + VT_HEADER_MAX bytes
 */
static inline unsigned char *vt_spill(struct vt_vring *r, uint32_t i)
{
	return r->spill + (size_t)i * (VT_FRAME_LIMIT + VT_HEADER_MAX);
}

/**
 * vt_stash() - Have a frame that a read left partly in chains, partly in a spill, in that spill as a whole, to be
 * delivered later
 * @r:		Ring
 * @i:		Spill
 * @at:		The first chain, from the window's begin
 * @chains:	Chains that the read filled
 * @len:	Bytes of the frame
 */
static void vt_stash(struct vt_vring *r, uint32_t i, uint32_t at, uint32_t chains, uint32_t len)
{
	const struct vt_window *w = &r->window;
	unsigned char *to = vt_spill(r, i);
	uint32_t left = len, n, k;

	for (n = w->begin + at; n < w->begin + at + chains; n++)
		for (k = 0; left && k < w->chain[n].in; k++) {
			const struct iovec *p = &w->piece[w->chain[n].first + k];
			uint32_t here = left < p->iov_len ? left : (uint32_t)p->iov_len;

			memcpy(to, p->iov_base, here);
			to += here;
			left -= here;
		}
	r->stash[r->stash_end] = (uint8_t)i;
	r->stash_len[r->stash_end++] = len;
}

/**
 * vt_move() - A frame from the chain where it was read into another
 * @r:		Ring
 * @to:		Chain, as in the window
 * @from:	Chain, as in the window
 * @len:	Bytes
 *
 * Return: whether it fits
 */
static bool vt_move(struct vt_vring *r, uint32_t to, uint32_t from, uint32_t len)
{
	struct vt_window *w = &r->window;
	uint32_t at = 0, k;

	/* A tap's frame is never longer than @copy; another port's may be. */
	if (w->chain[to].in_len < len || len > sizeof(r->copy))
		return false;
	for (k = 0; at < len && k < w->chain[from].in; k++) {
		const struct iovec *p = &w->piece[w->chain[from].first + k];
		uint32_t here = len - at < p->iov_len ? len - at : (uint32_t)p->iov_len;

		memcpy(r->copy + at, p->iov_base, here);
		at += here;
	}
	vt_scatter(r, r->copy, len);
	return true;
}

/**
 * vt_chains_of() - How many chains at the window's begin a frame takes
 * @w:		Window whose chains hold it
 * @len:	Bytes
 *
 * Return: chains
 */
static uint32_t vt_chains_of(const struct vt_window *w, uint64_t len)
{
	uint32_t n = 1;
	uint64_t room = w->chain[w->begin].in_len;

	while (room < len)
		room += w->chain[w->begin + n++].in_len;
	return n;
}

static void vt_log_chain(struct vt_vring *r, const struct vt_chain *c, uint64_t len)
{
	const struct vt_window *w = &r->window;
	uint32_t k;

	for (k = 0; len && k < c->in; k++) {
		uint64_t here = len < w->piece[c->first + k].iov_len ? len : w->piece[c->first + k].iov_len;

		vt_log_mark(&r->queue.log, w->gpa[c->first + k], here);
		len -= here;
	}
	r->logged = true;
}

/**
 * vt_delivered() - A frame lies in @n chains at the window's begin: num_buffers, used elements, dirty log
 * @r:		Ring
 * @n:		Chains
 * @len:	Bytes, with the header
 */
static void vt_delivered(struct vt_vring *r, uint32_t n, uint32_t len)
{
	struct vt_window *w = &r->window;
	uint16_t num_buffers = htole16((uint16_t)n);
	uint64_t pieces = 0;
	uint32_t left = len, i;

	if (r->mergeable)
		vt_put(r, VT_NUM_BUFFERS, (const unsigned char *)&num_buffers, sizeof(num_buffers));
	for (i = 0; i < n; i++) {
		const struct vt_chain *c = &w->chain[w->begin + i];
		uint32_t here = left < c->in_len ? left : (uint32_t)c->in_len;

		vt_fill(&r->queue, c->head, here, r->filled + i);
		if (r->queue.log.all)
			vt_log_chain(r, c, here);
		pieces += c->in;
		left -= here;
	}
	w->begin += n;
	r->filled += n;
	vt_count(&r->counts.packets, 1);
	vt_count(&r->counts.bytes, len > r->header_len ? len - r->header_len : 0);
	vt_count(&r->counts.pieces, pieces);
	vt_moved(r, 1, n, len);
	vt_settle(r);
}

#endif /* VT_RX_CHAINS_H */
