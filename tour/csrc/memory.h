/* SPDX-License-Identifier: MIT
 *
 * Guest memory at speed: the one door from a guest address to an address of ours (tour/memory/table.py), and the
 * dirty log (tour/memory/dirty.py). Whoever calls has mapped the regions; what is in no region is not touched.
 */
#ifndef VT_MEMORY_H
#define VT_MEMORY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "barrier.h"

/* VHOST_PAGE_SIZE (linux/vhost.h): a bit of the dirty log stands for this many bytes. */
#define VT_LOG_PAGE 4096

/* Guest addresses @first to @last (both inside) are at @hva. */
struct vt_region {
	uint64_t first, last;
	uintptr_t hva;
};

/* Regions sorted by @first, none overlapping another. */
struct vt_table {
	const struct vt_region *region;
	uint32_t n;
};

/* The dirty log: @size bytes at @bitmap, 0 while there is none. */
struct vt_log {
	uintptr_t bitmap;
	uint64_t size;
	uint64_t used_gpa;
	bool used;	/* writes to the used ring are noted, at @used_gpa */
	bool all;	/* LOG_ALL: writes to buffers are noted */
};

/**
 * vt_table_order() - Make regions as told into a table: sorted, and of two that overlap the lower start wins
 * @region:	Regions in the order they were told; changed in place
 * @n:		How many
 *
 * The kernel takes overlapping regions too and looks for the lowest start (vhost_iotlb_itree_first(),
 * drivers/vhost/iotlb.c@6.1); of equal starts the one told first wins.
 *
 * Return: regions left
 */
static uint32_t vt_table_order(struct vt_region *region, uint32_t n)
{
	uint32_t i, j, kept = 0;
	uint64_t end = 0;

	for (i = 1; i < n; i++) {
		struct vt_region moved = region[i];

		for (j = i; j > 0 && region[j - 1].first > moved.first; j--)
			region[j] = region[j - 1];
		region[j] = moved;
	}
	for (i = 0; i < n; i++) {
		struct vt_region r = region[i];

		if (kept && r.first <= end) {
			if (r.last <= end)
				continue;
			r.hva += (uintptr_t)(end - r.first) + 1;
			r.first = end + 1;
		}
		end = r.last;
		region[kept++] = r;
	}
	return kept;
}

/**
 * vt_region_of() - The region that holds a guest address
 * @t:		Table
 * @hint:	Where the one before was found: most buffers lie where the last one lay
 * @gpa:	Guest address
 *
 * Return: region, NULL if there is none
 */
static inline const struct vt_region *vt_region_of(const struct vt_table *t, uint32_t *hint, uint64_t gpa)
{
	uint32_t i;

	if (*hint < t->n && t->region[*hint].first <= gpa && gpa <= t->region[*hint].last)
		return &t->region[*hint];
	for (i = 0; i < t->n && t->region[i].first <= gpa; i++)
		if (gpa <= t->region[i].last) {
			*hint = i;
			return &t->region[i];
		}
	return NULL;
}

/**
 * vt_map() - Find a guest range in this process
 * @t:		Table
 * @hint:	See vt_region_of()
 * @gpa:	Guest address
 * @len:	Bytes; none give no piece
 * @piece:	Where to put the pieces, NULL to only look
 * @room:	How many fit
 *
 * Return: pieces, -1 if a byte is in no region or past 2^64, -2 if there are more than @room
 */
static int vt_map(const struct vt_table *t, uint32_t *hint, uint64_t gpa, uint64_t len, struct iovec *piece,
		  uint32_t room)
{
	uint32_t n = 0;

	if (len && gpa > UINT64_MAX - (len - 1))
		return -1;
	for (; len; n++) {
		const struct vt_region *r = vt_region_of(t, hint, gpa);
		uint64_t here;

		if (!r)
			return -1;
		here = r->last - gpa < len - 1 ? r->last - gpa + 1 : len;
		if (piece && n < room) {
			/* SAFETY: [gpa, gpa + here) lies in @r, which control has mapped at r->hva */
			piece[n].iov_base = (void *)(r->hva + (uintptr_t)(gpa - r->first));
			piece[n].iov_len = here;
		}
		gpa += here;
		len -= here;
	}
	return piece && n > room ? -2 : (int)n;
}

/**
 * vt_log_mark() - Note written guest memory; what lies beyond the log is not noted
 * @log:	Dirty log
 * @gpa:	Guest address
 * @len:	Bytes written
 */
static void vt_log_mark(const struct vt_log *log, uint64_t gpa, uint64_t len)
{
	uint64_t page = gpa / VT_LOG_PAGE, last;

	if (!log->size || !len || gpa > UINT64_MAX - (len - 1))
		return;
	last = (gpa + len - 1) / VT_LOG_PAGE;
	if (last / 8 >= log->size)
		return;
	for (; page <= last; page++)
		vt_or_u8(log->bitmap + page / 8, (uint8_t)(1u << page % 8));
}

#endif /* VT_MEMORY_H */
