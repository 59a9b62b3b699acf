"""The site, built once for all that look at it, and a Chromium that looks."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT, require
from tour.docsgen.pages import write_site
from tour.errors import CapabilityMissing

BUILDERS = {"mkdocs": ["mkdocs", "build", "--strict", "-q"], "zensical": ["zensical", "build", "--strict"]}


class Site:
    """A folder with the pages' Markdown (``build/site``) and what a builder made of it (``build/html``)."""

    def __init__(self, place: Path, pages: Path, builder: str) -> None:
        self.html = place / "build" / "html"
        shutil.copy(ROOT / "mkdocs.yml", place)
        shutil.copytree(ROOT / "docs" / "theme", place / "docs" / "theme")
        shutil.copytree(pages, place / "build" / "site")
        self.offline = isolated()
        command = [*(WITHOUT_NETWORK if self.offline else ()), sys.executable, "-m", *BUILDERS[builder]]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=110, env=os.environ | QUIET)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


QUIET = {"NO_MKDOCS_2_WARNING": "1"}
WITHOUT_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]


def isolated() -> bool:
    """Whether a command can be run without any network here."""
    return subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True, timeout=10).returncode == 0


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's Markdown, player files and pictures."""
    folder = tmp_path_factory.mktemp("pages")
    list(write_site(folder))
    return folder


@pytest.fixture(scope="session")
def built(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site as MkDocs builds it."""
    return Site(tmp_path_factory.mktemp("mkdocs"), pages, "mkdocs")


@pytest.fixture(scope="session")
def built_anew(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site as Zensical builds it."""
    return Site(tmp_path_factory.mktemp("zensical"), pages, "zensical")


class Quiet(SimpleHTTPRequestHandler):
    """Files, without a line for each."""

    def log_message(self, format: str, *args: Any) -> None:
        return


def serve(folder: Path) -> ThreadingHTTPServer:
    """A server of that folder on a port of loopback, running; ``shutdown`` ends it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    require("chromium", probe_chromium)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def probe_chromium() -> None:
    """Raises CapabilityMissing unless Chromium and what drives it are there."""
    if not shutil.which("chromium"):
        raise CapabilityMissing("chromium", "chromium is not there.", "", "sudo apt-get install chromium")
    try:
        import playwright  # noqa: F401
    except ImportError as error:
        raise CapabilityMissing("chromium", str(error), "", "sh install.sh test") from error
