/* SPDX-License-Identifier: MIT
 *
 * Memory order, and nothing else: the only file in which __atomic_* appears.
 *
 * A ring word has one writer and one reader, on two CPUs that agree on nothing but this. Every use is one
 * half of a lettered pair; the letter stands at both places in tour/virtqueue:
 *
 *   Barrier A  driver stores avail.idx (release)       device loads avail.idx (acquire)
 *              so that the device sees the descriptors and the avail entry that lie before the index.
 *   Barrier B  device stores used.idx (release)        driver loads used.idx (acquire)
 *              so that the driver sees the used entry and the bytes of the buffer.
 *   Barrier C  driver: avail.idx, full, used.flags or avail_event
 *              device: used.flags or avail_event, full, avail.idx
 *              so that not both sides go to sleep: a kick is not lost.
 *   Barrier D  device: used.idx, full, avail.flags or used_event
 *              driver: avail.flags or used_event, full, used.idx
 *              the same for a call.
 *
 *
 *   Barrier E  any thread stores a request (release)   the worker takes it (acquire), and the other way its answer
 *              so that what was written for the other is seen with the word. These words are ours, not the guest's.
 *
 * Source: virtio v1.3 2.7.13.3.1, 2.7.13.4.1, 2.7.14.
 *
 * Words in guest memory are little-endian (virtio v1.3 1.4). An address arrives as a number; whoever calls
 * has taken it from the memory table. Aligned addresses only: the layout's alignment rules see to it.
 */
#ifndef VT_BARRIER_H
#define VT_BARRIER_H

#include <endian.h>
#include <stdint.h>

/**
 * vt_load_acquire_u16() - Load a word; nothing after it is read before it (barriers A and B)
 * @addr:	Address of the word, 2-aligned
 *
 * Return: the word
 */
static inline uint16_t vt_load_acquire_u16(uintptr_t addr)
{
	/* SAFETY: @addr came from the memory table and is 2-aligned by the layout */
	return le16toh(__atomic_load_n((const uint16_t *)addr, __ATOMIC_ACQUIRE));
}

/**
 * vt_store_release_u16() - Store a word; nothing before it becomes visible after it (barriers A and B)
 * @addr:	Address of the word, 2-aligned
 * @value:	The word
 */
static inline void vt_store_release_u16(uintptr_t addr, uint16_t value)
{
	/* SAFETY: @addr came from the memory table and is 2-aligned by the layout */
	__atomic_store_n((uint16_t *)addr, htole16(value), __ATOMIC_RELEASE);
}

/**
 * vt_load_relaxed_u16() - Load a word once, untorn, in no particular order
 * @addr:	Address of the word, 2-aligned
 *
 * Return: the word
 */
static inline uint16_t vt_load_relaxed_u16(uintptr_t addr)
{
	/* SAFETY: @addr came from the memory table and is 2-aligned by the layout */
	return le16toh(__atomic_load_n((const uint16_t *)addr, __ATOMIC_RELAXED));
}

/**
 * vt_store_relaxed_u16() - Store a word once, untorn, in no particular order
 * @addr:	Address of the word, 2-aligned
 * @value:	The word
 */
static inline void vt_store_relaxed_u16(uintptr_t addr, uint16_t value)
{
	/* SAFETY: @addr came from the memory table and is 2-aligned by the layout */
	__atomic_store_n((uint16_t *)addr, htole16(value), __ATOMIC_RELAXED);
}

/**
 * vt_load_relaxed_u32() - Load a double word once, untorn, in no particular order
 * @addr:	Address of the double word, 4-aligned
 *
 * Return: the double word
 */
static inline uint32_t vt_load_relaxed_u32(uintptr_t addr)
{
	/* SAFETY: @addr came from the memory table and is 4-aligned by the layout */
	return le32toh(__atomic_load_n((const uint32_t *)addr, __ATOMIC_RELAXED));
}

/**
 * vt_store_relaxed_u32() - Store a double word once, untorn, in no particular order
 * @addr:	Address of the double word, 4-aligned
 * @value:	The double word
 */
static inline void vt_store_relaxed_u32(uintptr_t addr, uint32_t value)
{
	/* SAFETY: @addr came from the memory table and is 4-aligned by the layout */
	__atomic_store_n((uint32_t *)addr, htole32(value), __ATOMIC_RELAXED);
}

/**
 * vt_load_relaxed_u64() - Load a quad word once, untorn, in no particular order
 * @addr:	Address of the quad word, 8-aligned
 *
 * Return: the quad word
 */
static inline uint64_t vt_load_relaxed_u64(uintptr_t addr)
{
	/* SAFETY: @addr came from the memory table and is 8-aligned by the layout */
	return le64toh(__atomic_load_n((const uint64_t *)addr, __ATOMIC_RELAXED));
}

/**
 * vt_store_relaxed_u64() - Store a quad word once, untorn, in no particular order
 * @addr:	Address of the quad word, 8-aligned
 * @value:	The quad word
 */
static inline void vt_store_relaxed_u64(uintptr_t addr, uint64_t value)
{
	/* SAFETY: @addr came from the memory table and is 8-aligned by the layout */
	__atomic_store_n((uint64_t *)addr, htole64(value), __ATOMIC_RELAXED);
}

/**
 * vt_full_barrier() - Nothing crosses, in either direction (barriers C and D)
 *
 * A store before and a load after stay in that order, which acquire and release do not promise.
 */
static inline void vt_full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/**
 * vt_compiler_barrier() - What was copied from shared memory before this is not read from there again after it,
 * and what was stored before this is in memory when a signal comes after it
 */
static inline void vt_compiler_barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/**
 * vt_pause() - Tell the processor that we are only looking again and again
 */
static inline void vt_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	vt_compiler_barrier();
#endif
}

/**
 * vt_fetch_to_write() - Have a cache line here by the time it is written; only a hint
 * @addr:	Any address
 */
static inline void vt_fetch_to_write(const void *addr)
{
#if defined(__x86_64__)
	/* Compilers leave the instruction out unless told of the processor; where it is unknown it does nothing. */
	__asm__ volatile("prefetchw (%0)" : : "r"(addr));
#else
	__builtin_prefetch(addr, 1);
#endif
}

/**
 * vt_or_u8() - Set bits in a byte that others set bits in too (the dirty log)
 * @addr:	Address of the byte
 * @bits:	Bits to set
 */
static inline void vt_or_u8(uintptr_t addr, uint8_t bits)
{
	/* SAFETY: @addr lies inside the log's own mapping, checked by LogBitmap */
	__atomic_fetch_or((uint8_t *)addr, bits, __ATOMIC_RELAXED);
}

/**
 * vt_swap_u64() - Take a quad word and leave zero in one step (the dirty log's fetch and clear)
 * @addr:	Address of the quad word, 8-aligned
 *
 * Return: what was there, as bytes in memory order read little-endian
 */
static inline uint64_t vt_swap_u64(uintptr_t addr)
{
	/* SAFETY: @addr lies inside the log's own mapping, checked by LogBitmap */
	return le64toh(__atomic_exchange_n((uint64_t *)addr, 0, __ATOMIC_RELAXED));
}

/**
 * vt_own_get() - Load a word of ours that another thread stores (barrier E)
 * @word:	The word
 *
 * Return: the word
 */
static inline uint32_t vt_own_get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/**
 * vt_own_set() - Store a word of ours for another thread (barrier E)
 * @word:	The word
 * @value:	What to store
 */
static inline void vt_own_set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/**
 * vt_own_or() - Set bits in a word that several threads set bits in (barrier E)
 * @word:	The word
 * @bits:	Bits to set
 */
static inline void vt_own_or(uint32_t *word, uint32_t bits)
{
	__atomic_fetch_or(word, bits, __ATOMIC_ACQ_REL);
}

/**
 * vt_own_add() - Add to a word that several threads change (barrier E)
 * @word:	The word
 * @value:	What to add; a negative number taken modulo 2^32 subtracts
 */
static inline void vt_own_add(uint32_t *word, uint32_t value)
{
	__atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

/**
 * vt_own_take() - Take a word and leave zero (barrier E)
 * @word:	The word
 *
 * Return: what was there
 */
static inline uint32_t vt_own_take(uint32_t *word)
{
	return __atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL);
}

/**
 * vt_count() - Add to a counter that one thread writes and any may read
 * @counter:	The counter
 * @n:		What to add
 */
static inline void vt_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/**
 * vt_counted() - Read a counter of another thread
 * @counter:	The counter
 *
 * Return: what it was a moment ago
 */
static inline uint64_t vt_counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/**
 * vt_index() - Read an index of another thread's
 * @index:	The index
 *
 * Return: what it was a moment ago
 */
static inline uint16_t vt_index(const uint16_t *index)
{
	return __atomic_load_n(index, __ATOMIC_RELAXED);
}

/**
 * vt_uring_load() - Load an index that the kernel stores (io_uring's own rule, barrier B's kind)
 * @word:	Head or tail
 *
 * Return: the index
 */
static inline uint32_t vt_uring_load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/**
 * vt_uring_store() - Store an index that the kernel loads (io_uring's own rule, barrier A's kind)
 * @word:	Head or tail
 * @value:	The index
 */
static inline void vt_uring_store(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

#endif /* VT_BARRIER_H */
