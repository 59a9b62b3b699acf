"""``tour status``: where one is, what comes next, which predictions did not come true at once."""

from __future__ import annotations

import json

from tour.cli.output import say, tell
from tour.i18n import Lang, t
from tour.lesson.course import Place, course, place_name, resume
from tour.lesson.model import Lesson, load
from tour.lesson.progress import Answered, Keeper, Progress, state_dir

Wrong = tuple[Lesson, str, Answered]


def print_status(lang: Lang, state: str, *, as_json: bool) -> int:
    """Print it. Raises LessonError."""
    keeper = Keeper(state_dir(state))
    progress = keeper.read()
    if as_json:
        tell(json.dumps(facts(progress, str(keeper.path)), ensure_ascii=False))
    else:
        _print(progress, lang)
        tell(t(lang, "status.kept", path=keeper.path))
    if words := keeper.problem_words(lang):
        say(words)
    return 0


def _print(progress: Progress, lang: Lang) -> None:
    there = resume(progress)
    lesson = load(there.lesson)
    done = [entry for entry in course().ready if progress.lesson(entry.id).completed]
    key = "status.next" if progress.lessons else "status.first"
    tell(t(lang, key, title=lesson.title.get(lang), place=place_name(there), step=_step(lesson, there, lang)))
    tell(t(lang, "status.done", done=len(done), all=len(course().ready), steps=_steps(progress)))
    wrong = wrongs(progress)
    if wrong:
        tell(t(lang, "status.wrong"))
    for each in wrong:
        tell(f"  {_wrong(*each, lang)}")


def _step(lesson: Lesson, there: Place, lang: Lang) -> str:
    name = lesson.step[there.step].name(lang)
    return t(lang, "status.step", number=there.step + 1, count=len(lesson.step), name=name)


def _steps(progress: Progress) -> int:
    """Steps done of lessons that are there."""
    return sum(step in progress.lesson(entry.id).steps for entry in course().ready for step in load(entry.id).step_ids)


def wrongs(progress: Progress) -> list[Wrong]:
    """Predictions that took more than one try, or never came true; those of steps that are no more left out."""
    return [
        (lesson, step, answered)
        for lesson in (load(entry.id) for entry in course().ready)
        for step, answered in progress.lesson(lesson.id).predictions.items()
        if step in lesson.step_ids and (answered.tries > 1 or answered.chosen != answered.right)
    ]


def _wrong(lesson: Lesson, step: str, answered: Answered, lang: Lang) -> str:
    predict = lesson.spec(step).predict
    words = {choice.id: choice.text.get(lang) for choice in predict.choice} if predict else {}
    chosen, right = (words.get(one, one) for one in (answered.chosen, answered.right))
    key = "status.later" if answered.chosen == answered.right else "status.never" if right else "status.unclear"
    return t(lang, key, place=f"{lesson.id}:{step}", chosen=chosen, right=right, n=answered.tries)


def facts(progress: Progress, path: str) -> dict[str, object]:
    """The same for programs."""
    there = resume(progress)
    return {
        "schema": "vhost-tour/status/1",
        "progress": path,
        "resume": {"lesson": there.lesson, "step": load(there.lesson).step_ids[there.step]},
        "completed": [entry.id for entry in course().ready if progress.lesson(entry.id).completed],
        "ready": [entry.id for entry in course().ready],
        "steps_done": {entry.id: progress.lesson(entry.id).steps for entry in course().ready},
        "predictions": [
            {"lesson": lesson.id, "step": step, "chosen": one.chosen, "right": one.right, "tries": one.tries}
            for lesson, step, one in wrongs(progress)
        ],
    }
