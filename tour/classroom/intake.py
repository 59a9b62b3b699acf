"""What was handed in: from paths (a file, a folder, a class folder, a zip) to the work of each student.

Which exercise a file belongs to is said by ``--exercise``, else by its name, and by ``.tour/state.json`` beside it
where two exercises have files of that name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tour.classroom.roster import Roster, Student
from tour.classroom.tree import SOURCE_MAX, Archive, Folder, Inner, NotTaken, NotThere, Parts, Tree
from tour.errors import UsageError
from tour.lesson.exercise import Exercise, exercises, find

STATE = (".tour", "state.json")
STATE_MAX = 1 << 16
NO_STUDENT = ("__MACOSX", "__pycache__")


class Work(NamedTuple):
    """One piece of work. ``at`` is its file in ``tree``; where there is none ``why`` says so."""

    student: Student
    exercise: Exercise
    tree: Tree | None = None
    at: Parts = ()
    why: UsageError | None = None

    def read(self) -> bytes:
        """The file, now. Raises NotTaken; NotThere where nothing was handed in."""
        if self.why is not None:
            raise self.why
        assert self.tree is not None
        return self.tree.read(self.at, SOURCE_MAX)


class Intake(NamedTuple):
    """All of it. ``strangers`` have no roster entry, ``ignored`` are names that are nobody's work."""

    work: list[Work]
    strangers: list[str]
    ignored: list[str]


class _Found(NamedTuple):
    """A file of an exercise, or why it is not taken, under the name of the folder that says whose it is."""

    whose: str
    exercise: Exercise | None
    tree: Tree
    at: Parts = ()
    why: UsageError | None = None


class _Search:
    """One search through one path."""

    def __init__(self, wanted: str, alone: bool) -> None:
        self.alone = alone
        self.only = find(wanted) if wanted else None
        self.files: dict[str, list[Exercise]] = {}
        for one in [self.only] if self.only else exercises():
            self.files.setdefault(one.file, []).append(one)
        self.ignored: list[str] = []

    def path(self, path: Path) -> Iterator[_Found]:
        """Everything at a path. Raises UsageError for one that is neither file nor folder."""
        if path.is_dir():
            yield from self._tree(Folder(path), path)
        elif path.suffix.lower() == ".zip" and path.is_file():
            yield from self._tree(Archive(path.open("rb"), path.name), path)
        elif path.is_file():
            yield self._file(path)
        else:
            raise UsageError(f"There is no {path}.", "", "tour grade --help")

    def _file(self, path: Path) -> _Found:
        folder = Folder(path.parent)
        exercise = self.only or self._which(folder, (path.name,))
        if exercise is None:
            fix = "say which with --exercise NAME; tour exercise list names them"
            raise UsageError(f"{path.name} is no exercise's file.", "", fix)
        whose = _person(path.parent, exercise) if path.name == exercise.file else path.stem
        return _Found(whose, exercise, folder, (path.name,))

    def _tree(self, tree: Tree, path: Path) -> Iterator[_Found]:
        alone = self._here(tree, ()) or self._workspace(tree)
        for exercise, at in alone:
            folder = path if path.is_dir() else path.with_suffix("")
            yield _Found(_person(folder, exercise), exercise, tree, at)
        if not alone and self.alone:
            whose = path.resolve().name if path.is_dir() else path.stem
            yield from self._student(whose, tree, ())
        elif not alone:
            yield from self._class(tree)
        if tree.stray:
            self.ignored.append(f"{tree.name}: {tree.stray} names that lead out of it")

    def _workspace(self, tree: Tree) -> list[tuple[Exercise, Parts]]:
        """An archive of a workspace holds its folder, called as the exercise is."""
        folders = list(_names(tree, ())) if isinstance(tree, Archive) else []
        found = self._here(tree, (folders[0],)) if len(folders) == 1 else []
        return [(exercise, at) for exercise, at in found if exercise.name == folders[0]]

    def _class(self, tree: Tree) -> Iterator[_Found]:
        """A folder that holds one folder, file or archive for each student."""
        at = self._unwrapped(tree)
        for name, is_folder in sorted(tree.children(at).items()):
            if not _counts(name):
                continue
            if is_folder:
                yield from self._student(name, tree, (*at, name))
            elif name.lower().endswith(".zip"):
                yield from self._archive(tree, (*at, name))
            elif self.only and name.endswith(".py"):
                yield _Found(name.removesuffix(".py"), self.only, tree, (*at, name))
            else:
                self.ignored.append(name)

    def _unwrapped(self, tree: Tree) -> Parts:
        """A class often lies in a single folder with all the others in it."""
        top = {name: is_folder for name, is_folder in tree.children(()).items() if _counts(name)}
        if len(top) != 1 or not all(top.values()):
            return ()
        at = tuple(top)
        inside = [] if self._here(tree, at) else [name for name in _names(tree, at) if _counts(name)]
        return at if len(inside) > 1 else ()

    def _archive(self, tree: Tree, at: Parts) -> Iterator[_Found]:
        whose = at[-1][: -len(".zip")]
        packed = Inner(tree, at)
        try:
            packed.children(())
        except NotTaken as why:
            yield _Found(whose, None, tree, at, why)
            return
        yield from self._student(whose, packed, ())

    def _student(self, whose: str, tree: Tree, at: Parts) -> Iterator[_Found]:
        """A student's files: directly there, or one folder below."""
        found = self._here(tree, at)
        below = [] if found else sorted(_names(tree, at).items())
        for name in [name for name, is_folder in below if is_folder and _counts(name)]:
            found += self._here(tree, (*at, name))
        names = [exercise.name for exercise, _ in found]
        for exercise, place in found:
            if names.count(exercise.name) == 1:
                yield _Found(whose, exercise, tree, place)
        for twice in sorted({name for name in names if names.count(name) > 1}):
            yield _Found(whose, find(twice), tree, at, NotTaken(f"{find(twice).file} is there more than once."))
        if not found:
            yield _Found(whose, None, tree, at)

    def _here(self, tree: Tree, at: Parts) -> list[tuple[Exercise, Parts]]:
        names = _names(tree, at)
        there = [(*at, name) for name in self.files if names.get(name) is False]
        meant = [(self._which(tree, place), place) for place in there]
        return [(exercise, place) for exercise, place in meant if exercise]

    def _which(self, tree: Tree, at: Parts) -> Exercise | None:
        """The exercise whose file that is."""
        choice = self.files.get(at[-1], [])
        if len(choice) < 2:
            return choice[0] if choice else None
        said = _state(tree, at[:-1])
        named = [one for one in choice if one.name == said]
        return named[0] if named else None


def _counts(name: str) -> bool:
    """Whether a name may be somebody's: not what systems leave lying about."""
    return not name.startswith(".") and name not in NO_STUDENT


def _names(tree: Tree, at: Parts) -> dict[str, bool]:
    """What is in a folder; nothing is in one that cannot be looked into."""
    try:
        return tree.children(at)
    except NotTaken:
        return {}


def _state(tree: Tree, at: Parts) -> str:
    """The exercise that a workspace's own state names; nothing it says is trusted further than that."""
    try:
        told = msgspec.json.decode(tree.read((*at, *STATE), STATE_MAX), type=dict[str, object])
    except (NotTaken, NotThere, msgspec.DecodeError):
        return ""
    return str(told.get("exercise", ""))


def _person(folder: Path, exercise: Exercise) -> str:
    """Whose a folder with an exercise's file is: a workspace is called as its exercise, the folder around it is
    not."""
    whole = folder.resolve()
    return whole.parent.name if whole.name == exercise.name and whole.parent.name else whole.name


def take_in(paths: Sequence[Path], wanted: str, roster: Roster, alone: bool = False) -> Intake:
    """All work at ``paths``; of the exercise ``wanted``, of whichever is found if that is empty. With ``alone`` each
    path is one student's, whatever lies in it.

    Raises UsageError where there is none, or where a student's is there twice.
    """
    search = _Search(wanted, alone)
    found = [one for path in paths for one in search.path(path)]
    every = _asked(search, found)
    work = [piece for one in found for piece in _pieces(one, every, roster)]
    _once_each(work)
    if not work:
        names = ", ".join(sorted(search.files))
        fix = "say which exercise with --exercise NAME; tour exercise list names them"
        raise UsageError("No submission was found.", f"Looked for: {names}.", fix)
    seen = [piece.student for piece in work]
    nothing = NotThere("Nothing was handed in.")
    work += [Work(student, one, why=nothing) for student in roster.absent(seen) for one in every]
    strangers = sorted({one.id for one in seen if roster.students and not one.listed})
    return Intake(work, strangers, search.ignored)


def _asked(search: _Search, found: list[_Found]) -> list[Exercise]:
    """The exercises that everybody was to do: the one named, else those that anybody did."""
    if search.only:
        return [search.only]
    return list({one.exercise.name: one.exercise for one in found if one.exercise}.values())


def _pieces(one: _Found, every: list[Exercise], roster: Roster) -> Iterator[Work]:
    student = roster.find(one.whose.encode("utf-8", "replace").decode())
    if one.exercise is not None:
        yield Work(student, one.exercise, one.tree, one.at, one.why)
        return
    for exercise in every:
        yield Work(student, exercise, why=one.why or NotThere(f"There is no {exercise.file}."))


def _once_each(work: list[Work]) -> None:
    seen: set[tuple[str, str]] = set()
    for piece in work:
        key = (piece.student.id, piece.exercise.name)
        if key in seen:
            why = "Two folders or files are of the same student."
            raise UsageError(f"{key[0]} handed in {key[1]} twice.", why, "leave one of them")
        seen.add(key)
