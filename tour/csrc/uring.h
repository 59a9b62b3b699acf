/* SPDX-License-Identifier: MIT
 *
 * Many reads or writes in one system call: io_uring through its three calls, without a library. Whether it can really
 * be used is found by doing (vt_uring_open()); where it cannot, the port does one call a packet. No memory of the
 * guest's is registered, and nothing stays in flight: vt_uring_run() returns when all it submitted has completed.
 *
 * The port's descriptor must be O_NONBLOCK, or the kernel hands every request to a thread (seen on 6.1).
 * Source: Documentation of io_uring_setup(2), io_uring_enter(2); linux/io_uring.h.
 */
#ifndef VT_URING_H
#define VT_URING_H

#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What became of a request that was never submitted. */
#define VT_UNSENT INT32_MIN

#if defined(__has_include)
#if __has_include(<linux/io_uring.h>) && defined(__NR_io_uring_setup)
#include <linux/io_uring.h>
#ifdef IORING_FEAT_SINGLE_MMAP
#define VT_HAS_URING 1
#endif
#endif
#endif

#ifdef VT_HAS_URING

/* An io_uring of VT_BATCH entries; @fd -1: not open. */
struct vt_uring {
	int fd;
	bool tried, holds;
	uint32_t *sq_head, *sq_tail, *cq_head, *cq_tail;
	uint32_t sq_mask, cq_mask, tail;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	unsigned char *rings;
	size_t rings_size, sqes_size;
};

/**
 * vt_uring_put() - Add a request to those of the next vt_uring_run()
 * @u:		io_uring
 * @op:		IORING_OP_READ, _WRITE, _READV, _WRITEV
 * @fd:		Descriptor; below 0: the registered file ~@fd (vt_uring_files())
 * @addr:	Buffer, or the pieces
 * @len:	Bytes, or how many pieces
 * @flags:	RWF_*
 * @mark:	Place of its result
 */
static inline void vt_uring_put(struct vt_uring *u, uint8_t op, int fd, const void *addr, uint32_t len, int flags,
				uint32_t mark)
{
	struct io_uring_sqe *e = &u->sqe[u->tail++ & u->sq_mask];

	memset(e, 0, sizeof(*e));
	e->opcode = op;
	e->fd = fd < 0 ? ~fd : fd;
	e->flags = fd < 0 ? IOSQE_FIXED_FILE : 0;
	e->addr = (uintptr_t)addr;
	e->len = len;
	e->rw_flags = flags;
	e->user_data = mark;
}

static uint32_t vt_uring_reap(struct vt_uring *u, int32_t *res)
{
	uint32_t head = *u->cq_head, tail = vt_uring_load(u->cq_tail), n = tail - head;

	for (; head != tail; head++) {
		const struct io_uring_cqe *c = &u->cqe[head & u->cq_mask];

		res[c->user_data] = c->res;
	}
	vt_uring_store(u->cq_head, head);
	return n;
}

/**
 * vt_uring_drop() - Forget what was added and not submitted: the kernel looks at the queue inside io_uring_enter only
 * @u:		io_uring
 */
static inline void vt_uring_drop(struct vt_uring *u)
{
	u->tail = vt_uring_load(u->sq_head);
	vt_uring_store(u->sq_tail, u->tail);
}

/**
 * vt_uring_run() - Submit all requests added and wait until each has completed
 * @u:		io_uring
 * @res:	Results by mark, VT_UNSENT beforehand; stays so for what the kernel did not take
 *
 * Return: system calls made
 */
static uint32_t vt_uring_run(struct vt_uring *u, int32_t *res)
{
	uint32_t left = u->tail - vt_uring_load(u->sq_head), open = 0, calls = 0;

	vt_uring_store(u->sq_tail, u->tail);
	while (left || open) {
		long ret = syscall(__NR_io_uring_enter, u->fd, left, left + open, IORING_ENTER_GETEVENTS, NULL, 0);

		calls++;
		if (ret > 0) {
			left -= (uint32_t)ret;
			open += (uint32_t)ret;
		} else if (left && !(ret < 0 && errno == EINTR)) {
			vt_uring_drop(u);
			left = 0;
		} else if (ret < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY) {
			break;
		}
		open -= vt_uring_reap(u, res);
	}
	return calls;
}

/**
 * vt_uring_files() - Let the kernel hold these files, so that it looks none up for each request
 * @u:		io_uring, open or not; nothing is in flight
 * @fds:	Two descriptors, -1 for none; those of the last call are let go of, at once
 *
 * A tap's write is about 7 % faster so (seen on 6.18). Guest memory is not registered.
 *
 * Return: whether it holds them
 */
static bool vt_uring_files(struct vt_uring *u, const int fds[2])
{
	if (u->fd < 0)
		return false;
	/* Not IORING_REGISTER_FILES_UPDATE: on 6.1 that keeps a file that was taken out for up to a second. */
	if (u->holds)
		syscall(__NR_io_uring_register, u->fd, IORING_UNREGISTER_FILES, NULL, 0);
	u->holds = (fds[0] >= 0 || fds[1] >= 0) &&
		   !syscall(__NR_io_uring_register, u->fd, IORING_REGISTER_FILES, fds, 2);
	return u->holds;
}

static bool vt_uring_map(struct vt_uring *u, const struct io_uring_params *p)
{
	size_t sq = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
	size_t cq = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	uint32_t *array, i;
	int prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;

	u->rings_size = sq > cq ? sq : cq;
	u->sqes_size = p->sq_entries * sizeof(struct io_uring_sqe);
	u->rings = mmap(NULL, u->rings_size, prot, flags, u->fd, IORING_OFF_SQ_RING);
	u->sqe = mmap(NULL, u->sqes_size, prot, flags, u->fd, IORING_OFF_SQES);
	if (u->rings == MAP_FAILED || u->sqe == MAP_FAILED)
		return false;
	/* SAFETY: the kernel gave these offsets for this mapping; its words are aligned for their types */
	u->sq_head = (uint32_t *)(void *)(u->rings + p->sq_off.head);
	u->sq_tail = (uint32_t *)(void *)(u->rings + p->sq_off.tail);
	u->cq_head = (uint32_t *)(void *)(u->rings + p->cq_off.head);
	u->cq_tail = (uint32_t *)(void *)(u->rings + p->cq_off.tail);
	u->cqe = (struct io_uring_cqe *)(void *)(u->rings + p->cq_off.cqes);
	array = (uint32_t *)(void *)(u->rings + p->sq_off.array);
	u->sq_mask = p->sq_entries - 1;
	u->cq_mask = p->cq_entries - 1;
	for (i = 0; i < p->sq_entries; i++)
		array[i] = i;
	u->tail = *u->sq_tail;
	return true;
}

/**
 * vt_uring_close() - Let go of it
 * @u:		io_uring, open or not
 */
static void vt_uring_close(struct vt_uring *u)
{
	if (u->rings && u->rings != MAP_FAILED)
		munmap(u->rings, u->rings_size);
	if (u->sqe && u->sqe != MAP_FAILED)
		munmap(u->sqe, u->sqes_size);
	if (u->fd >= 0)
		close(u->fd);
	memset(u, 0, sizeof(*u));
	u->fd = -1;
}

/**
 * vt_uring_open() - Set one up and see it write, once
 * @u:		io_uring, closed
 * @probe:	A nonblocking eventfd; nothing is added to it
 *
 * Return: whether it can be used
 */
static bool vt_uring_open(struct vt_uring *u, int probe)
{
	struct io_uring_params p;
	uint64_t nothing = 0;
	int32_t res = VT_UNSENT;

	if (u->tried)
		return u->fd >= 0;
	memset(&p, 0, sizeof(p));
	u->fd = (int)syscall(__NR_io_uring_setup, VT_BATCH, &p);
	if (u->fd >= 0 && p.features & IORING_FEAT_SINGLE_MMAP && vt_uring_map(u, &p)) {
		vt_uring_put(u, IORING_OP_WRITE, probe, &nothing, sizeof(nothing), 0, 0);
		vt_uring_run(u, &res);
	}
	if (res != (int32_t)sizeof(nothing))
		vt_uring_close(u);
	u->tried = true;
	return u->fd >= 0;
}

#else /* no io_uring in the headers: one call a packet */

struct vt_uring {
	int fd;
	bool tried;
};

#define IORING_OP_READV 0
#define IORING_OP_WRITEV 0
#define IORING_OP_READ 0
#define IORING_OP_WRITE 0

static inline void vt_uring_put(struct vt_uring *u, uint8_t op, int fd, const void *addr, uint32_t len, int flags,
				uint32_t mark)
{
	(void)u, (void)op, (void)fd, (void)addr, (void)len, (void)flags, (void)mark;
}

static inline uint32_t vt_uring_run(struct vt_uring *u, int32_t *res)
{
	(void)u, (void)res;
	return 0;
}

static inline void vt_uring_drop(struct vt_uring *u)
{
	(void)u;
}

static inline bool vt_uring_files(struct vt_uring *u, const int fds[2])
{
	(void)u, (void)fds;
	return false;
}

static inline void vt_uring_close(struct vt_uring *u)
{
	u->fd = -1;
}

static inline bool vt_uring_open(struct vt_uring *u, int probe)
{
	(void)probe;
	u->tried = true;
	return false;
}

#endif /* VT_HAS_URING */

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x00000008
#endif

#endif /* VT_URING_H */
