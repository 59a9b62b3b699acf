/* SPDX-License-Identifier: MIT
 *
 * The engine under a hostile driver, for libFuzzer: the input says where the rings lie and what was acknowledged, then
 * what is written into guest memory, what arrives at the port, and when the device takes a turn. Guest memory lies
 * between pages that nobody may touch; what no descriptor offers must be as it was.
 *
 * Built and run by test_ring.py; a crash is run again with the program and the file alone.
 */
#include <assert.h>
#include <sys/socket.h>

#include "control.h"

#define RX VT_RX
#define TX VT_TX
#define REGIONS 3
#define SPACE 0x40000
#define OPS 400
#define HEADER 12

/* Three regions: a hole in guest addresses after the first, none between the others, holes here everywhere. */
static const struct {
	uint64_t gpa, size, at;
} PLACE[REGIONS] = {
	{ 0x0, 0x8000, 0x1000 },
	{ 0x20000, 0x4000, 0x10000 },
	{ 0x24000, 0x1000, 0x20000 },
};
static const uint32_t LENGTHS[] = { 1, 12, 13, 60, 1514, 1526, 4096, 9000, 65562 };

struct input {
	const uint8_t *at;
	size_t left;
};

static unsigned char *space;
static unsigned char before[0x1000];
static int port[2][2];	/* of each ring: the device's end, ours */
static int bell;

static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	bytes = bytes < in->left ? bytes : in->left;
	memcpy(&value, in->at, bytes);
	in->at += bytes;
	in->left -= bytes;
	return value;
}

static unsigned char *region(uint32_t i)
{
	return space + PLACE[i % REGIONS].at;
}

/* A datagram is a frame; both ends never wait. */
static void open_ports(void)
{
	int i, big = 1 << 20;

	for (i = 0; i < 2; i++) {
		assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, port[i]));
		setsockopt(port[i][1], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	}
	bell = eventfd(0, EFD_NONBLOCK);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint32_t i;

	(void)argc, (void)argv;
	space = mmap(NULL, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(space != MAP_FAILED);
	for (i = 0; i < REGIONS; i++)
		assert(!mprotect(region(i), PLACE[i].size, PROT_READ | PROT_WRITE));
	open_ports();
	return 0;
}

static void drain(int fd)
{
	static unsigned char frame[1 << 18];

	while (recv(fd, frame, sizeof(frame), 0) > 0)
		;
}

static void tell_table(struct vt_engine *e, uint32_t n)
{
	uint64_t told[3 * REGIONS];
	uint32_t i;

	for (i = 0; i < n; i++) {
		told[3 * i] = PLACE[i].gpa;
		told[3 * i + 1] = PLACE[i].gpa + PLACE[i].size - 1;
		told[3 * i + 2] = (uintptr_t)region(i);
	}
	assert(!vt_engine_table(e, told, n));
}

/* The parts may overlap each other, as a hostile driver's would; they lie in the first region, as control checks. */
static uint64_t features;

static void tell_ring(struct vt_engine *e, struct input *in, uint32_t index)
{
	uint32_t num = 1u << take(in, 1) % 9;
	uint64_t at[3];

	at[0] = take(in, 2) % (PLACE[0].size - 16 * num + 1);
	at[1] = take(in, 2) % (PLACE[0].size - (6 + 2 * num) + 1) & ~1ull;
	at[2] = take(in, 2) % (PLACE[0].size - (6 + 8 * num) + 1) & ~3ull;
	if (in->left % 4) {	/* mostly apart, as a driver's are */
		at[0] = 0x2000 * index;
		at[1] = at[0] + 16 * num;
		at[2] = (at[1] + 6 + 2 * num + 3) & ~3ull;
	}
	assert(!vt_engine_ring(e, (int)index, num, (uintptr_t)region(0) + at[0], (uintptr_t)region(0) + at[1],
			       (uintptr_t)region(0) + at[2], features));
}

static void attach(struct vt_engine *e, struct input *in, uint32_t index)
{
	uint32_t what = (uint32_t)take(in, 1);
	uint32_t base = (uint32_t)take(in, 2), frame_max = what & 1 ? 65550 : 1514;
	int fd = what & 2 ? -1 : port[index][0];

	vt_engine_attach(e, (int)index, base, 1, fd, what & 4 ? 10 : HEADER, what & 8 ? 0 : what & 4 ? 10 : HEADER,
			 frame_max);
}

/* A chain as a driver would write it, from what the input says, and its head made available. */
static void offer(struct vt_engine *e, struct input *in, uint32_t index)
{
	struct vt_queue *q = &e->ring[index].queue;
	uint32_t n = (uint32_t)take(in, 1) % 4 + 1, head = (uint32_t)take(in, 1) % q->num, i;
	uint16_t idx = vt_load_relaxed_u16(q->avail + 2);

	for (i = 0; i < n; i++) {
		uint32_t where = (uint32_t)take(in, 1), flags = (uint32_t)take(in, 1);
		struct vt_desc d = {
			.addr = PLACE[where % REGIONS].gpa + take(in, 2) % (PLACE[where % REGIONS].size + 16),
			.len = where & 0x80 ? (uint32_t)take(in, 4) : (uint32_t)take(in, 1) * (where & 0x40 ? 64 : 1),
			.flags = (uint16_t)((index == RX ? VT_F_WRITE : 0) ^ (flags & 0x70 ? 0 : flags & 7)),
			.next = (uint16_t)((head + i + 1) % q->num),
		};

		if (i + 1 < n)
			d.flags |= VT_F_NEXT;
		memcpy((void *)(q->desc + 16 * ((head + i) % q->num)), &d, sizeof(d));
	}
	vt_store_relaxed_u16(q->avail + 4 + 2 * (idx & (q->num - 1)), (uint16_t)head);
	vt_store_release_u16(q->avail + 2, (uint16_t)(idx + 1));
}

/* Random bytes anywhere in guest memory: an indirect table, an index that jumps, a flag. */
static void scribble(struct input *in)
{
	uint32_t where = (uint32_t)take(in, 1) % REGIONS, len = (uint32_t)take(in, 1) % 64;
	uint64_t at = take(in, 2) % (PLACE[where].size - 64);

	while (len--)
		region(where)[at++] = (unsigned char)take(in, 1);
}

static void arrive(struct input *in)
{
	static unsigned char frame[65562];
	uint32_t len = LENGTHS[take(in, 1) % (sizeof(LENGTHS) / sizeof(*LENGTHS))];

	memset(frame, (int)take(in, 1), len < 64 ? len : 64);
	if (send(port[RX][1], frame, len, 0) < 0)
		return;
}

/* Sending writes the used ring and nothing else; whatever it was, the turn has put all back that is not done. */
static void turn(struct vt_engine *e, uint32_t index)
{
	struct vt_vring *r = &e->ring[index];

	memcpy(before, region(2), sizeof(before));
	vt_requests(e);
	r->resting = false;
	vt_take_turn(e, index);
	if (index == TX)
		assert(!memcmp(before, region(2), sizeof(before)));
	assert(r->window.begin == 0 && r->window.end == 0 && r->filled == 0);
	assert(r->moved <= VT_PACKETS_A_TURN);
	assert(vt_guard_now == NULL);
	drain(port[TX][1]);
	e->ready = e->news = 0;
}

static void act(struct vt_engine *e, struct input *in)
{
	static unsigned char seen[256];
	uint32_t what = (uint32_t)take(in, 1), index = what >> 7, len = 0;

	switch (what % 16) {
	case 0 ... 4: offer(e, in, index); break;
	case 5 ... 6: scribble(in); break;
	case 7 ... 9: turn(e, index); break;
	case 10: arrive(in); break;
	case 11: vt_engine_hold(e, (int)index, (int)take(in, 1) & 1); break;
	case 12: vt_engine_release(e, (int)index, (uint32_t)take(in, 1) % 8); break;
	case 13: attach(e, in, index); break;
	case 14: tell_table(e, 2 + (uint32_t)take(in, 1) % 2); tell_ring(e, in, index); break;
	default: vt_engine_last_packet(e, (int)index, 1, seen, sizeof(seen), &len); break;
	}
}

/* An engine as if it were new: making one anew would cost more than all it then does. */
static struct vt_engine *fresh(uint32_t quarantine, uint32_t plain)
{
	static struct vt_engine *engine[2], *like_new[2];
	struct vt_engine *e = engine[plain];
	struct vt_uring uring;
	int i;

	if (!e) {
		e = engine[plain] = vt_engine_new(0, 0);
		assert(e);
		if (plain)
			vt_engine_plain(e);
		for (i = 0; i < 2; i++)
			assert(!vt_open_port(e, &e->ring[i], port[i][0]));
		vt_engine_detach(e, RX);
		vt_engine_detach(e, TX);
		like_new[plain] = malloc(sizeof(*e));
		assert(like_new[plain]);
		memcpy(like_new[plain], e, sizeof(*e));
	}
	uring = e->uring;
	memcpy(e, like_new[plain], sizeof(*e));
	e->uring = uring;
	e->quarantine = quarantine;
	return e;
}

static void finish(struct vt_engine *e)
{
	int i;

	for (i = 0; i < 2; i++) {
		vt_engine_detach(e, i);
		vt_engine_doorbells(e, i, -1, -1, -1);
	}
	free(e->regions);
	e->regions = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t BITS[] = { VT_BIT(VT_EVENT_IDX), VT_BIT(VT_INDIRECT_DESC), VT_BIT(VT_MRG_RXBUF),
					 VT_BIT(VT_NOTIFY_ON_EMPTY), VT_BIT(VT_NET_HDR) };
	struct input in = { data, size };
	uint32_t chosen = (uint32_t)take(&in, 1), i;
	struct vt_engine *e = fresh(chosen & 0x20, !(chosen & 0x40));

	for (features = 0, i = 0; i < sizeof(BITS) / sizeof(*BITS); i++)
		features |= chosen & 1u << i ? BITS[i] : 0;
	for (i = 0; i < REGIONS; i++)
		memset(region(i), 0, PLACE[i].size);
	tell_table(e, REGIONS);
	for (i = 0; i < 2; i++) {
		drain(port[i][0]);
		drain(port[i][1]);
		tell_ring(e, &in, i);
		vt_engine_doorbells(e, (int)i, -1, bell, bell);
		attach(e, &in, i);
	}
	for (i = 0; i < OPS && in.left; i++)
		act(e, &in);
	finish(e);
	return 0;
}
