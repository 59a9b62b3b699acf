"""What is written about the trace format is what the code does."""

from __future__ import annotations

import re
from typing import get_args

from tour.trace import events as ev
from tour.trace import schema

FORMAT = schema.PATH.with_name("trace-format.md")


def test_the_published_schema_is_current() -> None:
    assert schema.PATH.read_text("utf-8") == schema.text()


def test_every_kind_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", FORMAT.read_text("utf-8")))
    kinds = {payload.__struct_config__.tag for payload in get_args(ev.AnyPayload)}
    assert kinds <= described


def test_the_number_of_the_schema_is_told() -> None:
    assert f"(now **{ev.SCHEMA}**)" in FORMAT.read_text("utf-8")


def test_the_example_is_an_event() -> None:
    block = re.search(r"```json\n(.*?)```", FORMAT.read_text("utf-8"), re.S)
    assert block is not None
    event = ev.decode(block.group(1).encode())
    assert isinstance(event.data, ev.Store)
