"""100 hand-overs under load, natively: to and fro between the two gears of the embedded device, through a real tap."""

from __future__ import annotations

import pytest

from tests.scene.hand_overs import hand_overs
from tests.support import in_own_network


def flawless(seen: dict[str, object], count: int = 100) -> None:
    """Every frame exactly once and in order, both ways; the tap dropped none."""
    assert seen["failed"] == "" and seen["hand_overs"] == count
    assert seen["tx_exactly_once"] and seen["rx_complete"] and seen["strange"] == 0
    assert seen["tx_dropped"] == 0
    assert isinstance(seen["tx_sent"], int) and seen["tx_sent"] >= 20 * count


@pytest.mark.parametrize(("first", "second"), [("python", "engine")])
@in_own_network
def test_nothing_is_lost_or_doubled(first: str, second: str) -> None:
    flawless(hand_overs(first, second))
