"""Lesson 2, open and own: what really happens at each step. A function returns the condition it ended on."""

import threading

from tour.device.contract import TX
from tour.device.worker import compare, threads_now
from tour.scene.nic import RING_SIZE, Nic


def open(nic: Nic) -> None:
    """The device is opened; were a thread to appear with it, the comparison would show it."""
    before = threads_now()
    nic.open_device()
    nic.recorder.emit(compare(before, threads_now()), actor="device", source="observer")


def ask(nic: Nic) -> None:
    """A call that needs no owner."""
    nic.ask()


def refuse(nic: Nic) -> str:
    """A call that needs one."""
    return nic.attempt(nic.device.set_vring_num, TX, RING_SIZE)


def own(nic: Nic) -> None:
    """Become the owner: the worker appears."""
    nic.device.set_owner()


def own_thread(nic: Nic) -> None:
    """The same, from a thread that ends right after; then look whether its worker is still there."""
    caller = threading.Thread(target=nic.device.set_owner)
    caller.start()
    caller.join()
    if nic.device.worker is not None:
        nic.device.worker.emit(nic.recorder)


def again(nic: Nic) -> str:
    """Become the owner of what one owns."""
    return nic.attempt(nic.device.set_owner)


def again_reset(nic: Nic) -> None:
    """Give it up instead; then look for the worker until it is gone."""
    worker = nic.device.worker
    nic.device.reset_owner()
    if worker is not None:
        nic.recorder.emit(worker.gone(), actor="device", source="observer")


def now(nic: Nic) -> str:
    """The call that was refused, word for word."""
    return nic.attempt(nic.device.set_vring_num, TX, RING_SIZE)


def close(nic: Nic) -> None:
    """The last descriptor of the device is closed."""
    nic.close_device()
