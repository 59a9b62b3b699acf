/* SPDX-License-Identifier: MIT
 *
 * What control tells an engine, while no thread is inside vt_engine_run(); for the rest of engine.cdef see requests.h.
 * Whether control's numbers are acceptable is decided by the caller, as the kernel decides it
 * (tour/device/embedded/checks.py).
 */
#ifndef VT_CONTROL_H
#define VT_CONTROL_H

#include "requests.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#ifndef TUNGETSNDBUF
#define TUNGETSNDBUF _IOR('T', 211, int)	/* linux/if_tun.h */
#endif

#define VT_BIT(n) (1ull << (n))
#define VT_NOTIFY_ON_EMPTY 24
#define VT_LOG_ALL 26
#define VT_NET_HDR 27
#define VT_MRG_RXBUF 15
#define VT_INDIRECT_DESC 28
#define VT_EVENT_IDX 29

static void vt_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A descriptor of our own for the same file: 0 with -1 for -1, or -errno. */
static int vt_dup(int fd, bool nonblocking, int *own)
{
	int flags;

	vt_close(own);
	if (fd < 0)
		return 0;
	*own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (*own < 0)
		return -errno;
	flags = fcntl(*own, F_GETFL);
	if (nonblocking && !(flags & O_NONBLOCK) && fcntl(*own, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

static int vt_watch(struct vt_engine *e, int fd, uint32_t events, uint32_t about)
{
	struct epoll_event ev = { .events = events };

	ev.data.u32 = about;
	return epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* The ports that are attached now, as io_uring knows them. */
static void vt_share_files(struct vt_engine *e)
{
	int fds[2] = { e->ring[VT_RX].fd, e->ring[VT_TX].fd };
	bool held = vt_uring_files(&e->uring, fds);
	int i;

	for (i = 0; i < 2; i++)
		e->ring[i].file = held && fds[i] >= 0 ? ~i : fds[i];
}

/**
 * vt_engine_detach() - Stop a ring; nothing is in flight afterwards
 * @e:		Engine
 * @index:	Ring
 *
 * Return: last_avail_idx
 */
static int vt_engine_detach(struct vt_engine *e, int index)
{
	struct vt_vring *r = &e->ring[index];

	vt_count(&r->counts.dropped, r->stash_end - r->stash_begin);
	r->stash_begin = r->stash_end = 0;
	if (r->fd >= 0)
		epoll_ctl(e->epoll, EPOLL_CTL_DEL, r->fd, NULL);
	vt_close(&r->fd);
	vt_share_files(e);
	r->attached = r->armed = r->dead = r->resting = false;
	vt_own_set(&r->broken, 0);
	e->ready &= ~(1u << index);
	e->lingering &= ~(1u << index);
	e->news &= ~(2u << index);
	return r->queue.last_avail_idx;
}

/**
 * vt_engine_free() - Detach both rings and let go of everything
 * @e:		Engine that no thread is in, or NULL
 */
static void vt_engine_free(struct vt_engine *e)
{
	int i;

	if (!e)
		return;
	for (i = 0; i < 2; i++) {
		struct vt_vring *r = &e->ring[i];

		vt_engine_detach(e, i);
		vt_close(&r->kick);
		vt_close(&r->call);
		vt_close(&r->err);
		vt_close(&r->log_fd);
		free(r->spill);
	}
	vt_uring_close(&e->uring);
	vt_close(&e->epoll);
	vt_close(&e->wake);
	free(e->regions);
	free(e);
}

/**
 * vt_engine_new() - A device side for one queue pair
 * @busy_poll_us:	Microseconds to go on looking after work before sleeping; 0: none
 * @quarantine:		Whether a broken rule stops the ring until it is detached
 *
 * Return: engine, NULL when memory or descriptors are short
 */
static struct vt_engine *vt_engine_new(int busy_poll_us, int quarantine)
{
	struct vt_engine *e = calloc(1, sizeof(*e));
	int i;

	if (!e)
		return NULL;
	e->busy_poll_us = busy_poll_us;
	e->quarantine = quarantine;
	e->uring.fd = -1;
	for (i = 0; i < 2; i++) {
		struct vt_vring *r = &e->ring[i];

		r->fd = r->kick = r->call = r->err = r->log_fd = -1;
		r->queue.num = 1;
		r->queue.table = e->ground[i].table = &e->table;
		r->uring = &e->uring;
	}
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	e->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (e->epoll >= 0 && e->wake >= 0 && !vt_watch(e, e->wake, EPOLLIN, VT_ABOUT_WAKE))
		return e;
	vt_engine_free(e);
	return NULL;
}

/**
 * vt_engine_plain() - Use one system call a packet, as where there is no io_uring; before anything is attached
 * @e:		Engine
 */
static void vt_engine_plain(struct vt_engine *e)
{
	e->uring.tried = true;
}

/**
 * vt_engine_table() - Tell where guest memory lies
 * @e:			Engine
 * @first_last_hva:	@n times: first and last guest address of a region, and where it is mapped
 * @n:			Regions, in the order they were told
 *
 * Return: 0, or -errno
 */
static int vt_engine_table(struct vt_engine *e, const uint64_t *first_last_hva, uint32_t n)
{
	struct vt_region *regions = calloc(n + 1, sizeof(*regions));
	uint32_t i;

	if (!regions)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		regions[i].first = first_last_hva[3 * i];
		regions[i].last = first_last_hva[3 * i + 1];
		regions[i].hva = (uintptr_t)first_last_hva[3 * i + 2];
		if (regions[i].first > regions[i].last) {
			free(regions);
			return -EINVAL;
		}
	}
	free(e->regions);
	e->regions = regions;
	e->table.region = regions;
	e->table.n = vt_table_order(regions, n);
	e->ring[0].queue.hint = e->ring[1].queue.hint = 0;
	return 0;
}

static void vt_set_part(struct vt_ground *g, int i, uint64_t first, uint64_t size)
{
	g->part[i].first = (uintptr_t)first;
	g->part[i].size = size;
}

/**
 * vt_engine_ring() - Tell where a ring lies and what was acknowledged; an attached one goes on where it was
 * @e:		Engine
 * @index:	0 receives, 1 transmits
 * @num:	Size, a power of two up to 32768
 * @desc:	Descriptor table, an address of this process
 * @avail:	Available ring, 2-aligned
 * @used:	Used ring, 4-aligned
 * @features:	Acknowledged feature word
 *
 * Return: 0, or -EINVAL
 */
static int vt_engine_ring(struct vt_engine *e, int index, uint32_t num, uint64_t desc, uint64_t avail, uint64_t used,
			  uint64_t features)
{
	struct vt_vring *r = &e->ring[index];
	struct vt_queue *q = &r->queue;

	if (!num || num > 32768 || num & (num - 1) || avail % 2 || used % 4)
		return -EINVAL;
	q->num = num;
	q->desc = (uintptr_t)desc;
	q->avail = (uintptr_t)avail;
	q->used = (uintptr_t)used;
	q->event_idx = features & VT_BIT(VT_EVENT_IDX);
	q->indirect = features & VT_BIT(VT_INDIRECT_DESC);
	q->notify_on_empty = features & VT_BIT(VT_NOTIFY_ON_EMPTY);
	q->log.all = features & VT_BIT(VT_LOG_ALL);
	r->mergeable = features & VT_BIT(VT_MRG_RXBUF);
	r->supplies = features & VT_BIT(VT_NET_HDR);
	vt_set_part(&e->ground[index], 0, desc, 16 * (uint64_t)num);
	vt_set_part(&e->ground[index], 1, avail, 6 + 2 * (uint64_t)num);
	vt_set_part(&e->ground[index], 2, used, 6 + 8 * (uint64_t)num);
	return 0;
}

/**
 * vt_engine_doorbells() - Tell which eventfds or pipes ring; duplicates are kept
 * @e:		Engine
 * @index:	Ring
 * @kick:	Rung by the driver, -1 none
 * @call:	Rung by us when chains are done, -1 none
 * @err:	Rung by us when the driver broke a rule, -1 none
 *
 * In quarantine, where the other side is a stranger, what we write to is made nonblocking: a full one stops nobody.
 *
 * Return: 0, or -errno
 */
static int vt_engine_doorbells(struct vt_engine *e, int index, int kick, int call, int err)
{
	struct vt_vring *r = &e->ring[index];
	struct stat st;
	int ret;

	if (r->kick >= 0)
		epoll_ctl(e->epoll, EPOLL_CTL_DEL, r->kick, NULL);
	r->kick_pipe = kick >= 0 && !fstat(kick, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	ret = vt_dup(kick, r->kick_pipe, &r->kick);
	ret = ret ? ret : vt_dup(call, e->quarantine, &r->call);
	ret = ret ? ret : vt_dup(err, e->quarantine, &r->err);
	if (ret || r->kick < 0)
		return ret;
	return vt_watch(e, r->kick, EPOLLIN | EPOLLET, VT_ABOUT_KICK + (uint32_t)index);
}

/**
 * vt_engine_log() - Tell where the dirty log is
 * @e:		Engine
 * @index:	Ring
 * @bitmap:	Address of this process; @size 0: there is none
 * @size:	Bytes
 * @used_gpa:	Guest address of the used ring
 * @used_logged:	Whether writes to the used ring are noted
 * @log_fd:	eventfd rung when something was noted, -1 none
 *
 * Return: 0, or -errno
 */
static int vt_engine_log(struct vt_engine *e, int index, uint64_t bitmap, uint64_t size, uint64_t used_gpa,
			 int used_logged, int log_fd)
{
	struct vt_vring *r = &e->ring[index];
	struct vt_log *log = &r->queue.log;

	log->bitmap = (uintptr_t)bitmap;
	log->size = size;
	log->used_gpa = used_gpa;
	log->used = used_logged && size;
	vt_set_part(&e->ground[index], 3, bitmap, size);
	return vt_dup(log_fd, e->quarantine, &r->log_fd);
}

static int vt_begin_at(struct vt_vring *r)
{
	vt_begin(&r->queue, r->settled, r->queue.kicks_wanted);
	return 0;
}

/* How the port is best used: many frames in one call only where the kernel's vhost would (sock_can_batch). */
static int vt_open_port(struct vt_engine *e, struct vt_vring *r, int fd)
{
	int ret = vt_dup(fd, true, &r->fd), sndbuf = 0;
	bool can;

	r->many_writes = r->many_reads = false;
	if (ret || r->fd < 0)
		return ret;
	/* Only what frames really spill into ever becomes memory. */
	if (!r->spill)
		r->spill = malloc(VT_BATCH * (size_t)(VT_FRAME_LIMIT + VT_HEADER_MAX));
	if (!r->spill)
		return -ENOMEM;
	can = vt_uring_open(&e->uring, e->wake);
	r->many_reads = can;
	r->many_writes = can && r->port_header_len == r->header_len && !ioctl(r->fd, TUNGETSNDBUF, &sndbuf) &&
			 sndbuf == INT_MAX;
	return 0;
}

/**
 * vt_engine_attach() - Begin (vhost_vq_init_access, vhost_net_enable_vq)
 * @e:			Engine
 * @index:		Ring
 * @base:		Next available index to read
 * @kicks_wanted:	What used.flags shall say
 * @port_fd:		What frames go to or come from; a duplicate is kept and made nonblocking. -1: the null port
 * @header_len:		Bytes of virtio_net_hdr before a packet in the ring
 * @port_header_len:	Bytes of it that travel with a frame at the port
 * @frame_max:		The largest frame the port gives, without header
 *
 * Return: 0, or -errno (EFAULT: the used ring is not there)
 */
static int vt_engine_attach(struct vt_engine *e, int index, uint32_t base, int kicks_wanted, int port_fd,
			    uint32_t header_len, uint32_t port_header_len, uint32_t frame_max)
{
	struct vt_vring *r = &e->ring[index];
	int ret;

	if (header_len > VT_HEADER_MAX || port_header_len > VT_HEADER_MAX)
		return -EINVAL;
	vt_engine_detach(e, index);
	r->header_len = header_len;
	r->port_header_len = port_header_len;
	r->frame_max = frame_max;
	ret = vt_open_port(e, r, port_fd);
	if (!ret && r->fd >= 0)
		ret = vt_watch(e, r->fd, EPOLLONESHOT, VT_ABOUT_PORT + (uint32_t)index);
	vt_guard_install();
	r->settled = (uint16_t)base;
	r->queue.kicks_wanted = kicks_wanted;
	if (!ret && vt_guarded(r, &e->ground[index], vt_begin_at))
		ret = -EFAULT;
	if (ret) {
		vt_close(&r->fd);
		return ret;
	}
	vt_share_files(e);
	r->attached = true;
	r->filled = 0;
	r->read_ahead = VT_READ_AHEAD;
	r->expect = VT_EXPECT_LEAST;
	r->largest = r->seen = 0;
	if (index == VT_TX)
		e->ready |= 1u << index;
	else
		vt_arm(e, (uint32_t)index);
	return 0;
}

#endif /* VT_CONTROL_H */
