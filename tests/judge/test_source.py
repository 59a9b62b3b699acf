"""Whatever lies where a submission's file should: taken only if it is one small text file of its own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tour.judge.source import SOURCE_MAX, Unreadable, read_source

NAME = "publish.py"


def test_a_text_is_taken(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("# 可用环\n", "utf-8")
    assert read_source(tmp_path, NAME) == "# 可用环\n"


def test_one_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"there is no publish\.py"):
        read_source(tmp_path, NAME)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("secret")
    (tmp_path / NAME).symlink_to(tmp_path / "other")
    with pytest.raises(Unreadable, match="symbolic links"):
        read_source(tmp_path, NAME)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(Unreadable, match="no regular file"):
        read_source(tmp_path, NAME)


def test_a_folder_and_a_socket_are_no_files(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(Unreadable, match="no regular file"):
        read_source(tmp_path, NAME)
    with socket.socket(socket.AF_UNIX) as sock:
        here = os.getcwd()
        os.chdir(tmp_path)
        try:
            sock.bind("s.py")
        finally:
            os.chdir(here)
    with pytest.raises(Unreadable):
        read_source(tmp_path, "s.py")


def test_a_huge_one_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / NAME).open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(Unreadable, match="longer than"):
        read_source(tmp_path, NAME)
    (tmp_path / NAME).write_bytes(b"#" * SOURCE_MAX)
    assert len(read_source(tmp_path, NAME)) == SOURCE_MAX


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Unreadable, match="not UTF-8"):
        read_source(tmp_path, NAME)
