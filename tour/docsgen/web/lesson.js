// Where a visitor is in a lesson: in which step, before it, within or after it, and what was answered. Pure.

const TRIES = 3;

/** @typedef {"before" | "ask" | "run" | "told"} Phase */

export class Lesson {
  /** @param {import("./film.js").Film} film @param {boolean} asks */
  constructor(film, asks) {
    this.film = film;
    this.asks = asks;
    this.index = -1;
    /** @type {Phase} */
    this.phase = "before";
    this.position = 0;
    /** @type {Map<string, number[]>} */
    this.answers = new Map();
  }

  get step() {
    return this.film.steps[this.index] ?? null;
  }

  /** The question that stands open now, null when there is none. */
  get question() {
    const asked = this.step?.asks;
    return this.asks && this.phase === "ask" && asked && asked.right !== null && !this.settled ? asked : null;
  }

  /** What was chosen at the present step, in order. @returns {number[]} */
  get chosen() {
    return this.answers.get(this.step?.id) ?? [];
  }

  /** Whether the question of the present step is over. */
  get settled() {
    const asked = this.step?.asks;
    if (!asked || asked.right === null) return true;
    const out = Math.min(TRIES, asked.choices.length - 1);
    return this.chosen.includes(asked.right) || this.chosen.length >= out;
  }

  /** Take a choice; false where it is none or was tried. @param {number} choice */
  choose(choice) {
    if (!this.question || this.chosen.includes(choice) || !(choice in this.question.choices)) return false;
    this.answers.set(this.step.id, [...this.chosen, choice]);
    return true;
  }

  /** Go to a step's beginning. @param {number} index */
  enter(index) {
    this.index = Math.max(0, Math.min(this.film.steps.length - 1, index));
    this.position = this.step ? this.step.begin : 0;
    this.phase = this.step ? "ask" : "before";
  }

  /** Go to a step of that name; false where there is none. @param {string} id */
  enterNamed(id) {
    const index = this.film.steps.findIndex((/** @type {any} */ step) => step.id === id);
    if (index >= 0) this.enter(index);
    return index >= 0;
  }

  /** Go to any position. @param {number} position */
  seek(position) {
    this.position = Math.max(0, Math.min(this.film.length, position));
    this.index = this.film.steps.findLastIndex((/** @type {any} */ step) => step.begin < this.position);
    if (this.index < 0 && this.film.steps[0]?.begin === this.position) this.index = 0;
    this.phase = this.#phase();
  }

  /** @returns {Phase} */
  #phase() {
    if (!this.step) return "before";
    if (this.position <= this.step.begin) return "ask";
    return this.position < this.step.end ? "run" : "told";
  }

  /** Whether there is nothing further on. */
  get atEnd() {
    return this.position >= this.film.length && !this.#following;
  }

  get #following() {
    return this.film.steps[this.index + 1] ?? null;
  }

  /** One place on. */
  forward() {
    if (this.phase === "told" || this.phase === "before") this.#between();
    else this.#within();
  }

  /** Between two steps, before the first or after the last. */
  #between() {
    const next = this.film.after(this.position);
    const following = this.#following;
    if (following && (this.phase === "told" || next > following.begin)) this.enter(this.index + 1);
    else this.position = next;
  }

  /** The next place of this step; with the last one the step has ended. */
  #within() {
    const next = this.film.after(this.position);
    const last = next >= this.step.end || this.film.after(next) > this.step.end || next === this.film.length;
    this.position = last ? this.step.end : next;
    this.phase = last ? "told" : "run";
  }

  /** One place back. */
  back() {
    if (this.phase === "before" || (this.phase === "ask" && this.index === 0)) {
      this.#to(this.film.before(this.position), -1, "before");
    } else if (this.phase === "ask") {
      this.#to(this.film.steps[this.index - 1].end, this.index - 1, "told");
    } else if (this.position > this.step.end) {
      this.#to(Math.max(this.step.end, this.film.before(this.position)), this.index, "told");
    } else {
      const shown = this.phase === "told" ? this.film.before(this.step.end + 1) : this.position;
      const stop = this.film.before(shown);
      if (stop > this.step.begin) this.#to(stop, this.index, "run");
      else this.enter(this.index);
    }
  }

  /** @param {number} position @param {number} index @param {Phase} phase */
  #to(position, index, phase) {
    this.position = position;
    this.index = index;
    this.phase = phase;
  }
}
