"""The queue pair beside the learner's: doorbells counted by the kernel, times in order, nothing left behind."""

from __future__ import annotations

import os

import pytest

from tests.support import in_own_network
from tour.net.tap import TapPort
from tour.scene.choose import Chosen
from tour.scene.litmus import litmus
from tour.scene.measure import EVENT_IDX, PLAIN, Pair

pytestmark = pytest.mark.requires("embedded")
OURS = Chosen("embedded", None, "tap", gear="python")


@in_own_network
def test_each_kick_is_counted() -> None:
    with Pair(OURS, PLAIN, rings_itself=False) as pair:
        pair.call_after(1)
        for _ in range(50):
            pair.send()
            pair.kick()
        pair.wait_used(50)
        pair.rest()
        rung = pair.rung()
        assert rung.kicks == 50 and 1 <= rung.calls <= 50
        assert pair.rung() == (0, 0)


@in_own_network
def test_a_burst_is_called_once_for_each_64() -> None:
    with Pair(OURS, PLAIN, rings_itself=False) as pair:
        pair.call_after(1)
        pair.send(1000)
        pair.kick()
        pair.wait_begun()
        pair.wait_used(1000)
        pair.rest()
        assert pair.rung() == (1, 16)


@in_own_network
def test_batches_of_any_size_come_to_their_call() -> None:
    with Pair(OURS, PLAIN | EVENT_IDX) as pair:
        one, many = pair.batches(1, 20), pair.batches(32, 20)
        assert many.frames_a_second > one.frames_a_second
        assert one.frames_a_second == pytest.approx(1e6 / one.microseconds)


@in_own_network
def test_the_tap_is_gone_and_the_cpus_are_back_afterwards() -> None:
    cpus, files = os.sched_getaffinity(0), len(os.listdir("/proc/self/fd"))
    with Pair(OURS) as pair:
        assert pair.device.worker is not None
    assert os.sched_getaffinity(0) == cpus and len(os.listdir("/proc/self/fd")) == files
    TapPort(name="tap1").close()


def test_with_a_full_barrier_no_wake_up_is_lost() -> None:
    found = litmus(20_000, fence=True, seconds=10)
    assert found.rounds > 0 and found.lost == 0


def test_a_litmus_test_ends_when_its_time_is_up() -> None:
    found = litmus(2**31, fence=False, seconds=0.05)
    assert 0 < found.rounds < 2**31
