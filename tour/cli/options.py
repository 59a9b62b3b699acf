"""What the commands were asked for, checked no further than their types."""

from __future__ import annotations

import msgspec

from tour.i18n import Lang


class Where(msgspec.Struct, frozen=True):
    """Where a lesson is to run: on which device, in the lab or here."""

    device: str = "auto"
    lab: bool = False
    kernel: str = ""


class StartOptions(msgspec.Struct, frozen=True):
    """What ``tour start`` was asked for; ``theme`` '' is chosen from the environment."""

    lesson: str
    where: Where
    lang: Lang
    plain: bool = False
    glyphs: str = "auto"
    theme: str = ""
    no_motion: bool = False
