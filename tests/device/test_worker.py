from __future__ import annotations

import os
import threading
from pathlib import Path

from tests.support import wait_until
from tour.device.worker import WorkerThread, compare, find_new, threads_now


def test_a_new_thread_of_the_owner_is_found_by_comparing() -> None:
    """As Linux from 6.4 on makes its worker."""
    before = threads_now()
    ending, named = threading.Event(), threading.Event()

    def worker() -> None:
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(f"vhost-{os.getpid()}")
        named.set()
        ending.wait()

    thread = threading.Thread(target=worker)
    thread.start()
    named.wait()
    found = find_new(compare(before, threads_now()))
    ending.set()
    thread.join()
    assert found == WorkerThread(f"vhost-{os.getpid()}", thread.native_id or 0, "thread")


def test_other_new_threads_are_not_taken_for_it() -> None:
    before = threads_now()
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    found = find_new(compare(before, threads_now()))
    ending.set()
    thread.join()
    assert found is None


def test_a_process_of_that_name_is_found_as_a_kernel_thread() -> None:
    """As Linux up to 6.3 makes it."""
    before = threads_now()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        Path("/proc/self/comm").write_text("vhost-1234")
        os.read(read, 1)
        os._exit(0)
    try:
        wait_until(lambda: Path(f"/proc/{child}/comm").read_text() == "vhost-1234\n", "the name")
        found = find_new(compare(before, threads_now()))
        assert found == WorkerThread("vhost-1234", child, "kthread")
        assert found.look().state in "SRD"
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)
    assert found.look().state == "X"


def test_a_thread_that_was_told_to_end_is_looked_for_until_it_is_gone() -> None:
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    worker = WorkerThread("vhost-1", thread.native_id or 0, "thread")
    assert worker.gone().state == "S"
    threading.Timer(0.02, ending.set).start()
    assert worker.gone().state == "X"
    thread.join()


def test_each_sleep_of_its_own_accord_is_counted() -> None:
    going, ending = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (going.wait(), ending.wait()), daemon=True)
    thread.start()
    seen = WorkerThread("any", thread.native_id or 0, "ours")
    wait_until(lambda: seen.look().state == "S", "the thread sleeps")
    before = seen.switches()
    going.set()
    wait_until(lambda: (seen.switches() or 0) > (before or 0), "it has woken and sleeps again")
    ending.set()
    thread.join()
    wait_until(lambda: seen.look().state == "X", "it is gone")
    assert seen.switches() is None
