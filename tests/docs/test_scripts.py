"""The site's scripts, read by TypeScript's compiler: types as their comments say them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT, require
from tour.errors import CapabilityMissing

CONFIG = ROOT / "tests" / "docs" / "tsconfig.json"


def probe_tsc() -> None:
    """Raises CapabilityMissing without the compiler."""
    if shutil.which("tsc") is None:
        raise CapabilityMissing("tsc", "There is no tsc.", "", "sudo apt-get install node-typescript")


def checked(config: Path) -> subprocess.CompletedProcess[str]:
    require("tsc", probe_tsc)
    return subprocess.run(["tsc", "-p", str(config)], capture_output=True, text=True, timeout=100)


def test_the_scripts_are_typed() -> None:
    done = checked(CONFIG)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("wrong", ["goTo(1)", "film.nowhere"])
def test_what_is_wrong_is_found(tmp_path: Path, wrong: str) -> None:
    """The check itself: a function and a property that are not there."""
    shutil.copytree(ROOT / "tour" / "docsgen" / "web", tmp_path / "web")
    lines = ['import { Film } from "./film.js";', "const film = new Film({});", f"{wrong};", ""]
    (tmp_path / "web" / "wrong.js").write_text("\n".join(lines))
    config = json.loads(CONFIG.read_text("utf-8")) | {"include": ["web/*.js"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    done = checked(tmp_path / "tsconfig.json")
    assert done.returncode != 0 and "wrong.js(3" in done.stdout, done.stdout
