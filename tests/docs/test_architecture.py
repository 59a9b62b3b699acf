"""What the documents point to exists, and what they show is what the program draws."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

BASES = ("", "tour", "docs", "tour/agent", "tour/device", "tour/view", "tour/tui", "tour/lab", "tour/net", "tour/trace")
BASES += ("tour/abi", "tour/virtqueue", "tour/strings", "lessons/08_first_packet_out", "tour/device/embedded")
BASES += ("tour/dev", "tour/docsgen", "tour/csrc", "tour/bench", "tour/testing/hostile", "tour/guest", "tests/fuzz")


def named(document: str) -> list[str]:
    text = (ROOT / document).read_text("utf-8")
    return sorted(set(re.findall(r"`((?:\.?[\w]+/)*[\w.-]+\.(?:py|toml|md|sh|json|h|jsonl))`", text)))


@pytest.mark.parametrize("document", ["docs/architecture.md", "README.md", "docs/errors.md"])
def test_every_file_named_exists(document: str) -> None:
    missing = [name for name in named(document) if not any((ROOT / base / name).exists() for base in BASES)]
    assert missing == []


def test_every_package_has_its_line_in_the_house() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    packages = {path.parent.name for path in (ROOT / "tour").glob("*/__init__.py")}
    assert packages == {name for name in packages if f"tour/{name}" in text}


def test_the_readme_s_picture_is_what_the_program_draws(tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.svg"
    recording = ROOT / "lessons/08_first_packet_out/kernel.trace.jsonl"
    command = [sys.executable, "-m", "tour.cli", "replay", str(recording), "--svg", str(drawn), "--at", "kick"]
    subprocess.run([*command, "--lang", "en"], check=True, cwd=ROOT, capture_output=True)
    assert drawn.read_text("utf-8") == (ROOT / "docs/img/lesson8-kick.svg").read_text("utf-8")


def test_the_readme_has_two_lines() -> None:
    block = re.search(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert block is not None
    first, second = block.group(1).splitlines()
    assert first.endswith("tour start")
    assert "pytest" in second
