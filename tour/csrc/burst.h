/* SPDX-License-Identifier: MIT
 *
 * Packets by the burst over the queue of driver.h: frames lie one after another in memory of the caller.
 */
#ifndef VT_BURST_H
#define VT_BURST_H

#include "driver.h"

/**
 * vt_driver_length() - A length from the caller's list, which need not be aligned
 * @lengths:	The list
 * @n:		Place in it
 *
 * Return: the length
 */
static uint32_t vt_driver_length(const void *lengths, uint32_t n)
{
	uint32_t len;

	memcpy(&len, (const char *)lengths + (size_t)n * sizeof(len), sizeof(len));
	return len;
}

/**
 * vt_driver_tell_length() - Put a length into the caller's list
 * @lengths:	The list
 * @n:		Place in it
 * @len:	Length
 */
static void vt_driver_tell_length(void *lengths, uint32_t n, uint32_t len)
{
	memcpy((char *)lengths + (size_t)n * sizeof(len), &len, sizeof(len));
}

/**
 * vt_driver_copy() - Cut a header and a frame into the slots of a chain
 * @d:		Queue
 * @i:		First slot; the others follow by @next
 * @header:	Bytes of virtio_net_hdr, NULL for zeros
 * @frame:	Frame
 * @len:	Its bytes
 */
static void vt_driver_copy(const struct vt_driver *d, uint16_t i, const uint8_t *header, const uint8_t *frame, uint32_t len)
{
	uint8_t *to = vt_driver_slot(d, i);
	uint32_t room = d->at.room - d->header_len;

	if (header)
		memcpy(to, header, d->header_len);
	else
		memset(to, 0, d->header_len);
	to += d->header_len;
	for (;;) {
		uint32_t here = len < room ? len : room;

		memcpy(to, frame, here);
		frame += here;
		len -= here;
		if (!len)
			return;
		i = d->next[i];
		to = vt_driver_slot(d, i);
		room = d->at.room;
	}
}

/**
 * vt_driver_link() - Describe a chain of several slots: linked, or in an indirect table where that was negotiated
 * @d:		Queue
 * @head:	First slot
 * @pieces:	Slots
 * @total:	Bytes in all
 */
static void vt_driver_link(struct vt_driver *d, uint16_t head, uint32_t pieces, uint32_t total)
{
	uint64_t table = d->at.tables + (uint64_t)head * VT_DRIVER_PIECES * VT_DRIVER_DESC;
	uint16_t i = head;
	uint32_t n;

	for (n = 0; n < pieces; n++) {
		uint32_t here = total < d->at.room ? total : d->at.room;
		uint16_t flags = n + 1 < pieces ? VT_DRIVER_NEXT : 0;

		if (d->indirect)
			vt_driver_write_desc(table + n * VT_DRIVER_DESC, d->at.slots_gpa + (uint64_t)i * d->at.stride, here,
					     flags, flags ? (uint16_t)(n + 1) : 0);
		else
			vt_driver_say(d, i, here, flags, flags ? d->next[i] : 0);
		total -= here;
		i = d->next[i];
	}
	if (d->indirect)
		vt_driver_say(d, head, pieces * VT_DRIVER_DESC, VT_DRIVER_INDIRECT, 0);
}

/**
 * vt_driver_add() - Add one packet: its bytes into slots, its chain into the next entry
 * @d:		Queue with @pieces descriptors free
 * @header:	See vt_driver_copy()
 * @frame:	Frame
 * @len:	Its bytes
 * @pieces:	Slots it takes
 */
static void vt_driver_add(struct vt_driver *d, const uint8_t *header, const uint8_t *frame, uint32_t len, uint32_t pieces)
{
	uint16_t head = vt_driver_take(d), last = head;
	uint32_t n;

	for (n = 1; n < pieces; n++) {
		uint16_t i = vt_driver_take(d);

		d->next[last] = i;
		last = i;
	}
	d->taken[head] = (uint16_t)pieces;
	vt_driver_copy(d, head, header, frame, len);
	if (pieces == 1)
		vt_driver_say(d, head, d->header_len + len, 0, 0);
	else
		vt_driver_link(d, head, pieces, d->header_len + len);
	vt_driver_enter(d, head);
	d->counts.packets++;
	d->counts.bytes += len;
}

/**
 * vt_driver_pieces() - How many slots a frame takes
 * @d:		Queue
 * @len:	Its bytes
 *
 * Return: slots
 */
static uint64_t vt_driver_pieces(const struct vt_driver *d, uint32_t len)
{
	uint64_t total = (uint64_t)len + d->header_len;

	return total <= d->at.room ? 1 : (total + d->at.room - 1) / d->at.room;
}

/**
 * vt_driver_room_for() - Have that many descriptors free, taking back what was sent if need be
 * @d:		Queue
 * @pieces:	Descriptors
 *
 * Return: 1, 0 when the device has not used enough yet, or a fault
 */
static int vt_driver_room_for(struct vt_driver *d, uint32_t pieces)
{
	int ret;

	if (d->free_count >= pieces)
		return 1;
	/* What waits may be what keeps the device from using more. */
	vt_driver_publish(d);
	ret = vt_driver_reap(d);
	return ret < 0 ? ret : d->free_count >= pieces;
}

/**
 * vt_driver_send() - Send packets that lie one after another, as many as the ring takes now
 * @d:		Transmit queue
 * @frames:	The frames
 * @size:	Bytes there
 * @lengths:	Bytes of each; NULL: each has @each
 * @each:	See @lengths
 * @count:	Frames
 * @headers:	A virtio_net_hdr of 12 bytes for each, NULL for zeros
 *
 * Return: packets taken, or a fault when the first was not
 */
static int vt_driver_send(struct vt_driver *d, const void *frames, uint64_t size, const void *lengths,
			  uint32_t each, uint32_t count, const void *headers)
{
	const uint8_t *frame = frames, *header = headers;
	uint32_t n;
	int ret = 0;

	for (n = 0; n < count; n++) {
		uint32_t len = lengths ? vt_driver_length(lengths, n) : each;
		uint64_t pieces = vt_driver_pieces(d, len);

		if (len > size)
			ret = vt_driver_fault(d, VT_DRIVER_TOO_FEW, n, len);
		else if (pieces > VT_DRIVER_PIECES || pieces > d->at.num)
			ret = vt_driver_fault(d, VT_DRIVER_TOO_LARGE, n, len);
		else
			ret = vt_driver_room_for(d, (uint32_t)pieces);
		if (ret <= 0)
			break;
		vt_driver_add(d, header, frame, len, (uint32_t)pieces);
		frame += len;
		header = header ? header + VT_DRIVER_HEADER : NULL;
		size -= len;
		vt_driver_publish_some(d);
	}
	vt_driver_publish(d);
	return ret < 0 && !n ? ret : (int)n;
}

/**
 * vt_driver_offer() - Offer every free slot to receive into
 * @d:		Receive queue
 *
 * Return: slots offered
 */
static int vt_driver_offer(struct vt_driver *d)
{
	int n;

	for (n = 0; d->free_count; n++) {
		uint16_t i = vt_driver_take(d);

		d->taken[i] = 1;
		vt_driver_say(d, i, d->at.room, VT_DRIVER_WRITE, 0);
		vt_driver_enter(d, i);
	}
	vt_driver_publish(d);
	return n;
}

/**
 * vt_driver_measure() - Look at the packet that waits, without taking it
 * @d:		Receive queue
 * @waiting:	Used elements that wait
 * @total:	Its bytes, header included
 *
 * Return: chains it takes, 0 when not all of them are there, or a fault
 */
static int vt_driver_measure(struct vt_driver *d, uint32_t waiting, uint64_t *total)
{
	uint32_t len, n, buffers = 1;
	int head = vt_driver_used(d, 0, d->at.room, &len);

	if (head < 0)
		return head;
	if (len < d->header_len)
		return vt_driver_fault(d, VT_DRIVER_SHORT_USED, (uint32_t)head, len);
	if (d->mergeable) {
		const uint8_t *at = vt_driver_slot(d, (uint32_t)head) + 10;

		buffers = (uint32_t)at[0] | (uint32_t)at[1] << 8;
	}
	if (!buffers || buffers > d->at.num)
		return vt_driver_fault(d, VT_DRIVER_BUFFERS, (uint32_t)head, buffers);
	*total = len;
	if (buffers > waiting)
		return 0;
	for (n = 1; n < buffers; n++) {
		head = vt_driver_used(d, n, d->at.room, &len);
		if (head < 0)
			return head;
		*total += len;
	}
	return (int)buffers;
}

/**
 * vt_driver_collect() - Take the packet that was measured, and offer its slots again
 * @d:		Receive queue
 * @chains:	Chains it takes
 * @room:	Bytes its frame had then
 * @into:	Where its frame goes
 * @header:	Where its header goes, may be NULL
 *
 * Each element is read and checked anew: the device may have changed it since. Then the frame may be shorter, never
 * longer, than was measured.
 *
 * Return: bytes of the frame, or a fault
 */
static int64_t vt_driver_collect(struct vt_driver *d, uint32_t chains, uint64_t room, uint8_t *into, uint8_t *header)
{
	uint64_t done = 0;
	uint32_t n, skip = d->header_len;

	for (n = 0; n < chains; n++) {
		uint32_t len;
		int head = vt_driver_used(d, 0, d->at.room, &len);
		const uint8_t *from;

		if (head < 0)
			return head;
		from = vt_driver_slot(d, (uint32_t)head);
		if (!n && header)
			memcpy(header, from, d->header_len);
		len = len > skip ? len - skip : 0;
		if (len > room - done)
			len = (uint32_t)(room - done);
		memcpy(into + done, from + skip, len);
		done += len;
		skip = 0;
		d->last_used++;
		d->outstanding--;
		vt_driver_enter(d, (uint16_t)head);
	}
	d->counts.packets++;
	d->counts.bytes += done;
	return (int64_t)done;
}

/**
 * vt_driver_recv() - Receive packets, one after another into memory of the caller; buffers are offered again at once
 * @d:		Receive queue
 * @into:	Where the frames go
 * @size:	Bytes there
 * @lengths:	Where each frame's bytes are told
 * @count:	Frames at most
 * @headers:	Where each virtio_net_hdr goes, 12 bytes each; may be NULL
 *
 * Return: frames received, or a fault when there was none before it
 */
static int vt_driver_recv(struct vt_driver *d, void *into, uint64_t size, void *lengths, uint32_t count,
			  void *headers)
{
	int waiting = vt_driver_waiting(d), chains = 0;
	uint8_t *to = into, *header = headers;
	uint32_t n;

	if (waiting < 0)
		return waiting;
	for (n = 0; n < count && waiting; n++) {
		uint64_t total = 0;
		int64_t got;

		chains = vt_driver_measure(d, (uint32_t)waiting, &total);
		if (chains > 0 && total - d->header_len > size)
			chains = n ? 0 : vt_driver_fault(d, VT_DRIVER_TOO_LARGE, 0, total - d->header_len);
		if (chains <= 0)
			break;
		got = vt_driver_collect(d, (uint32_t)chains, total - d->header_len, to, header);
		if (got < 0) {
			chains = (int)got;
			break;
		}
		waiting -= chains;
		vt_driver_tell_length(lengths, n, (uint32_t)got);
		to += got;
		header = header ? header + VT_DRIVER_HEADER : NULL;
		size -= (uint64_t)got;
		vt_driver_publish_some(d);
	}
	vt_driver_publish(d);
	return chains < 0 && !n ? chains : (int)n;
}

#endif /* VT_BURST_H */
