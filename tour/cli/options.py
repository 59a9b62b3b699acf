"""What the commands were asked for, checked no further than their types."""

from __future__ import annotations

import msgspec

from tour.i18n import Lang
from tour.lesson.hands_on import Level


class Where(msgspec.Struct, frozen=True):
    """Where a lesson is to run: on which device, in the lab, on the machine ``ssh``, or here."""

    device: str = "auto"
    lab: bool = False
    kernel: str = ""
    ssh: str = ""


class StartOptions(msgspec.Struct, frozen=True):
    """What ``tour start`` was asked for: ``lesson`` is ``8``, ``8:3``, ``8:publish`` or '' for where one was;
    ``theme`` '' is chosen from the environment, as is ``state_dir``; ``level`` how much one does by hand;
    ``lecture``: a room looks on, and no progress is written."""

    lesson: str
    where: Where
    lang: Lang
    plain: bool = False
    glyphs: str = "auto"
    theme: str = ""
    no_motion: bool = False
    state_dir: str = ""
    level: Level = "watch"
    lecture: bool = False
