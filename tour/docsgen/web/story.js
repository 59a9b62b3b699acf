// The words beside the picture: what to watch, the question, the answer, why, the checks, the sources.

import { classes, filled, h } from "./dom.js";

/** @typedef {Record<string, string>} Strings */

/** Paragraphs of pieces with a style each; those that begin with a dash are a list. @param {any[][]} paragraphs */
export function drawRuns(paragraphs) {
  return paragraphs.map((pieces) => {
    const listed = pieces[0]?.[0].startsWith("- ");
    const inner = pieces.map(([text, style], at) => {
      const bare = listed && at === 0 ? text.slice(2) : text;
      return style === "code" ? h("code", {}, bare) : style === "key" ? h("b", {}, bare) : bare;
    });
    return listed ? h("ul", {}, h("li", {}, inner)) : h("p", {}, inner);
  });
}

/**
 * The story at the present place.
 * @param {import("./lesson.js").Lesson} lesson @param {any} still
 * @param {Strings} strings @param {(choice: number) => void} choose
 */
export function drawStory(lesson, still, strings, choose) {
  const step = lesson.step;
  if (!step || lesson.phase === "before") return [h("p", { class: "dim" }, strings.before)];
  if (!step.orient) return [h("p", {}, step.name)];
  if (lesson.phase === "told") return drawTold(lesson, still, strings);
  return [...drawRuns(step.orient), ...drawQuestion(lesson, strings, choose)];
}

/** @param {import("./lesson.js").Lesson} lesson @param {Strings} strings @param {(choice: number) => void} choose */
function drawQuestion(lesson, strings, choose) {
  const asked = lesson.step.asks;
  if (!lesson.asks || !asked || asked.right === null) return [];
  const open = lesson.question !== null;
  const choices = asked.choices.map((/** @type {string} */ text, /** @type {number} */ at) => {
    const taken = lesson.chosen.includes(at);
    const right = taken && at === asked.right;
    const mark = right ? "good" : taken ? "bad" : "";
    const button = { class: classes("choice", mark), disabled: taken || !open, onclick: () => choose(at), type: "button" };
    return h("li", {}, h("button", button, h("kbd", {}, String(at + 1)), " ", text));
  });
  return [
    h("p", { class: "question" }, asked.question),
    h("ol", { class: "choices" }, choices),
    lesson.chosen.length > 0 && h("p", { class: "verdict", role: "status" }, verdict(lesson, strings)),
    open && !lesson.chosen.length && h("p", { class: "dim" }, strings.predict),
  ];
}

/** @param {import("./lesson.js").Lesson} lesson @param {Strings} strings */
function verdict(lesson, strings) {
  const asked = lesson.step.asks;
  if (lesson.chosen.includes(asked.right)) return lesson.chosen.length > 1 ? strings.right_later : strings.right;
  return lesson.settled ? strings.out : strings.again;
}

/** @param {import("./lesson.js").Lesson} lesson @param {any} still @param {Strings} strings */
function drawTold(lesson, still, strings) {
  const step = lesson.step;
  const checks = step.checks.map(([id, text]) => {
    const [ok, actual] = still.checks[id] ?? [null, ""];
    const mark = ok === null ? "[ ]" : ok ? "[x]" : "[!]";
    return h("li", { class: ok === false ? "bad" : "" }, h("span", { class: ok ? "good" : "" }, mark), ` ${text}`,
      ok === false && ` (${actual})`);
  });
  return [
    ...drawAnswer(lesson, strings),
    h("p", { class: "changed" }, step.changed),
    ...drawRuns(step.explain),
    step.more.length > 0 && h("details", {}, h("summary", {}, strings.more), drawRuns(step.more)),
    checks.length > 0 && h("ul", { class: "checks", "aria-label": strings.checks }, checks),
    step.refs.length > 0 && h("p", { class: "refs dim" }, step.refs.join("  ·  ")),
  ];
}

/** @param {import("./lesson.js").Lesson} lesson @param {Strings} strings */
function drawAnswer(lesson, strings) {
  const asked = lesson.step.asks;
  if (!lesson.asks || !asked || asked.right === null) return [];
  const last = lesson.chosen[lesson.chosen.length - 1];
  const right = asked.choices[asked.right];
  const missed = lesson.chosen.filter((choice) => choice !== asked.right && asked.refuted[choice]);
  return [
    h("p", { class: "question dim" }, asked.question),
    h("p", { class: classes("verdict", last === asked.right ? "good" : "") },
      filled(last === asked.right ? strings.was_right : strings.answer, { text: right })),
    ...missed.map((choice) => h("p", { class: "refuted" }, asked.refuted[choice])),
  ];
}
