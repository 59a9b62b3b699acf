// Motion means data moved: what an event carried from one place to another, over the picture before it.

import { h } from "./dom.js";

const LONGEST = 600;

/**
 * Show travels over `stage`, one after another; ends at once when `stop` is aborted.
 * @param {HTMLElement} stage @param {any[][]} travels @param {number} speed @param {AbortSignal} stop
 */
export async function travel(stage, travels, speed, stop) {
  const seen = travels.map((one) => [one, places(stage, one[0])]).filter(([, points]) => points.length > 0);
  const each = LONGEST / speed / Math.max(1, seen.length / 2);
  for (const [one, points] of seen) {
    if (stop.aborted) return;
    await move(stage, one, points, each, stop);
  }
}

/** The middles of the named places that can be seen. @param {HTMLElement} stage @param {string[]} path */
function places(stage, path) {
  const origin = stage.getBoundingClientRect();
  const found = path.map((name) => find(stage, name)).filter((place) => place && place.getClientRects().length > 0);
  if (path.length > 1 && found.length < 2) return [];
  return found.map((place) => {
    const box = /** @type {Element} */ (place).getBoundingClientRect();
    return [box.left + box.width / 2 - origin.left, box.top + box.height / 2 - origin.top];
  });
}

/** @param {HTMLElement} stage @param {string} name */
function find(stage, name) {
  const exact = stage.querySelector(`[data-at="${CSS.escape(name)}"]`);
  if (exact) return exact;
  const row = /^(\w+)\.desc\[(\d+)\]$/.exec(name);
  if (!row) return stage.querySelector(`[data-names~="${CSS.escape(name)}"]`);
  const inRun = (/** @type {Element} */ one) =>
    Number(one.getAttribute("data-first")) <= Number(row[2]) && Number(row[2]) <= Number(one.getAttribute("data-last"));
  return [...stage.querySelectorAll(`[data-at^="${row[1]}.desc"]`)].find(inRun) ?? null;
}

/**
 * @param {HTMLElement} stage @param {any[]} travel @param {number[][]} points
 * @param {number} duration @param {AbortSignal} stop
 */
async function move(stage, [, label, style, inferred], points, duration, stop) {
  const thing = h("span", { class: `travel ${style}`, "aria-hidden": "true" }, (inferred ? "~" : "") + label);
  stage.append(thing);
  const at = (/** @type {number[]} */ [x, y]) => `translate(${x}px, ${y}px) translate(-50%, -50%)`;
  const frames = (points.length > 1 ? points : [points[0], points[0]]).map((point) => ({ transform: at(point) }));
  const running = thing.animate(frames, { duration, easing: "ease-in-out", fill: "both" });
  const end = () => running.finish();
  stop.addEventListener("abort", end, { once: true });
  await running.finished.catch(() => null);
  stop.removeEventListener("abort", end);
  thing.remove();
}
