"""An order of the sandbox that cannot be done as things stand."""

from __future__ import annotations


class Refused(Exception):
    """``key`` names the sentence ``sandbox.refused.KEY`` in the strings tables, ``args`` what is filled in."""

    def __init__(self, key: str, **args: object) -> None:
        super().__init__(key)
        self.key = f"sandbox.refused.{key}"
        self.args_said = args
