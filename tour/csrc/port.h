/* SPDX-License-Identifier: MIT
 *
 * A ring with its port: what the turns of tx.h and rx.h share. The port is a descriptor that takes and gives whole
 * frames, @port_header_len bytes of virtio_net_hdr before each (tour/device/embedded/files.py), or the null port, which
 * reads each packet as a port would and drops it.
 */
#ifndef VT_PORT_H
#define VT_PORT_H

#include "uring.h"
#include "used.h"

#include <poll.h>

/* VHOST_NET_PKT_WEIGHT, VHOST_NET_WEIGHT (drivers/vhost/net.c@6.1): what a turn may move. */
#define VT_PACKETS_A_TURN 256
#define VT_BYTES_A_TURN 0x80000
/* More than any link takes: 64 KiB of an offloaded packet and its headers. */
#define VT_FRAME_LIMIT (1 << 17)
#define VT_HEADER_MAX 12
/* Looks at the ring in a row while a driver is likely to publish. */
#define VT_SPINS 64
/* Frames to look back on for how large the next may be; none is taken for smaller than Ethernet's, which is what Linux's
 * buffers for MRG_RXBUF hold to begin with. */
#define VT_LOOK_BACK 64
#define VT_EXPECT_LEAST (1514 + VT_HEADER_MAX)
/* Offset of num_buffers in virtio_net_hdr (virtio v1.3 5.1.6) */
#define VT_NUM_BUFFERS 10

/* Why a turn ended; a fault is negative. */
enum vt_ended {
	VT_GO,		/* it has not */
	VT_EMPTY,	/* nothing waits, and the driver was asked to kick */
	VT_BOUND,	/* a turn's bound was reached */
	VT_AT_PORT,	/* the port has no room, or no frame */
	VT_NO_ROOM,	/* a frame waits, the driver offers too little and was asked to kick */
	VT_HELD,	/* held by slow motion */
	VT_LINGER,	/* nothing waits; the driver was not asked to kick, we go on looking */
};

/* Running totals; one writer, any reader. Bytes are those of frames, without virtio_net_hdr. */
struct vt_counts {
	uint64_t chains, pieces, packets, bytes, dropped, turns;
	uint64_t kicks, calls, calls_saved, syscalls, batches, sleeps;
};

/* What a look at one packet takes: @want 0 nobody asks, 1 asked for, 2 there. */
struct vt_snap {
	uint32_t want, len;
	unsigned char data[VT_FRAME_LIMIT + VT_HEADER_MAX];
};

struct vt_vring {
	struct vt_queue queue;
	struct vt_window window;
	struct vt_counts counts;
	struct vt_uring *uring;
	/* the port */
	int fd, kick, call, err, log_fd;
	/* @fd for io_uring: itself, or ~ of its place among the registered files */
	int file;
	uint32_t header_len, port_header_len, frame_max;
	bool attached, mergeable, supplies, many_writes, many_reads, dead, armed, kick_pipe;
	/* a turn's */
	bool linger, logged;
	uint16_t settled;
	uint32_t filled, moved, read_ahead;
	uint64_t moved_bytes;
	int fault;
	/* control's and other threads' */
	uint32_t hold, released, broken, told, told_at;
	uint64_t told_value;
	bool resting;
	struct vt_snap snap;
	/* a packet copied */
	unsigned char copy[VT_FRAME_LIMIT + VT_HEADER_MAX];
	/* RX: VT_BATCH frames taken from the port that the driver had no room for, as the ring shall have them, and their
	 * order; how large a frame is expected to be, with its header */
	unsigned char *spill;
	uint32_t stash_begin, stash_end, stash_len[VT_BATCH], expect, largest, seen;
	uint8_t stash[VT_BATCH];
	struct iovec iov[VT_WINDOW + 3 * VT_BATCH];
};

/**
 * vt_ring_bell() - Write a doorbell; a full one already says all there is to say
 * @r:		Ring
 * @fd:		eventfd or pipe, -1 none
 */
static void vt_ring_bell(struct vt_vring *r, int fd)
{
	uint64_t one = 1;

	if (fd < 0)
		return;
	vt_count(&r->counts.syscalls, 1);
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

/**
 * vt_complete() - Hand all filled elements to the driver, and tell it if it wants to be told
 * @r:		Ring
 */
static void vt_complete(struct vt_vring *r)
{
	uint32_t count = r->filled;

	if (r->logged || (count && r->queue.log.used))
		vt_ring_bell(r, r->log_fd);
	r->logged = false;
	if (!count)
		return;
	vt_flush(&r->queue, (uint16_t)count);
	r->filled = 0;
	vt_compiler_barrier();
	vt_count(&r->counts.batches, 1);
	if (r->call < 0)
		return;
	if (vt_needs_call(&r->queue)) {
		vt_count(&r->counts.calls, 1);
		vt_ring_bell(r, r->call);
	} else {
		vt_count(&r->counts.calls_saved, 1);
	}
}

/**
 * vt_settle() - All before is done with: where a turn that is cut short goes back to
 * @r:		Ring
 */
static inline void vt_settle(struct vt_vring *r)
{
	r->settled = (uint16_t)(r->queue.last_avail_idx - (r->window.end - r->window.begin));
	vt_compiler_barrier();
}

/**
 * vt_budget() - Packets this turn may still move
 * @r:		Ring
 *
 * Return: packets; while held, no more than were released
 */
static inline uint32_t vt_budget(const struct vt_vring *r)
{
	uint32_t left = VT_PACKETS_A_TURN - r->moved;

	if (vt_own_get(&r->hold)) {
		uint32_t released = vt_own_get(&r->released);

		return released < left ? released : left;
	}
	return left;
}

/**
 * vt_moved() - Account for what a batch moved
 * @r:		Ring
 * @packets:	Packets
 * @chains:	Chains they took
 * @bytes:	Bytes, headers included
 */
static inline void vt_moved(struct vt_vring *r, uint32_t packets, uint32_t chains, uint64_t bytes)
{
	r->moved += packets;
	r->moved_bytes += bytes;
	vt_count(&r->counts.chains, chains);
	if (vt_own_get(&r->hold)) {
		uint32_t released = vt_own_get(&r->released);

		vt_own_add(&r->released, 0u - (chains < released ? chains : released));
	}
}

/**
 * vt_show() - A packet for whoever asked to see one
 * @r:		Ring
 * @data:	The packet, header first
 * @len:	Bytes, VT_FRAME_LIMIT + VT_HEADER_MAX at most
 */
static inline void vt_show(struct vt_vring *r, const unsigned char *data, uint32_t len)
{
	if (vt_own_get(&r->snap.want) != 1)
		return;
	memcpy(r->snap.data, data, len);
	r->snap.len = len;
	vt_own_set(&r->snap.want, 2);
}

/**
 * vt_wanted() - Whether somebody asked to see a packet
 * @r:		Ring
 *
 * Return: whether
 */
static inline bool vt_wanted(const struct vt_vring *r)
{
	return vt_own_get(&r->snap.want) == 1;
}

/**
 * vt_copy_out() - Copy a chain's readable bytes, each read once
 * @w:		Window
 * @c:		Chain
 * @to:		Where to
 * @room:	Bytes that fit
 *
 * Return: bytes
 */
static uint32_t vt_copy_out(const struct vt_window *w, const struct vt_chain *c, unsigned char *to, uint32_t room)
{
	uint32_t done = 0, k;

	for (k = 0; k < c->out && done < room; k++) {
		const struct iovec *p = &w->piece[c->first + k];
		uint32_t here = p->iov_len < room - done ? (uint32_t)p->iov_len : room - done;

		memcpy(to + done, p->iov_base, here);
		done += here;
	}
	vt_compiler_barrier();
	return done;
}

/**
 * vt_spin() - Look at avail.idx for about a microsecond
 * @r:		Ring
 *
 * Return: 1 when it has moved on, else 0
 */
static int vt_spin(struct vt_vring *r)
{
	uint32_t spins;

	for (spins = 0; spins < VT_SPINS; spins++) {
		if (vt_load_acquire_u16(r->queue.avail + 2) != r->queue.avail_seen)
			return 1;
		vt_pause();
	}
	return 0;
}

/**
 * vt_port_readable() - Whether a frame waits at the port
 * @r:		Ring
 *
 * Return: whether
 */
static bool vt_port_readable(struct vt_vring *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	vt_count(&r->counts.syscalls, 1);
	return poll(&p, 1, 0) > 0 && p.revents & POLLIN;
}

#endif /* VT_PORT_H */
