"""What was handed in is found wherever it lies, and nothing that a student put there does harm."""

from __future__ import annotations

import contextlib
import io
import os
import random
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.classroom.ground import class_folder
from tour.classroom.intake import Intake, take_in
from tour.classroom.roster import Roster, Student, read_roster
from tour.classroom.tree import DIRECTORY_MAX, LISTED_MAX, SOURCE_MAX, Archive, NotTaken, NotThere
from tour.errors import UsageError

Names = dict[str, bytes]


def taken(*paths: Path, exercise: str = "publish", roster: Roster | None = None) -> Intake:
    return take_in(paths, exercise, roster or Roster())


def told(intake: Intake) -> dict[str, bytes | str]:
    """Each student's bytes, or what is said where there are none."""
    found: dict[str, bytes | str] = {}
    for work in intake.work:
        try:
            found[work.student.id] = work.read()
        except UsageError as error:
            found[work.student.id] = error.what
    return found


def zipped(path: Path, names: Names) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in names.items():
            file.writestr(name, data)
    return path


def packed(names: Names) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in names.items():
            file.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("names", "students"),
    [
        ({"publish.py": b"a"}, {"class": b"a"}),
        ({"alice/publish.py": b"a", "bob/publish.py": b"b"}, {"alice": b"a", "bob": b"b"}),
        ({"alice/publish/publish.py": b"a", "bob/x/publish.py": b"b"}, {"alice": b"a", "bob": b"b"}),
        ({"alice.py": b"a", "bob.py": b"b"}, {"alice": b"a", "bob": b"b"}),
        ({"alice.zip": packed({"publish/publish.py": b"a"}), "b.ZIP": packed({"publish.py": b"b"})},
         {"alice": b"a", "b": b"b"}),
        ({"term/alice/publish.py": b"a", "term/bob/publish.py": b"b"}, {"alice": b"a", "bob": b"b"}),
        ({"alice/publish.py": b"a", "bob/notes.txt": b"b", ".git/x": b"", "__MACOSX/publish.py": b""},
         {"alice": b"a", "bob": "There is no publish.py."}),
        ({"alice/a/publish.py": b"1", "alice/b/publish.py": b"2", "bob.py": b"b"},
         {"alice": "publish.py is there more than once.", "bob": b"b"}),
        ({"alice/publish.py": b"a", "alice/old/publish.py": b"2"}, {"alice": b"a"}),
        ({"alice.zip": b"no zip", "bob.py": b"b"}, {"alice": "alice.zip is no zip file that can be read.",
                                                   "bob": b"b"}),
        ({"alice/publish.py": b"x" * (SOURCE_MAX + 1), "bob.py": b"b"},
         {"alice": f"publish.py has more than {SOURCE_MAX} bytes.", "bob": b"b"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_submissions_are_found(tmp_path: Path, kind: str, names: Names, students: dict[str, bytes | str]) -> None:
    if kind == "zip":
        path = zipped(tmp_path / "class.zip", names)
    else:
        path = tmp_path / "class"
        for name, data in names.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    assert told(taken(path)) == students


def test_a_workspace_is_its_owners_whatever_it_is_called(tmp_path: Path) -> None:
    paths = [class_folder(tmp_path / name, {"publish": name}) / "publish" for name in ("alice", "bob")]
    assert told(taken(*paths)) == {"alice": b"alice", "bob": b"bob"}
    assert told(taken(paths[0] / "publish.py")) == {"alice": b"alice"}


def test_an_archive_of_a_workspace_is_one_submission(tmp_path: Path) -> None:
    state = b'{"exercise": "publish"}'
    path = zipped(tmp_path / "alice.zip", {"publish/publish.py": b"a", "publish/.tour/state.json": state})
    assert told(taken(path)) == {"alice": b"a"}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"src/publish.py": b"a", "notes/x": b""}, b"a"),
        ({"main.py": b"a", "other.py": b"b", "README": b""}, "There is no publish.py."),
        ({}, "There is no publish.py."),
    ],
)
def test_what_is_one_students_is_never_a_class(tmp_path: Path, names: Names, said: bytes | str) -> None:
    (tmp_path / "sub").mkdir()
    for name, data in names.items():
        (tmp_path / "sub" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "sub" / name).write_bytes(data)
    assert told(take_in([tmp_path / "sub"], "publish", Roster(), alone=True)) == {"sub": said}


def test_the_exercise_is_known_by_the_files_name(tmp_path: Path) -> None:
    place = class_folder(tmp_path / "class", {"alice": "a"})
    (work,) = taken(place, exercise="").work
    assert work.exercise.name == "publish"
    with pytest.raises(UsageError, match="no exercise's file"):
        taken(class_folder(tmp_path / "other", {"alice": "a"}, "homework.py") / "alice" / "homework.py", exercise="")
    with pytest.raises(UsageError, match="No submission"):
        taken(tmp_path / "other", exercise="")
    with pytest.raises(UsageError, match="There is no"):
        taken(tmp_path / "nowhere")


def test_two_of_one_student_are_refused(tmp_path: Path) -> None:
    place = class_folder(tmp_path / "class", {"alice": "a"})
    (place / "alice.py").write_text("b")
    with pytest.raises(UsageError, match="alice handed in publish twice"):
        taken(place)


def hostile_link(place: Path) -> None:
    (place / "publish.py").symlink_to("/etc/passwd")


def hostile_folder_link(place: Path) -> None:
    place.rmdir()
    place.symlink_to("/etc")


def hostile_pipe(place: Path) -> None:
    os.mkfifo(place / "publish.py")


def hostile_folder(place: Path) -> None:
    (place / "publish.py").mkdir()


def hostile_sparse(place: Path) -> None:
    with open(place / "publish.py", "wb") as file:
        file.truncate(2 << 30)


def hostile_crowd(place: Path) -> None:
    for at in range(3000):
        (place / f"d{at}").mkdir()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (hostile_link, "publish.py is a symbolic link."),
        (hostile_folder_link, ""),
        (hostile_pipe, "publish.py is no regular file."),
        (hostile_folder, "There is no publish.py."),
        (hostile_sparse, f"publish.py has more than {SOURCE_MAX} bytes."),
        (hostile_crowd, "There is no publish.py."),
    ],
)
def test_a_hostile_folder_costs_only_itself(tmp_path: Path, make: Callable[[Path], None], said: str) -> None:
    place = class_folder(tmp_path / "class", {"alice": "a"})
    (place / "mallory").mkdir()
    make(place / "mallory")
    found = told(taken(place))
    assert found.pop("alice") == b"a"
    assert found == ({"mallory": said} if said else {})


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_a_hostile_archive_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("../../out/publish.py", "/etc/publish.py", "C:/x/publish.py", "..\\up\\publish.py"):
            file.writestr(name, b"bad")
        file.writestr(link("mallory/publish.py"), "/etc/passwd")
        file.writestr("bomb/publish.py", b"\0" * (64 << 20))
        file.writestr("alice\\publish.py", b"a")
        file.writestr("twice/publish.py", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("twice/publish.py", b"2")
        file.writestr(zipfile.ZipInfo("lzma/publish.py"), b"x", zipfile.ZIP_LZMA)
    found = taken(path)
    assert told(found) == {
        "alice": b"a",
        "bomb": f"publish.py has more than {SOURCE_MAX} bytes.",
        "lzma": "publish.py is encrypted, or packed in a way that is not taken.",
        "mallory": "publish.py is a symbolic link.",
        "twice": "publish.py is in the archive twice.",
    }
    assert found.ignored == ["class.zip: 4 names that lead out of it"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.zip"], "nothing is unpacked"


def test_an_archive_that_is_damaged_says_so(tmp_path: Path) -> None:
    data = bytearray(packed({"alice/publish.py": b"print('a long enough text')"}))
    at = data.index(b"print")
    data[at] ^= 0xFF
    (tmp_path / "class.zip").write_bytes(data)
    assert told(taken(tmp_path / "class.zip")) == {"alice": "publish.py is damaged in the archive."}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_archive_damaged_anyhow_is_work_or_words(tmp_path: Path) -> None:
    chance, path = random.Random(1), tmp_path / "class.zip"
    inner = {"publish.py": b"z"}
    whole = packed({"alice/publish.py": b"x" * 300, "bob/publish/publish.py": b"y", "carol.zip": packed(inner)})
    for _ in range(500):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.1 else whole)
        for _ in range(chance.choice((1, 1, 2, 8)) if data else 0):
            data[chance.randrange(len(data))] = chance.choice((0, 255, chance.randrange(256)))
        path.write_bytes(data)
        with contextlib.suppress(UsageError):
            assert told(taken(path))


@pytest.mark.parametrize(("count", "length"), [(LISTED_MAX + 1, 100), (3, DIRECTORY_MAX + 1), (0xFFFF, 0xFFFFFFFF)])
def test_a_list_of_names_that_is_too_long_is_never_read(count: int, length: int) -> None:
    data = bytearray(packed({"a": b""}))
    end = data.rindex(b"PK\5\6")
    data[end + 10 : end + 12] = count.to_bytes(2, "little")
    data[end + 12 : end + 16] = length.to_bytes(4, "little")
    with pytest.raises(NotTaken, match="more than"):
        Archive(io.BytesIO(bytes(data)), "x.zip")


def test_what_is_not_in_an_archive_is_not_there() -> None:
    with pytest.raises(NotThere):
        Archive(io.BytesIO(packed({"a": b""})), "x.zip").read(("b",), 10)


# -- the roster -------------------------------------------------------------------------------------------

LISTS = {
    "plain": b"id,name,email\nalice,Alice A,a@x.org\nbob,Bob B,b@x.org\n",
    "excel": "\ufeffid;name;e-mail\r\nalice;Alice A;a@x.org\r\nbob;Bob B;b@x.org\r\n".encode(),
    "gradescope": b"First Name,Last Name,SID,Email\nAlice,A,alice,a@x.org\nBob,B,bob,b@x.org\n",
    "classroom50": b"username,first_name,last_name,email,section,github_id\nalice,Alice,A,a@x.org,1,2\n"
    b"bob,Bob,B,b@x.org,1,3\n",
    "中文": "学号,姓名,邮箱\nalice,Alice A,a@x.org\n\nbob,Bob B,b@x.org\n".encode(),
}


@pytest.mark.parametrize("kind", LISTS)
def test_rosters_of_many_makers_are_read(tmp_path: Path, kind: str) -> None:
    (tmp_path / "class.csv").write_bytes(LISTS[kind])
    alice, bob = read_roster(tmp_path / "class.csv").students
    assert alice == Student("alice", "Alice A", "a@x.org", listed=True)
    assert bob.id == "bob"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"colour,size\nred,1\n", "no column"),
        (b"id,name\nalice,\xff\n", "not UTF-8"),
        ("id,name\nalice,x\n".encode("utf-16"), "not UTF-8"),
        (b"id,name\nalice,1\nalice,2\n", "twice"),
        (b'id,name\nalice,"' + b"x" * 200_000, "cannot be read"),
    ],
)
def test_a_roster_that_is_none_is_refused_with_words(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "class.csv").write_bytes(data)
    with pytest.raises(UsageError, match=said):
        read_roster(tmp_path / "class.csv")


def test_folders_find_their_students_and_absent_ones_are_told(tmp_path: Path) -> None:
    named = {"s1": "Alice A", "s2": "Bob B", "s3": "Carol C", "s4": "Dan D"}
    people = [Student(one, name, listed=True) for one, name in named.items()]
    folders = {"Alice A": "1", "s2_12345_assignsubmission_file": "2", "stranger": "3", "S3": "4"}
    found = taken(class_folder(tmp_path / "class", folders), roster=Roster(people))
    assert told(found) == {"s1": b"1", "s2": b"2", "stranger": b"3", "s3": b"4", "s4": "Nothing was handed in."}
    assert found.strangers == ["stranger"]
