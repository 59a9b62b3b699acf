"""A lesson as a page of Markdown: each step's words, question, picture, what happened, why, checks, sources."""

from __future__ import annotations

from collections.abc import Mapping

from tour.agent.moments import played
from tour.agent.player import Player
from tour.docsgen.filling import plain
from tour.i18n import Lang, t
from tour.lesson.model import Lesson
from tour.lesson.prediction import right_choice
from tour.trace.store import Recording
from tour.view.words import sentences

STEPS = "vhost-steps"
PLAYER = f'<vhost-player file="player.json" steps="{STEPS}"></vhost-player>'
"""The player, and the steps in words and pictures that stand in its place without scripts and on paper."""
HEAD = ("---", "hide: [toc]", "---")
UNSEARCHED = "<div data-search-exclude markdown>"
"""Around what repeats a step's words event by event: a search would find every page."""


def lesson_page(lesson: Lesson, recording: Recording, lang: Lang, pictures: Mapping[str, Mapping[str, str]]) -> str:
    """The page. What is said to have happened is what ``recording`` holds, and it says which one."""
    hello = recording.hello
    device = t(lang, f"docsgen.on_{hello.device}", kernel=hello.kernel, date=hello.started[:10])
    lines = [*HEAD, f"# {lesson.id}. {lesson.title.get(lang)}", ""]
    lines += [t(lang, "docsgen.begin", minutes=lesson.minutes, lesson=lesson.id), "", device, ""]
    lines += [PLAYER, "", f'<div id="{STEPS}" markdown>', ""]
    for player in played(lesson, recording, lang):
        lines += _step(player, pictures[player.step.id])
    lines += ["</div>", "", *_forks(lesson, lang)]
    if lesson.after:
        lines += [f"**{lesson.after.get(lang)}**", ""]
    return "\n".join(lines)


def _step(player: Player, pictures: Mapping[str, str]) -> list[str]:
    lang, step = player.lang, player.step
    words = player.words(step)
    lines = [f"## {player.index + 1}. {step.name(lang)} {{#{step.id}}}", "", words.orient, ""]
    lines += _question(player)
    lines += _picture(player, pictures)
    said = sentences(player.timeline, step.id, lang)
    lines += [f"**{t(lang, 'docsgen.happened')}**", "", UNSEARCHED, "", *(f"- {plain(line)}" for line in said), ""]
    lines += ["</div>", ""]
    lines += [words.explain, ""] if words.explain else []
    lines += _folded("note", t(lang, "docsgen.more"), words.more.splitlines()) if words.more else []
    lines += _checks(player)
    return lines + _sources(player)


def _question(player: Player) -> list[str]:
    predict, lang = player.step.predict, player.lang
    if predict is None:
        return []
    right = right_choice(predict.choice, player.before, player.timeline.edge)
    answer = next((choice.text.get(lang) for choice in predict.choice if choice.id == right), "")
    choices = [f"{number}. {plain(choice.text.get(lang))}" for number, choice in enumerate(predict.choice, 1)]
    asked = [f'!!! question "{t(lang, "docsgen.predict")}"', ""]
    asked += [f"    {line}" for line in (plain(predict.question.get(lang)), "", *choices)]
    told = answer or t(lang, "docsgen.unclear")
    return [*asked, "", *_folded("success", t(lang, "docsgen.answer"), [plain(told)])]


def _picture(player: Player, pictures: Mapping[str, str]) -> list[str]:
    name = player.step.name(player.lang)
    alt = t(player.lang, "docsgen.alt", lesson=player.lesson.title.get(player.lang), step=name)
    return [f"![{alt}]({path}#only-{kind}){{ loading=lazy }}" for kind, path in pictures.items()] + [""]


def _checks(player: Player) -> list[str]:
    verdicts = {check.id: check.ok for check in player.timeline.edge.checks}
    boxes = [
        f"- [{'x' if verdicts.get(check.id) else ' '}] {plain(check.text.get(player.lang))}"
        for check in player.step.check
    ]
    return [f"**{t(player.lang, 'docsgen.checks')}**", "", *boxes, ""] if boxes else []


def _sources(player: Player) -> list[str]:
    cited = [
        text
        for ref in player.step.ref
        for text in (ref.spec, ref.kernel, f"QEMU: {ref.qemu}" if ref.qemu else "")
        if text
    ]
    return [f"{t(player.lang, 'docsgen.sources')} {'; '.join(map(plain, cited))}.", ""] if cited else []


def _forks(lesson: Lesson, lang: Lang) -> list[str]:
    if not lesson.vary:
        return []
    rows = [
        f"- **{vary.title.get(lang)}** ({t(lang, 'docsgen.from_step', step=lesson.spec(vary.at).name(lang))}): "
        f"{plain(vary.text.get(lang))} `tour run {lesson.id} --plain --vary {vary.id}`"
        for vary in lesson.vary
    ]
    return [f"## {t(lang, 'docsgen.forks')} {{#forks}}", "", *rows, ""]


def _folded(kind: str, title: str, lines: list[str]) -> list[str]:
    return [f'??? {kind} "{title}"', "", *(f"    {line}" if line else "" for line in lines), ""]
