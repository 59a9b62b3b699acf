"""The sandbox as a lesson whose steps are the orders given so far: shown, recorded and replayed as any other."""

from __future__ import annotations

from collections.abc import Iterable

from tour.errors import UsageError
from tour.i18n import Lang, t
from tour.lesson.model import Lesson, StepSpec, StepText, Text
from tour.lesson.orders import BY_NAME, QUEUES, read
from tour.trace import events as ev

SANDBOX = "sandbox"
"""The lesson's name in Hello and Open."""
EXTRAS = {"indirect": 1 << 28, "event-idx": 1 << 29}
"""Feature bits that one may have negotiated besides the course's own: VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX
(virtio v1.3 6)."""
ACTORS = {"driver": "driver", "device": "device"}
LANGS: tuple[Lang, Lang] = ("en", "zh")


def empty() -> Lesson:
    """The sandbox before the first order: one step, which waits for it."""
    lesson = _lesson()
    await_order(lesson)
    return lesson


def of_recording(events: Iterable[ev.Event]) -> Lesson:
    """The sandbox with all orders that a recording holds. Raises UsageError when it holds none, or what is no order."""
    lesson = _lesson()
    for event in events:
        if isinstance(event.data, ev.Step) and event.data.mark == "begin":
            add(lesson, event.data.step.partition(" ")[2])
    if not lesson.step:
        raise UsageError("The recording of a sandbox holds no order.")
    return lesson


def _lesson() -> Lesson:
    title = Text(t("en", "sandbox.title"), t("zh", "sandbox.title"))
    return Lesson(SANDBOX, SANDBOX, title, 0, [], texts={"en": {}, "zh": {}})


def await_order(lesson: Lesson) -> None:
    """Append a step for the order to come."""
    number = str(len(lesson.step) + 1)
    lesson.step.append(StepSpec(number, "wait", "tx", "driver", Text("-", "-")))
    for lang in LANGS:
        lesson.texts[lang][number] = StepText(orient=t(lang, "sandbox.waiting"))


def put(lesson: Lesson, line: str) -> StepSpec:
    """The order ``line`` in the place of the step that waits for it. Raises UsageError for what is no order."""
    read(line)
    lesson.step.pop()
    return add(lesson, line)


def add(lesson: Lesson, line: str) -> StepSpec:
    """Append the order ``line``. Raises UsageError for what is no order."""
    line = " ".join(line.lower().split())
    order = read(line)
    verb = BY_NAME[order.verb]
    show, actor = verb.show or QUEUES[order.queue], ACTORS.get(verb.side, "control")
    step = StepSpec(f"{len(lesson.step) + 1} {line}", verb.name, show, actor, Text(line, line), line)
    lesson.step.append(step)
    for lang in LANGS:
        lesson.texts[lang][step.id] = StepText(orient=teach(lang, verb.name))
    return step


def breaks(lang: Lang, fault: str) -> str:
    """Who makes that mistake, and what comes of it."""
    return t(lang, f"sandbox.fault.{fault.replace('-', '_')}")


def teach(lang: Lang, verb: str) -> str:
    """What a verb does, in a sentence or two."""
    return t(lang, f"sandbox.verb.{verb}")
