from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kill.family import Places


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Where the program may keep files; nothing may be left there but what was recorded."""
    made = Places.below(tmp_path)
    before = made.files()
    yield made
    assert {path for path in made.files() - before if not path.name.endswith(".partial")} == set()
