"""The site in Chromium: the player plays, steps, asks, opens links and files; nothing leaves; it can be read by all."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.docs.conftest import serve
from tour.docsgen.player.file import player_file
from tour.i18n import Lang
from tour.lesson.course import course
from tour.lesson.model import load
from tour.trace import store

pytestmark = [pytest.mark.timeout(110)]
WIDE, NARROW = (1280, 900), (390, 844)
EIGHT = "lessons/08_first_packet_out/"
PLAYER = "document.querySelector('vhost-player')"
NOW = f"(() => {{ const it = {PLAYER}.lesson; return [it.step?.id ?? '', it.phase, it.position]; }})()"
Open = Callable[..., Any]


both_builders = pytest.mark.parametrize("site", ["built", "built_anew"], ids=["mkdocs", "zensical"], indirect=True)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the site is served, as MkDocs made it, or as the builder that the test names."""
    server = serve(request.getfixturevalue(getattr(request, "param", "built")).html)
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


@pytest.fixture
def page(chromium: Any, site: str) -> Iterator[Open]:
    """Opens a page of the site, its player ready; at the end nothing went wrong and no other host was asked."""
    contexts, wrong = [], []

    def open_page(path: str, size: tuple[int, int] = WIDE, *, ready: bool = True, **options: Any) -> Any:
        viewport = {"width": size[0], "height": size[1]}
        contexts.append(chromium.new_context(viewport=viewport, **({"reduced_motion": "reduce"} | options)))
        found = contexts[-1].new_page()
        found.on("pageerror", lambda error: wrong.append(str(error)))
        found.on("request", lambda one: one.url.startswith((site, "data:", "blob:")) or wrong.append(one.url))
        found.on("response", lambda one: wrong.append(f"{one.status} {one.url}") if one.status >= 400 else None)
        found.goto(site + path)
        if ready:
            found.wait_for_selector("vhost-player[ready]")
        return found

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def press(page: Any, *keys: str) -> None:
    page.evaluate(f"{PLAYER}.shadowRoot.querySelector('.player').focus()")
    for key in keys:
        page.keyboard.press(key)


@both_builders
def test_the_front_page_plays_by_itself_when_motion_is_welcome(page: Open) -> None:
    found = page("", reduced_motion="no-preference")
    found.evaluate(f"{PLAYER}.scrollIntoView()")
    begins = found.evaluate(NOW)[2]
    found.wait_for_function(f"{PLAYER}.lesson.position > {begins}")
    assert found.evaluate(f"{PLAYER}.playing > 0")


def test_the_front_page_stands_still_when_it_is_not(page: Open) -> None:
    found = page("")
    found.evaluate(f"{PLAYER}.scrollIntoView()")
    found.wait_for_function("new Promise(done => requestIdleCallback(() => requestIdleCallback(() => done(true))))")
    assert found.evaluate(f"{PLAYER}.playing") == 0 and found.evaluate(NOW)[1] == "ask"


@both_builders
def test_the_front_page_is_light(chromium: Any, site: str) -> None:
    """What it loads besides the theme's own files, uncompressed; the player and the search's index, compressed."""
    found = chromium.new_page()
    loaded: dict[str, bytes] = {}
    found.on("response", lambda answer: loaded.update({answer.url.removeprefix(site): answer.body()}))
    found.goto(site)
    found.wait_for_selector("vhost-player[ready]")
    found.wait_for_load_state("networkidle")
    found.close()
    index = [gzip.compress(body) for path, body in loaded.items() if path.startswith("search")]
    own = {path: len(body) for path, body in loaded.items() if not path.startswith(("assets/", "search"))}
    player = [gzip.compress(body) for path, body in loaded.items() if re.fullmatch(r"player/\w+\.(js|css)", path)]
    assert "player/player.js" in own and any(path.endswith("player.json") for path in own)
    assert sum(own.values()) < 300 * 1024, own
    assert sum(map(len, player)) < 60 * 1024 and sum(map(len, index)) < 300 * 1024


def test_keys_step_to_and_fro_through_every_stop_and_back_to_the_beginning(page: Open) -> None:
    found = page(EIGHT)
    places = [found.evaluate(NOW)]
    while not found.evaluate(f"{PLAYER}.lesson.atEnd"):
        press(found, "ArrowRight")
        places.append(found.evaluate(NOW))
        assert len(places) < 80
    stops, steps = found.evaluate(f"[{PLAYER}.film.stops, {PLAYER}.film.steps.map(one => one.id)]")
    assert list(dict.fromkeys(step for step, *_ in places)) == steps == list(load("8").step_ids)
    assert len(places) > len([stop for stop in stops if stop > places[0][2]])
    back = [places[-1]]
    while found.evaluate(NOW) != places[0]:
        press(found, "ArrowLeft")
        back.append(found.evaluate(NOW))
        assert len(back) < 80
    told = [place for place in places if place[1] != "told" or place[2] < found.evaluate(f"{PLAYER}.film.length")]
    assert {tuple(place) for place in told} <= {tuple(place) for place in back}


def test_the_scrubber_goes_anywhere_and_the_panels_follow(page: Open) -> None:
    found = page(EIGHT)
    for part, idx in ((0.0, None), (1.0, "idx 1"), (0.55, "idx 0")):
        found.evaluate(f"{PLAYER}.seek(Math.round({PLAYER}.film.length * {part}))")
        found.locator("[role=tab]", has_text="TX").first.click()
        shown = found.locator('[data-at="tx.avail.idx"]')
        assert (shown.inner_text() if shown.count() else None) == idx
    found.locator("input.scrub").fill("120")
    assert found.evaluate(NOW)[2] == 120


def test_a_question_is_answered_from_the_recording(page: Open) -> None:
    found = page(f"{EIGHT}#publish")
    assert found.evaluate(NOW)[:2] == ["publish", "ask"]
    right = found.evaluate(f"{PLAYER}.lesson.step.asks.right")
    wrong = 1 if right == 0 else 0
    story = found.locator(".story")
    press(found, str(wrong + 1))
    assert story.locator(".choice.bad").count() == 1 and "Not this one" in story.inner_text()
    assert found.evaluate(NOW)[1] == "ask"
    story.locator(".choice").nth(right).click()
    assert story.locator(".choice.good").count() == 1
    found.wait_for_function(f"{PLAYER}.lesson.phase === 'told'")
    assert load("8").spec("publish").predict is not None
    assert story.locator(".refuted").count() == 1
    assert story.locator(".checks li").count() == len(load("8").spec("publish").check)


def test_while_a_question_is_open_nothing_answers_it(page: Open) -> None:
    found = page(f"{EIGHT}#kick")
    assert found.locator(".checks, .changed, .refs").count() == 0
    assert found.evaluate(f"{PLAYER}.playing") == 0
    press(found, " ")
    found.wait_for_function(f"{PLAYER}.lesson.phase !== 'ask'")


@pytest.mark.parametrize("step", load("8").step_ids)
def test_a_link_to_a_step_opens_exactly_there(page: Open, step: str) -> None:
    found = page(f"zh/{EIGHT}#{step}", NARROW)
    assert found.evaluate(NOW)[:2] == [step, "ask"]
    assert found.locator("vhost-player .player").bounding_box()["y"] < NARROW[1] / 2
    found.evaluate("location.hash = '#frame'")  # early on the theme may fetch the page anew: the player with it
    found.wait_for_function(f"{PLAYER}.lesson?.step.id === 'frame'")


@both_builders
def test_the_language_switch_leads_to_the_same_page(page: Open) -> None:
    found = page(EIGHT)
    found.locator("a.vhost-language").click()
    found.wait_for_url(f"**/zh/{EIGHT}")
    found.wait_for_selector("vhost-player[ready]")
    assert found.evaluate("document.documentElement.lang") == "zh"
    found.locator("a.vhost-language").click()
    found.wait_for_url(re.compile(rf"(?<!zh)/{EIGHT}$"))


@both_builders
@pytest.mark.parametrize(("query", "path"), [("可用环", "zh/"), ("used ring", "glossary/")])
def test_a_search_finds_its_page(page: Open, site: str, query: str, path: str) -> None:
    found = page("zh/" if path == "zh/" else "", ready=False)
    found.wait_for_load_state("networkidle")
    found.keyboard.press("/")
    found.keyboard.insert_text(query)
    found.keyboard.press("End")  # a search listens to keys
    result = found.locator(f"a[href*='{path}']:visible", has=found.locator("mark, b, em")).first
    result.wait_for(timeout=20000)
    assert path in result.get_attribute("href")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, WIDE])
def test_it_fits_and_no_text_is_small(page: Open, size: tuple[int, int], scheme: str) -> None:
    found = page(f"zh/{EIGHT}#kick", size, color_scheme=scheme)
    press(found, *["ArrowRight"] * 3)
    for tab in found.locator("[role=tab]").all():
        tab.click()
        assert found.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert found.evaluate(SMALLEST) >= 14
    assert found.evaluate(f"getComputedStyle({PLAYER}.shadowRoot.querySelector('.player')).backgroundColor") == (
        "rgb(251, 251, 248)" if scheme == "light" else "rgb(16, 20, 27)"
    )


SMALLEST = f"""Math.min(...[...{PLAYER}.shadowRoot.querySelectorAll('.player *')]
    .filter(one => one.getClientRects().length && [...one.childNodes].some(node => node.nodeType === 3))
    .map(one => parseFloat(getComputedStyle(one).fontSize)))"""


def test_on_a_phone_who_comes_before_the_queue_before_what_happened_before_the_question(page: Open) -> None:
    found = page(f"{EIGHT}#publish", NARROW)
    parts = ("who", "panel", "just", "question")
    tops = [found.locator(f"vhost-player .{part}").first.bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)


def test_a_swipe_is_a_step(page: Open) -> None:
    found = page(f"{EIGHT}#publish", NARROW, has_touch=True)
    swipe = """(dx) => { const stage = document.querySelector('vhost-player').shadowRoot.querySelector('.stage');
        const touch = (x) => new Touch({identifier: 1, target: stage, clientX: x, clientY: 300});
        stage.dispatchEvent(new TouchEvent('touchstart', {touches: [touch(200)]}));
        stage.dispatchEvent(new TouchEvent('touchend', {changedTouches: [touch(200 + dx)]})); }"""
    found.evaluate(swipe, -120)
    found.wait_for_function(f"{PLAYER}.lesson.phase === 'told'")
    found.evaluate(swipe, 120)
    found.wait_for_function(f"{PLAYER}.lesson.phase === 'ask'")


@both_builders
def test_motion_ends_where_the_still_says(page: Open) -> None:
    found = page(f"{EIGHT}#entry", reduced_motion="no-preference")
    found.evaluate(f"void {PLAYER}.step(1)")
    found.wait_for_selector("vhost-player .travel")
    assert found.locator(".travel").inner_text() == "[0]"
    found.wait_for_selector("vhost-player .travel", state="detached")
    found.wait_for_function(
        f"{PLAYER}.shadowRoot.querySelector('[data-at=\"tx.avail.ring[0]\"]').textContent === '[0]'"
    )


def drop(page: Any, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(str(path))


def test_a_file_of_ones_own_is_played_and_stays_here(page: Open, tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    mine.write_bytes(player_file(store.load(load("4").recording_path()), None, "en"))
    found = page(EIGHT)
    drop(found, mine)
    found.wait_for_function(f"{PLAYER}.film.steps[0].id === '{load('4').step_ids[0]}'")
    assert "mine.json" in found.locator("vhost-player header h3").inner_text()
    found.evaluate(f"{PLAYER}.seek({PLAYER}.film.length)")
    assert found.locator(".just").inner_text()


BAD = {
    "broken.json": (b'{"format": "vhost-tour player 1", "deltas": [', "damaged"),
    "empty.json": (b"", "damaged"),
    "other.json": (b'{"a": 1}', "damaged"),
    "newer.json": (b'{"format": "vhost-tour player 9"}', "another version"),
    "binary.json": (bytes(range(256)) * 40, "damaged"),
    "recording.jsonl": (Path(load("8").recording_path()).read_bytes(), "tour export --as player"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_played_says_so_and_the_player_stays_as_it_was(
    page: Open, tmp_path: Path, name: str
) -> None:
    data, words = BAD[name]
    (tmp_path / name).write_bytes(data)
    found = page(EIGHT)
    before = found.evaluate(NOW)
    drop(found, tmp_path / name)
    said = found.locator("[role=alert]")
    said.get_by_text(re.compile(re.escape(words))).wait_for()
    assert name in said.inner_text()
    press(found, "ArrowRight")
    assert found.evaluate(NOW) != before


DAMAGES = {
    "delta": lambda film: film["deltas"].__setitem__(3, [[["nowhere", "at", "all"], 1]]),
    "prototype": lambda film: film["deltas"].__setitem__(3, [[["__proto__", "polluted"], 1]]),
    "stop": lambda film: film["stops"].append(10**9),
    "step": lambda film: film["steps"][0].__setitem__("begin", "x"),
    "events": lambda film: film["events"].pop(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused(page: Open, tmp_path: Path, damage: str) -> None:
    film = json.loads(player_file(store.load(load("2").recording_path()), load("2"), "en"))
    DAMAGES[damage](film)
    (tmp_path / "mine.json").write_text(json.dumps(film))
    found = page(EIGHT)
    drop(found, tmp_path / "mine.json")
    found.locator("[role=alert]").get_by_text("damaged").wait_for()
    assert found.evaluate("({}).polluted") is None


def test_markup_in_a_recording_is_text(page: Open, tmp_path: Path) -> None:
    film = json.loads(player_file(store.load(load("2").recording_path()), load("2"), "en"))
    text = json.dumps(film).replace("vhost-130", "<img src=x onerror='window.ran=1'>")
    (tmp_path / "mine.json").write_text(text)
    found = page(EIGHT)
    drop(found, tmp_path / "mine.json")
    found.wait_for_function(f"{PLAYER}.film.steps[0].id === 'open'")
    found.evaluate(f"{PLAYER}.seek(40)")
    assert "<img" in found.locator(".who").inner_text() and found.locator("vhost-player img").count() == 0


def test_without_scripts_every_step_is_there_in_words_and_pictures(chromium: Any, site: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    found = context.new_page()
    found.goto(site + EIGHT)
    for step in load("8").step_ids:
        assert found.locator(f"h2#{step}").is_visible()
    assert found.locator("img[src$='#only-light']").first.is_visible()
    context.close()


def test_on_paper_the_steps_stand_in_the_players_place(page: Open) -> None:
    found = page(EIGHT)
    assert not found.locator("h2#publish").is_visible()
    found.emulate_media(media="print")
    assert found.locator("h2#publish").is_visible() and not found.locator("vhost-player").is_visible()


@pytest.mark.parametrize("lang", get_args(Lang))
def test_the_browser_applies_the_changes_as_python_does(page: Open, site: str, lang: Lang) -> None:
    """Every still of every lesson, by a digest of its JSON."""
    found = page("")
    for entry in course().ready:
        folder = Path(load(entry.id).folder).name
        path = f"{'zh/' if lang == 'zh' else ''}lessons/{folder}/player.json"
        digests = found.evaluate(DIGESTS, [f"{site}player/film.js", f"{site}{path}"])
        assert digests == python_digests(entry.id, lang), entry.id


DIGESTS = """async ([script, path]) => {
    const { read } = await import(script);
    const film = read(await (await fetch(path)).text());
    const found = [], text = new TextEncoder();
    const plain = (key, value) => {
        if (typeof value === "number" && !Number.isInteger(value)) return value.toFixed(6);
        if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
        return Object.fromEntries(Object.keys(value).sort().map(name => [name, value[name]]));
    };
    const told = (at) => JSON.stringify(film.at(at), plain);
    for (let at = 0; at <= film.length; at += 1) found.push(told(at));
    for (let at = film.length; at >= 0; at -= 37) if (told(at) !== found[at]) return `back ${at}`;
    const digest = await crypto.subtle.digest("SHA-256", text.encode(found.join("\\n")));
    return [...new Uint8Array(digest)].map(one => one.toString(16).padStart(2, "0")).join("");
}"""


def python_digests(lesson: str, lang: Lang) -> str:
    from tour.docsgen.player.stills import stills

    of = load(lesson)
    drawn = (plain(still.drawn) for still in stills(store.load(of.recording_path()).events, of, lang))
    text = "\n".join(json.dumps(one, ensure_ascii=False, separators=(",", ":"), sort_keys=True) for one in drawn)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A number that is whole as an integer, another with six digits, as the browser is asked to write them."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else f"{value:.6f}"
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


TYPES = [
    "", "install/", "speed/", "hostile/", "zh/instructors/", "errors/", EIGHT, f"zh/{EIGHT}#kick",
    "lessons/13_batching/#sizes", "concepts/", "errnos/", "zh/library/", "api/",
]  # fmt: skip


@pytest.mark.parametrize(
    ("site", "scheme"), [("built", "light"), ("built", "dark"), ("built_anew", "light")], indirect=["site"]
)
@pytest.mark.parametrize("path", TYPES)
def test_nothing_serious_keeps_anybody_out(page: Open, path: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = page(path, ready=path in ("", "zh/") or "lessons" in path, color_scheme=scheme)
    response = Axe().run(found).response
    serious = [
        (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]][:3])
        for one in response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious
    assert len(response["passes"]) > 10
