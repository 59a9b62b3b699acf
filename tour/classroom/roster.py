"""The class list: who there is, and whose the folder of a submission is."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tour.errors import UsageError

SIZE_MAX = 4 << 20
NAMES_OF = {
    "id": ("id", "sid", "studentid", "username", "login", "user", "学号"),
    "name": ("name", "fullname", "姓名"),
    "email": ("email", "mail", "emailaddress", "邮箱", "电子邮件"),
    "first": ("firstname", "givenname", "名"),
    "last": ("lastname", "surname", "familyname", "姓"),
}
"""What the columns are called in the lists that learning platforms export, without spaces and marks."""


class Student(msgspec.Struct, frozen=True):
    """One of the class; ``listed`` when the roster has them."""

    id: str
    name: str = ""
    email: str = ""
    listed: bool = False


class Roster:
    """The list, and finding a student by what their folder is called."""

    def __init__(self, students: Iterable[Student] = ()) -> None:
        self.students = list(students)
        self._by: dict[str, Student | None] = {}
        for student in self.students:
            for key in {student.id, student.email, student.name}:
                self._know(key, student)

    def find(self, folder: str) -> Student:
        """Whose folder that is: by its whole name, else by a word of it that is an id; unknown ones are themselves."""
        whole = self._by.get(folder.casefold())
        if whole is not None:
            return whole
        words = {self._by.get(word.casefold()) for word in re.split(r"[\s_()\[\]]+", folder) if word}
        known = [one for one in words if one is not None]
        return known[0] if len(known) == 1 else Student(folder)

    def absent(self, seen: Iterable[Student]) -> list[Student]:
        """Those of the list that are not among ``seen``."""
        there = {student.id for student in seen}
        return [student for student in self.students if student.id not in there]

    def _know(self, key: str, student: Student) -> None:
        """A name that two have finds neither."""
        if key:
            key = key.casefold()
            self._by[key] = None if key in self._by else student


def read_roster(path: Path) -> Roster:
    """The roster in a CSV file: UTF-8, with or without a byte order mark, separated by comma, semicolon or tab.

    Raises UsageError.
    """
    text = _text(path)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise UsageError(f"The roster {path.name} cannot be read.", f"{error}.") from error
    if not rows:
        raise UsageError(f"The roster {path.name} is empty.")
    where = _columns(rows[0])
    if "id" not in where and "email" not in where:
        raise UsageError(
            f"The roster {path.name} has no column that says who is meant.",
            f"Its first line names: {', '.join(rows[0])[:200]}.",
            "give its first line the names id,name,email",
        )
    students = [_student(row, where) for row in rows[1:] if any(cell.strip() for cell in row)]
    return Roster(_unique([student for student in students if student.id], path))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_MAX + 1)
        if len(data) > SIZE_MAX:
            raise UsageError(f"The roster {path.name} has more than {SIZE_MAX} bytes.")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The roster {path.name} cannot be read.", f"{error.strerror}.") from error
    except UnicodeDecodeError as error:
        fix = "save it as CSV UTF-8"
        raise UsageError(f"The roster {path.name} is not UTF-8.", f"Byte {error.start} is not.", fix) from error


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _columns(head: list[str]) -> dict[str, int]:
    plain = [re.sub(r"[\s_-]+", "", cell).casefold() for cell in head]
    found = {kind: [plain.index(name) for name in names if name in plain] for kind, names in NAMES_OF.items()}
    return {kind: places[0] for kind, places in found.items() if places}


def _student(row: list[str], where: dict[str, int]) -> Student:
    def cell(kind: str) -> str:
        return row[where[kind]].strip() if kind in where and where[kind] < len(row) else ""

    name = cell("name") or " ".join(filter(None, (cell("first"), cell("last"))))
    return Student(cell("id") or cell("email"), name, cell("email"), listed=True)


def _unique(students: list[Student], path: Path) -> list[Student]:
    seen: set[str] = set()
    for student in students:
        if student.id in seen:
            raise UsageError(f"The roster {path.name} has {student.id} twice.")
        seen.add(student.id)
    return students
