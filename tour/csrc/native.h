/* SPDX-License-Identifier: MIT
 *
 * What tour.abi.native offers to Python: memory order (barrier.h) and two calls into the kernel.
 */
#ifndef VT_NATIVE_H
#define VT_NATIVE_H

#ifndef __linux__
#error "vhost-tour's compiled part is for Linux; elsewhere the package works without it"
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi_check.h"
#include "barrier.h"
#include "burst.h"
#include "control.h"
#include "litmus.h"
#include "loops.h"

/**
 * vt_ioctl() - ioctl(2) with errno folded into the result
 * @fd:		File descriptor
 * @request:	Request number
 * @arg:	Argument, read and written by the kernel as the request says; may be NULL
 *
 * Return: what ioctl returned, or -errno
 */
static int vt_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

/**
 * vt_copy_in() - Read memory of our own that may not be there, as copy_from_user does
 * @to:		Where to put it
 * @from:	Address to read; nothing is assumed of it
 * @size:	Bytes
 *
 * Return: bytes copied (fewer than @size when the rest is not mapped), or -errno
 */
static ssize_t vt_copy_in(void *to, uintptr_t from, size_t size)
{
	struct iovec local = { .iov_base = to, .iov_len = size };
	/* SAFETY: the kernel checks @from and answers EFAULT; nothing is dereferenced here */
	struct iovec remote = { .iov_base = (void *)from, .iov_len = size };
	ssize_t ret = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return ret < 0 ? -errno : ret;
}

#endif /* VT_NATIVE_H */
