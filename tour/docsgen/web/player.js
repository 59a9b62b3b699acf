// <vhost-player file="…" steps="id-of-what-it-replaces" [auto] [asks="no"]>: plays a recording of a real run.

import { filled, h, svg } from "./dom.js";
import { Unplayable, read } from "./film.js";
import { Lesson } from "./lesson.js";
import { travel } from "./motion.js";
import * as panels from "./panels.js";
import { drawQueue } from "./queue.js";
import { drawStory } from "./story.js";

const SPEEDS = [0.5, 1, 2, 4];
const READING = 1100;
const A_LETTER = 22;
const SWIPE = 48;
const LARGEST = 64 * 1024 * 1024;
const STYLE = new URL("player.css", import.meta.url).href;
const ICONS = {
  back: "M15 4 5 12l10 8z", forward: "M6 4v16l9-8zM16 4h3v16h-3z", play: "M7 4v16l12-8z", pause: "M6 4h4v16H6zM14 4h4v16h-4z",
  whole: "M4 4h6v2H6v4H4zM20 4v6h-2V6h-4V4zM4 20v-6h2v4h4v2zM20 20h-6v-2h4v-4h2z",
};
const TABS = ["tx", "rx", "vhost", "features", "memory", "packet", "syscalls", "source"];
const MEASURED = ["figures", "plot", "guest"];

class VhostPlayer extends HTMLElement {
  /** @type {Lesson} */ lesson = /** @type {any} */ (null);
  /** @type {import("./film.js").Film} */ film = /** @type {any} */ (null);
  frame = h("div", { class: "player" });
  fileName = "";
  /** @type {Touch | undefined} */ touch;
  /** @type {Record<string, string>} */ strings = {};
  /** @type {Record<string, HTMLElement>} */ parts = {};
  tab = "";
  speed = 1;
  own = true;
  playing = 0;
  moving = new AbortController();
  still = matchMedia("(prefers-reduced-motion: reduce)");

  connectedCallback() {
    if (this.shadowRoot) return;
    this.#load().catch((error) => this.#failed(error));
  }

  disconnectedCallback() {
    this.pause();
    removeEventListener("hashchange", this.byHash);
  }

  async #load() {
    const answer = await fetch(new URL(this.getAttribute("file") ?? "", document.baseURI));
    if (!answer.ok) throw new Unplayable("broken");
    const film = read(await answer.text());
    const root = this.attachShadow({ mode: "open" });
    root.append(h("link", { rel: "stylesheet", href: STYLE }), this.frame);
    this.open(film);
    this.#replaceSteps();
    this.#listen();
    if (!this.byHash() && this.hasAttribute("auto")) this.#whenSeen();
  }

  /** The page keeps its own pictures of every step. @param {unknown} error */
  #failed(error) {
    this.setAttribute("failed", error instanceof Unplayable ? error.kind : "broken");
    console.warn("vhost-player:", error);
  }

  #replaceSteps() {
    document.getElementById(this.getAttribute("steps") ?? "")?.classList.add("vhost-replaced");
    this.setAttribute("ready", "");
  }

  /** Show a film from its first step on. @param {import("./film.js").Film} film */
  open(film) {
    this.film = film;
    this.strings = film.strings;
    this.lesson = new Lesson(film, this.getAttribute("asks") !== "no");
    this.lesson.enter(0);
    this.tab = "";
    this.#build();
    this.draw();
  }

  // --- the frame -------------------------------------------------------------------------------------------

  #build() {
    const part = (/** @type {string} */ name, tag = "div", /** @type {any} */ more = {}) =>
      (this.parts[name] = h(tag, { class: name, ...more }));
    const just = { role: "status", "aria-live": "polite", "aria-label": this.strings.just };
    const stage = part("stage", "div", { ontouchstart: this.touched, ontouchend: this.swiped });
    stage.append(part("who"), part("tabs", "div", { role: "tablist" }), part("panel", "div", { role: "tabpanel" }));
    this.frame.replaceChildren(
      part("head", "header"), stage, part("just", "p", just), part("story", "section"), this.#controls(),
      part("error", "p", { role: "alert" }),
    );
    this.frame.setAttribute("tabindex", "0");
    this.frame.setAttribute("role", "group");
    this.frame.setAttribute("lang", this.film.data.lang === "zh" ? "zh-Hans" : "en");
    this.frame.setAttribute("aria-label", filled(this.strings.player, { title: this.film.data.title }));
  }

  #controls() {
    const s = this.strings;
    const button = (/** @type {string} */ name, /** @type {any} */ text, /** @type {() => void} */ onclick) =>
      (this.parts[name] = h("button", { type: "button", class: name, title: s[name], "aria-label": s[name], onclick }, text));
    this.parts.scrub = h("input", {
      type: "range", class: "scrub", min: 0, max: this.film.length, "aria-label": s.scrub, list: "steps",
      oninput: () => this.seek(Number(/** @type {HTMLInputElement} */ (this.parts.scrub).value)),
    });
    const marks = this.film.steps.map((/** @type {any} */ step) => h("option", { value: step.begin }));
    return h(
      "footer", { class: "controls" },
      button("back", icon("back"), () => this.step(-1)),
      button("play", icon("play"), () => this.toggle()),
      button("forward", icon("forward"), () => this.step(1)),
      h("datalist", { id: "steps" }, marks), this.parts.scrub,
      button("faster", "1×", () => this.faster(1)),
      button("whole", icon("whole"), () => this.whole()),
      h("label", { class: "file", title: s.file }, s.open,
        h("input", { type: "file", accept: ".json,.jsonl", onchange: this.chosen, "aria-label": s.file })),
    );
  }

  // --- drawing ---------------------------------------------------------------------------------------------

  draw() {
    const { lesson, film, strings } = this;
    const still = film.at(lesson.position);
    const tab = this.#front(still);
    this.parts.head.replaceChildren(...this.#head());
    this.parts.who.replaceChildren(panels.drawPeople(still.who));
    this.parts.tabs.replaceChildren(...this.#tabs(still, tab));
    this.parts.panel.replaceChildren(this.#panel(still, tab));
    const said = film.said(lesson.position) || strings.nothing;
    const guessed = said.startsWith("~") ? [h("p", { class: "dim" }, strings.inferred)] : [];
    this.#say(this.parts.just, said);
    const focus = this.shadowRoot?.activeElement?.closest(".choices") !== null && this.shadowRoot?.activeElement;
    const story = drawStory(lesson, still, strings, (choice) => this.choose(choice));
    this.parts.story.replaceChildren(...guessed, .../** @type {Node[]} */ (story.flat().filter(Boolean)), ...this.#next());
    if (focus) this.frame.focus();
    this.#drawControls();
  }

  /** Change a text only when it is another one, for those who hear it. @param {HTMLElement} part @param {string} text */
  #say(part, text) {
    if (part.textContent !== text) part.textContent = text;
  }

  #head() {
    const { film, lesson, strings } = this;
    const steps = film.steps.map((/** @type {any} */ step, /** @type {number} */ index) =>
      h("li", {}, h("button", {
        type: "button", "aria-current": index === lesson.index ? "step" : null, onclick: () => this.enter(index),
      }, step.name)),
    );
    const title = film.data.lesson ? `${film.data.lesson}  ${film.data.title}` : this.fileName || strings.recording;
    return [
      h("h3", {}, title), h("span", { class: "badge" }, film.data.badge),
      ...(film.data.whole ? [] : [h("span", { class: "bad" }, strings.cut)]), h("ol", { class: "steps" }, steps),
    ];
  }

  /** The tab in front: the visitor's, else the step's; while a question is open one that tells nothing of it. */
  #front(/** @type {any} */ still) {
    if (this.tab) return this.tab;
    const wanted = this.lesson.step?.show ?? "tx";
    const running = still.running;
    if (!this.lesson.question) return wanted === "checks" ? "tx" : wanted;
    if (!running) return "vhost";
    return wanted === "rx" ? "rx" : "tx";
  }

  #tabs(/** @type {any} */ still, /** @type {string} */ front) {
    /** @type {Record<string, any>} */
    const have = { figures: still.figures.numbers.length + still.figures.tables.length, plot: still.plot.length,
      guest: still.guest };
    const names = [...MEASURED.filter((name) => have[name] || name === front), ...TABS];
    return names.map((name) =>
      h("button", { type: "button", role: "tab", "aria-selected": String(name === front),
        onclick: () => { this.tab = name; this.draw(); } }, this.strings[`tab_${name}`]),
    );
  }

  #panel(/** @type {any} */ still, /** @type {string} */ tab) {
    const { strings, film, lesson } = this;
    switch (tab) {
      case "rx": return this.#queues(still.queues[1], still.queues[0]);
      case "vhost": return panels.drawVhost(still.vhost, strings);
      case "features": return panels.drawFeatures(still.features, strings);
      case "memory": return panels.drawMemory(still.memory, strings);
      case "packet": return panels.drawPacket(still.packet, strings);
      case "syscalls": return panels.drawLog(film, lesson.position, strings);
      case "source": return panels.drawSource(still.source);
      case "figures": return panels.drawFigures(still.figures, strings);
      case "plot": return panels.drawPlots(still.plot, strings, this.parts.panel.clientWidth);
      case "guest": return panels.drawGuest(still.guest, strings);
      default: return this.#queues(still.queues[0], still.queues[1]);
    }
  }

  /** The queue in front; below it, where there is room, the other one, once it is laid out. */
  #queues(/** @type {any} */ front, /** @type {any} */ other) {
    const second = other.num > 0 && h("div", { class: "other" }, drawQueue(other, this.strings));
    return h("div", {}, drawQueue(front, this.strings), second);
  }

  /** What the next press does, as a button. */
  #next() {
    const { lesson, strings } = this;
    if (lesson.question) return [h("button", { type: "button", class: "next quiet", onclick: () => this.step(1) }, strings.skip)];
    if (lesson.atEnd) return [h("p", { class: "dim" }, strings.end)];
    const last = lesson.phase === "told" && this.film.steps[lesson.index + 1];
    const text = last ? filled(strings.next_step, { name: last.name }) : lesson.phase === "ask" ? strings.do : strings.next;
    const line = lesson.phase === "ask" && lesson.step?.line ? h("code", {}, lesson.step.line) : "";
    return [h("button", { type: "button", class: "next", onclick: () => this.step(1) }, text), line];
  }

  #drawControls() {
    const { scrub, play, back, forward, faster } = this.parts;
    const input = /** @type {HTMLInputElement} */ (scrub);
    input.value = String(this.lesson.position);
    input.setAttribute("aria-valuetext", `${this.lesson.position} / ${this.film.length}`);
    play.replaceChildren(icon(this.playing ? "pause" : "play"));
    play.setAttribute("aria-label", this.playing ? this.strings.pause : this.strings.play);
    faster.textContent = `${this.speed}×`;
    back.toggleAttribute("disabled", this.lesson.position === 0);
    forward.toggleAttribute("disabled", this.lesson.atEnd);
  }

  // --- going from place to place ---------------------------------------------------------------------------

  /** One place on or back. @param {number} way */
  async step(way) {
    this.#stopMoving();
    if (way < 0) this.lesson.back();
    else await this.#forward();
    this.tab = way && this.lesson.phase === "ask" ? "" : this.tab;
    this.#remember();
    this.draw();
  }

  async #forward() {
    const from = this.lesson.position;
    this.lesson.forward();
    const to = this.lesson.position;
    if (this.still.matches || to <= from || to - from > 40) return;
    const travels = this.film.data.events.slice(from, to).flatMap((/** @type {any[]} */ event) => event[4]);
    await travel(this.parts.stage, travels, this.speed, this.moving.signal);
  }

  #stopMoving() {
    this.moving.abort();
    this.moving = new AbortController();
  }

  /** @param {number} position */
  seek(position) {
    this.pause();
    this.#stopMoving();
    this.lesson.seek(position);
    this.draw();
  }

  /** @param {number} index */
  enter(index) {
    this.pause();
    this.#stopMoving();
    this.lesson.enter(index);
    this.tab = "";
    this.#remember();
    this.draw();
  }

  /** @param {number} choice */
  choose(choice) {
    if (!this.lesson.choose(choice)) return;
    this.draw();
    if (this.lesson.settled) this.#again(700);
  }

  // --- playing by itself -----------------------------------------------------------------------------------

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.lesson.atEnd) this.lesson.enter(0);
    this.#again(0);
  }

  pause() {
    clearTimeout(this.playing);
    this.playing = 0;
    if (this.parts.play) this.#drawControls();
  }

  /** Go on after a while; a question that is open stops it. @param {number} wait */
  #again(wait) {
    clearTimeout(this.playing);
    this.playing = setTimeout(async () => {
      await this.step(1);
      if (!this.playing) return;
      if (this.lesson.atEnd || this.lesson.question) this.pause();
      else this.#again(this.#reading() / this.speed);
    }, wait);
    this.#drawControls();
  }

  /** Milliseconds that the present words take to be read. */
  #reading() {
    const told = this.lesson.phase === "told" ? this.parts.story.textContent : "";
    const letters = (this.parts.just.textContent?.length ?? 0) + (told?.length ?? 0) / 2;
    return READING + A_LETTER * letters * (this.film.data.lang === "zh" ? 2.5 : 1);
  }

  /** By itself only when it is in sight, and motion is not unwanted. */
  #whenSeen() {
    if (this.still.matches) return;
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      if (!this.playing && this.lesson.index <= 0) this.#again(READING);
    }, { threshold: 0.5 });
    watch.observe(this);
  }

  /** @param {number} way */
  faster(way) {
    const next = SPEEDS.indexOf(this.speed) + way;
    this.speed = SPEEDS[(next + SPEEDS.length) % SPEEDS.length];
    this.#drawControls();
  }

  whole() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.requestFullscreen?.().catch(() => null);
  }

  // --- links, keys, fingers, files -------------------------------------------------------------------------

  #listen() {
    addEventListener("hashchange", this.byHash);
    this.frame.addEventListener("keydown", (event) => this.#key(event));
    this.frame.addEventListener("dragover", (event) => event.preventDefault());
    this.frame.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#file(event.dataTransfer?.files[0]);
    });
  }

  /** The step that the address names; false where it names none. */
  byHash = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (!this.own || !id || !this.lesson.enterNamed(id)) return false;
    this.pause();
    this.tab = "";
    this.draw();
    this.scrollIntoView({ block: "start" });
    return true;
  };

  #remember() {
    const step = this.lesson.step;
    if (this.own && step && !this.hasAttribute("auto")) history.replaceState(history.state, "", `#${step.id}`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const typing = event.target instanceof HTMLInputElement && event.target.type === "range";
    const pressed = event.target instanceof HTMLButtonElement || event.target instanceof HTMLElement && event.target.tagName === "SUMMARY";
    const does = {
      ArrowRight: () => this.step(1), ArrowLeft: () => this.step(-1), " ": pressed ? null : () => this.toggle(),
      Enter: pressed ? null : () => this.step(1), Home: () => this.enter(0), End: () => this.seek(this.film.length),
      "[": () => this.faster(-1), "]": () => this.faster(1), f: () => this.whole(),
    }[event.key] ?? (/^[1-9]$/.test(event.key) ? () => this.choose(Number(event.key) - 1) : null);
    if (!does || (typing && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    if (event.key !== " ") this.pause();
    does();
  }

  touched = (/** @type {TouchEvent} */ event) => {
    this.touch = event.touches[0];
  };

  swiped = (/** @type {TouchEvent} */ event) => {
    const [from, to] = [this.touch, event.changedTouches[0]];
    if (!from || !to) return;
    const [dx, dy] = [to.clientX - from.clientX, to.clientY - from.clientY];
    if (Math.abs(dx) < SWIPE || Math.abs(dx) < 2 * Math.abs(dy)) return;
    this.pause();
    this.step(dx < 0 ? 1 : -1);
  };

  chosen = (/** @type {Event} */ event) => {
    this.#file(/** @type {HTMLInputElement} */ (event.target).files?.[0]);
  };

  /** A file of the visitor's, which stays in this browser. @param {File | undefined} file */
  async #file(file) {
    if (!file) return;
    try {
      if (file.size > LARGEST) throw new Unplayable("large");
      const film = read(await file.text());
      film.at(film.length);
      this.fileName = file.name;
      this.own = false;
      this.pause();
      this.open(film);
    } catch (error) {
      const kind = error instanceof Unplayable ? error.kind : "broken";
      this.#say(this.parts.error, filled(this.strings[`error_${kind}`], { name: file.name }));
    }
  }
}

/** @param {keyof typeof ICONS} name */
const icon = (name) => svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

if (!customElements.get("vhost-player")) customElements.define("vhost-player", VhostPlayer);
