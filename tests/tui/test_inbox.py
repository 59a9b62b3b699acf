"""Crossing from the reader thread to the screen."""

from __future__ import annotations

from threading import Thread

from tour.tui.inbox import Inbox


def test_one_wake_for_a_burst_and_a_new_one_after_taking() -> None:
    wakes: list[int] = []
    inbox: Inbox[int] = Inbox(lambda: wakes.append(1))
    for number in range(100):
        inbox.put(number)
    assert len(wakes) == 1
    assert inbox.take() == list(range(100))
    inbox.put(7)
    assert len(wakes) == 2 and inbox.take() == [7] and inbox.take() == []


def test_nothing_is_lost_between_threads() -> None:
    inbox: Inbox[int] = Inbox(lambda: None)

    def write() -> None:
        for number in range(500):
            inbox.put(number)

    writers = [Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    got: list[int] = []
    while any(writer.is_alive() for writer in writers):
        got += inbox.take()
    got += inbox.take()
    assert sorted(got) == sorted(list(range(500)) * 4)
