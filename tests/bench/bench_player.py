"""The site's player in Chromium: seeking in a recording of 10,000 events, and how smoothly it moves.

    python -m tests.bench.bench_player [--events 10000] [--seeks 300] [--rounds 4]

Prints milliseconds of a seek with its layout, to the far end first and then to random places; and the share of frames
dropped while things travel, round by round beside an empty animation of the same length in the same browser.
Exit code 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import sync_playwright

from tests.docs.conftest import serve
from tests.trace.test_timeline import long_run
from tour.docsgen.player.file import player_file
from tour.docsgen.player.site import write_player
from tour.trace import events as ev
from tour.trace.store import Recording

MOST_MS = 100
MOST_RATIO = 1.2
FRAME_MS = 1000 / 60
PAGE = """<!doctype html><meta charset="utf-8"><title>bench</title><link rel="stylesheet" href="player/colours.css">
<body><vhost-player file="player.json"></vhost-player><div id="empty" style="width: 40px; height: 20px; background: red"></div>
<script type="module" src="player/player.js"></script>"""  # noqa: E501 - a page is one text
SEEK = """([places]) => { const player = document.querySelector("vhost-player"), times = [];
    for (const place of places) { const began = performance.now(); player.seek(place);
        player.getBoundingClientRect(); times.push(performance.now() - began); }
    return times; }"""
FRAMES = """async ([what, length]) => { const player = document.querySelector("vhost-player");
    const gaps = []; let last = performance.now(), going = true;
    const tick = (now) => { gaps.push(now - last); last = now; if (going) requestAnimationFrame(tick); };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
    const until = performance.now() + length;
    while (performance.now() < until) {
        if (what === "player") await player.step(1);
        else await document.getElementById("empty").animate(
            [{transform: "translate(0)"}, {transform: "translate(300px, 80px)"}], {duration: 300}).finished;
    }
    going = false; return gaps; }"""


def dropped(gaps: list[float]) -> float:
    """The share of frames of 60 a second that were not drawn."""
    missed = sum(max(0, round(gap / FRAME_MS) - 1) for gap in gaps)
    return missed / max(1, len(gaps) + missed)


def seeks(page: Any, events: int, count: int) -> float:
    """Print how long seeks take; returns the worst."""
    far = page.evaluate(SEEK, [[events, 0]])
    times = sorted(page.evaluate(SEEK, [[random.randrange(events) for _ in range(count)]]))
    print(f"to the end and back, nothing known yet: {far[0]:.1f} and {far[1]:.1f} ms")
    print(f"{count} random places: median {median(times):.2f}, p95 {times[len(times) * 95 // 100]:.2f}, "
          f"worst {times[-1]:.2f} ms")  # fmt: skip
    return float(max(*far, times[-1]))


def smoothness(page: Any, rounds: int) -> float:
    """Print the shares of dropped frames, a round a line; returns the ratio of what both drew no more."""
    ours, empty = [], []
    for _ in range(rounds):
        for what, found in (("empty", empty), ("player", ours)):
            page.evaluate(SEEK, [[500]])
            found.append(dropped(page.evaluate(FRAMES, [what, 4000])))
        print(f"dropped: player {100 * ours[-1]:.1f} %, empty animation {100 * empty[-1]:.1f} %")
    return median(ours) / max(median(empty), 0.005)


def main() -> int:
    """Measure; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("events", 10_000), ("seeks", 300), ("rounds", 4), ("num", 8)):
        parser.add_argument(f"--{name}", type=int, default=value, help="default: %(default)s")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        write_player(place / "player")
        (place / "index.html").write_text(PAGE)
        hello = ev.Hello(1, 3, "", "embedded", "6.1", "none", "", "2026-01-01T00:00:00Z")
        first = ev.Event(-1, 0, "tour", "tour", hello)
        recording = Recording("long run", (first, *long_run(asked.num, asked.events)), whole=True)
        (place / "player.json").write_bytes(player_file(recording, None, "en"))
        server = serve(place)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        page.wait_for_selector("vhost-player[ready]")
        worst, ratio = seeks(page, asked.events, asked.seeks), smoothness(page, asked.rounds)
        browser.close()
        server.shutdown()
    print(f"worst seek {worst:.1f} ms (at most {MOST_MS}); dropped frames {ratio:.2f} x (at most {MOST_RATIO})")
    return int(worst > MOST_MS or ratio > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
