/* SPDX-License-Identifier: MIT
 *
 * Bare loops that tour bench holds our device against: frames through a file descriptor with nothing around, one system
 * call a frame, or a batch of them by io_uring. And a source that fills a tap's queue.
 *
 * Each ends after @count frames or when the descriptor has no more, and tells nanoseconds, frames and system calls.
 */
#ifndef VT_LOOPS_H
#define VT_LOOPS_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "burst.h"
#include "uring.h"

#define VT_LOOP_BATCH 256
/* From one frame's buffer to the next: an odd number of cache lines. */
#define VT_LOOP_STRIDE 2112

struct vt_loop {
	uint64_t ns, frames, syscalls, bytes;
};

/**
 * vt_loop_now() - The monotonic clock
 *
 * Return: nanoseconds
 */
static uint64_t vt_loop_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/**
 * vt_loop_write() - write() a frame again and again
 * @fd:		Descriptor
 * @frame:	Frame with its header
 * @len:	Bytes
 * @count:	How often
 * @t:		What it took
 *
 * Return: 0 or -errno
 */
static int vt_loop_write(int fd, const void *frame, uint32_t len, uint64_t count, struct vt_loop *t)
{
	uint64_t begun = vt_loop_now(), n;
	int ret = 0;

	for (n = 0; n < count && !ret; n++)
		if (write(fd, frame, len) < 0)
			ret = -errno;
	*t = (struct vt_loop){ vt_loop_now() - begun, n, n, n * len };
	return ret;
}

/**
 * vt_loop_read() - read() frames until there are none, each into the next of a batch of buffers
 * @fd:		Descriptor, O_NONBLOCK
 * @buffers:	VT_LOOP_BATCH of them, VT_LOOP_STRIDE apart
 * @count:	Frames at most
 * @t:		What it took
 *
 * Return: 0 or -errno
 */
static int vt_loop_read(int fd, void *buffers, uint64_t count, struct vt_loop *t)
{
	uint64_t begun = vt_loop_now(), bytes = 0, n;
	ssize_t got = 1;

	for (n = 0; n < count; n++) {
		got = read(fd, (char *)buffers + n % VT_LOOP_BATCH * VT_LOOP_STRIDE, VT_LOOP_STRIDE);
		if (got < 0)
			break;
		bytes += (uint64_t)got;
	}
	*t = (struct vt_loop){ vt_loop_now() - begun, n, n + 1, bytes };
	return got < 0 && errno != EAGAIN ? -errno : 0;
}

/**
 * vt_loop_batch() - One batch by io_uring
 * @u:		io_uring
 * @fd:		Descriptor
 * @reads:	Read, else write
 * @buffers:	To read into, as vt_loop_read() has them; or the one frame to write
 * @len:	Bytes to write
 * @t:		Counted here
 *
 * Return: frames moved
 */
static uint32_t vt_loop_batch(struct vt_uring *u, int fd, int reads, void *buffers, uint32_t len, struct vt_loop *t)
{
	int32_t res[VT_BATCH];
	uint32_t i, moved = 0;

	for (i = 0; i < VT_BATCH; i++) {
		void *at = (char *)buffers + (reads ? (size_t)i * VT_LOOP_STRIDE : 0);

		res[i] = VT_UNSENT;
		/* An empty queue must say EAGAIN, not park the request. */
		vt_uring_put(u, reads ? IORING_OP_READ : IORING_OP_WRITE, fd, at, reads ? VT_LOOP_STRIDE : len,
			     reads ? RWF_NOWAIT : 0, i);
	}
	t->syscalls += vt_uring_run(u, res);
	for (i = 0; i < VT_BATCH; i++) {
		moved += res[i] > 0;
		t->bytes += res[i] > 0 ? (uint64_t)res[i] : 0;
	}
	t->frames += moved;
	return moved;
}

/**
 * vt_loop_uring() - The same by io_uring, VT_BATCH frames for each system call
 * @fd:		Descriptor, O_NONBLOCK
 * @reads:	Read, else write
 * @buffers:	See vt_loop_batch()
 * @len:	Bytes to write
 * @probe:	A nonblocking eventfd
 * @count:	Frames at least
 * @t:		What it took
 *
 * Return: 0, or -ENOSYS where there is no io_uring
 */
static int vt_loop_uring(int fd, int reads, void *buffers, uint32_t len, int probe, uint64_t count, struct vt_loop *t)
{
	struct vt_uring u = { .fd = -1 };
	uint64_t begun;

	memset(t, 0, sizeof(*t));
	if (!vt_uring_open(&u, probe))
		return -ENOSYS;
	begun = vt_loop_now();
	while (t->frames < count)
		if (!vt_loop_batch(&u, fd, reads, buffers, len, t))
			break;
	t->ns = vt_loop_now() - begun;
	vt_uring_close(&u);
	return 0;
}

/**
 * vt_loop_fill() - Send a frame again and again into a packet socket, 64 a system call
 * @fd:		Socket bound to a link
 * @frame:	Frame
 * @len:	Bytes
 * @count:	How often
 *
 * Return: frames the socket took, or -errno
 */
static int64_t vt_loop_fill(int fd, void *frame, uint32_t len, uint64_t count)
{
	struct iovec piece = { frame, len };
	struct mmsghdr messages[64];
	uint64_t n = 0;
	int i, sent;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < 64; i++) {
		messages[i].msg_hdr.msg_iov = &piece;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (n < count) {
		sent = sendmmsg(fd, messages, count - n < 64 ? (unsigned int)(count - n) : 64, 0);
		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN)
			return -errno;
		if (sent <= 0)
			break;
		n += (uint64_t)sent;
	}
	return (int64_t)n;
}

/**
 * vt_loop_ping() - Send one packet, sleep until the call comes, again and again
 * @d:		Transmit queue with nothing outstanding
 * @call:	Call eventfd
 * @frame:	Frame without header
 * @len:	Bytes
 * @count:	How often
 * @ns:		Where each time from before the kick to after the call goes
 *
 * Return: 0, a fault of the queue, or -100 when no call came within a second
 */
static int vt_loop_ping(struct vt_driver *d, int call, const void *frame, uint32_t len, uint32_t count, void *ns)
{
	uint32_t n;

	for (n = 0; n < count; n++) {
		struct pollfd p = { call, POLLIN, 0 };
		uint64_t begun, took, drained;
		int ret = vt_driver_reap(d);

		if (ret < 0)
			return ret;
		(void)vt_driver_calls(d, 1);
		begun = vt_loop_now();
		ret = vt_driver_send(d, frame, len, NULL, len, 1, NULL);
		if (ret < 0)
			return ret;
		if (poll(&p, 1, 1000) != 1)
			return -100;
		took = vt_loop_now() - begun;
		memcpy((char *)ns + n * sizeof(took), &took, sizeof(took));
		(void)!read(call, &drained, sizeof(drained));
		/* A call that came early, for the packet before: the used entry is what counts. */
		while (!vt_driver_waiting(d))
			;
	}
	return 0;
}

/**
 * vt_loop_wait() - Sleep until so many more elements are used
 * @d:		Transmit queue
 * @call:	Call eventfd
 * @count:	Elements, at least 1 and at most those outstanding
 *
 * Return: 0, or -100 when no call came within a second
 */
static int vt_loop_wait(struct vt_driver *d, int call, uint32_t count)
{
	struct pollfd p = { call, POLLIN, 0 };
	uint64_t drained;

	while (!vt_driver_calls(d, count)) {
		if (poll(&p, 1, 1000) != 1)
			return -100;
		(void)!read(call, &drained, sizeof(drained));
	}
	(void)vt_driver_calls(d, 0);
	return 0;
}

/**
 * vt_loop_pump() - Send a burst again and again, asleep while the ring is full
 * @d:		Transmit queue
 * @call:	Call eventfd
 * @frames:	Frames of @len bytes each, one after another
 * @size:	Bytes there
 * @len:	Bytes of each
 * @count:	Frames at least
 *
 * Return: frames sent, a fault of the queue, or -100 as vt_loop_wait()
 */
static int64_t vt_loop_pump(struct vt_driver *d, int call, const void *frames, uint64_t size, uint32_t len, uint64_t count)
{
	uint64_t sent = 0;
	int ret = 1;

	while (sent < count && ret >= 0) {
		ret = vt_driver_send(d, frames, size, NULL, len, (uint32_t)(size / len), NULL);
		sent += ret > 0 ? (uint64_t)ret : 0;
		if (!ret)
			ret = vt_loop_wait(d, call, d->outstanding - d->outstanding / 4);
	}
	while (ret >= 0 && d->outstanding) {
		ret = vt_loop_wait(d, call, d->outstanding);
		ret = ret < 0 ? ret : vt_driver_reap(d);
	}
	return ret < 0 ? ret : (int64_t)sent;
}

/**
 * vt_loop_each() - Send a frame again and again, each published for itself, with its own look whether a kick is wanted
 * @d:		Transmit queue
 * @frame:	Frame without header
 * @len:	Bytes
 * @count:	How often
 *
 * Return: frames sent (fewer when the ring is full), or a fault of the queue
 */
static int64_t vt_loop_each(struct vt_driver *d, const void *frame, uint32_t len, uint32_t count)
{
	uint32_t n;

	for (n = 0; n < count; n++) {
		int ret = vt_driver_send(d, frame, len, NULL, len, 1, NULL);

		if (ret < 0)
			return ret;
		if (!ret)
			break;
	}
	return n;
}

#endif /* VT_LOOPS_H */
