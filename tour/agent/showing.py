"""From a player to the Moment a front end draws. While a prediction is open, nothing here gives it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tour.i18n import local, t
from tour.lesson.model import Ref, StepSpec, misconceptions
from tour.lesson.moment import (
    Badge,
    BadgeKind,
    CheckView,
    ChoiceView,
    Moment,
    Phase,
    PredictionView,
    TimelineView,
    VaryView,
)
from tour.trace.events import Hello
from tour.trace.state import State

if TYPE_CHECKING:
    from tour.agent.player import Player


def moment(player: Player) -> Moment:
    """The moment ``player`` is in."""
    state = player.shown()
    index = player.shown_step() if player.looking_back else player.index
    steps = [spec.within(player.vary.id if player.vary else "") for spec in player.lesson.step]
    step = steps[index]
    phase: Phase = "predict" if player.holding else "observe" if player.looking_back else player.phase
    words = player.words(step)
    ahead = player.looking_back and index == player.index and player.phase in ("orient", "predict", "do")
    closed = phase in ("observe", "explain", "check", "vary") and not ahead
    return Moment(
        lang=player.lang,
        lesson=player.lesson.id,
        title=player.lesson.title.get(player.lang),
        steps=player.lesson.step_ids,
        titles=tuple(spec.name(player.lang) for spec in steps),
        step_index=index,
        phase=phase,
        state=state,
        before=_before(player),
        badge=_badge(player),
        timeline=_timeline(player),
        show=step.show,
        actor=step.actor,
        text={"explain": words.explain, "check": words.explain, "observe": ""}.get(phase, words.orient),
        more=words.more if closed else "",
        refs=tuple(_refs(step.ref)) if closed else (),
        prediction=_prediction(player) if not player.looking_back else None,
        checks=_checks(player, step) if closed else (),
        varies=_varies(player, step.id),
        next_text=_next_text(player),
        next_code=step.line if phase == "orient" and step.predict is None else "",
        busy="" if player.holding else local(player.lang, player.busy),
        notice=local(player.lang, player.notice),
        forked_from=player.origin,
        ended=player.ended,
    )


def _before(player: Player) -> State:
    """The state the shown step began with."""
    if not player.looking_back:
        return player.before
    mark = player.timeline.mark_before(player.position or 0)
    begin = player.timeline.mark(mark.step) if mark is not None else None
    return player.timeline.at(begin.position) if begin is not None else player.timeline.at(0)


def _badge(player: Player) -> Badge:
    now = _badge_now(player)
    if player.looking_back:
        return Badge("back", now.detail, now.kind, now.host)
    return Badge("ended", now.detail, now.kind, now.host) if player.error is not None else now


def _badge_now(player: Player) -> Badge:
    hello = player.timeline.edge.hello
    if player.session is not None and player.session.kind == "replay":
        return replayed(hello)
    if hello is None:
        return Badge("starting")
    host = player.session.host if player.session is not None else ""
    kinds: dict[str, BadgeKind] = {"kernel": "kernel", "engine": "engine"}
    return Badge(kinds.get(hello.ran_on, "embedded"), hello.kernel, host=host)


def replayed(hello: Hello | None) -> Badge:
    """The badge of a recording: which device, which kernel, which day."""
    return Badge("replay", f"{hello.ran_on}, Linux {hello.kernel}, {hello.started[:10]}" if hello else "")


def _timeline(player: Player) -> TimelineView:
    held = player.holding
    length = player.position if held and player.position is not None else len(player.timeline)
    position = length if player.position is None else player.position
    marks = tuple((m.position, m.step) for m in player.timeline.marks if not m.end and m.position < length)
    return TimelineView(position, length, marks)


def _refs(refs: list[Ref]) -> list[str]:
    return [text for ref in refs for text in (ref.spec, ref.kernel, f"QEMU: {ref.qemu}" if ref.qemu else "") if text]


def _prediction(player: Player) -> PredictionView | None:
    prediction = player.prediction
    if prediction is None or player.phase == "orient":
        return None
    lang = player.lang
    wrong = [choice for choice in prediction.taken if choice != prediction.right]
    struck = wrong if prediction.settled or not player.busy else wrong[:-1]
    choices = tuple(
        ChoiceView(
            choice.id,
            choice.text.get(lang),
            struck=choice.id in struck,
            chosen=bool(prediction.taken) and choice.id == prediction.taken[-1],
            right=(choice.id == prediction.right) if prediction.settled and prediction.right else None,
        )
        for choice in prediction.spec.choice
    )
    shown = [choice for choice in prediction.spec.choice if choice.id in struck and choice.misconception]
    refutations = tuple(
        t(
            lang,
            "player.refuted",
            choice=choice.text.get(lang),
            why=misconceptions()[choice.misconception].refutation.get(lang),
        )
        for choice in shown
    )
    return PredictionView(
        prediction.spec.question.get(lang),
        choices,
        prediction.settled,
        prediction.first_time,
        len(prediction.taken),
        refutations if prediction.settled else (),
    )


def _checks(player: Player, step: StepSpec) -> tuple[CheckView, ...]:
    state = player.shown()
    verdicts = {check.id: check for check in state.checks} if state.step == step.id else {}
    lines = []
    for check in step.check:
        verdict = verdicts.get(check.id)
        lines.append(
            CheckView(
                check.text.get(player.lang),
                check.expr,
                verdict.ok if verdict else None,
                verdict.actual if verdict else "",
            )
        )
    return tuple(lines)


def _varies(player: Player, step: str) -> tuple[VaryView, ...]:
    lang = player.lang
    return tuple(
        VaryView(vary.id, vary.title.get(lang), vary.text.get(lang), vary.at == step) for vary in player.lesson.vary
    )


def _next_text(player: Player) -> str:
    lang = player.lang
    if player.error is not None:
        return t(lang, "player.next.error")
    if player.looking_back:
        return t(lang, "player.next.back")
    if player.holding:
        return t(lang, "player.next.holding")
    if player.ended:
        return t(lang, "player.next.ended")
    if player.next_key:
        return t(lang, player.next_key)
    if player.phase in ("orient", "predict") and player.prediction is not None:
        return t(lang, f"player.next.{player.phase}")
    if player.phase == "check" and player.index + 1 == len(player.lesson.step):
        return t(lang, "player.next.last")
    return t(lang, f"player.next.{'act' if player.phase == 'orient' else player.phase}")
