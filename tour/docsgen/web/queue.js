// One queue: its descriptor table, the available and the used ring, both doorbells.

import { classes, filled, h } from "./dom.js";

const WRITER = { avail: "driver", used: "device" };
const LETTER = { avail: "D", used: "V" };

/** @param {any} queue @param {Record<string, string>} strings */
export function drawQueue(queue, strings) {
  if (!queue.num) {
    return h("section", { class: "queue" }, h("p", { class: "dim" }, `${queue.name}: ${queue.none}`));
  }
  const name = queue.name.toLowerCase();
  return h(
    "section",
    { class: "queue", "aria-label": queue.title },
    h(
      "header",
      {},
      h("h4", {}, queue.title),
      queue.broken && h("strong", { class: "bad" }, queue.broken),
      queue.bells.map((/** @type {any} */ bell) => drawBell(name, bell)),
    ),
    h("div", { class: "ring-and-table" }, drawTable(name, queue, strings), drawRings(name, queue, strings)),
  );
}

/** @param {string} name @param {any} bell */
function drawBell(name, bell) {
  const writer = bell.is === "kick" ? "driver" : "device";
  const text = (bell.guess ? "~" : "") + bell.text;
  return h("span", { class: classes("bell", writer, bell.lit), "data-at": `${name}.${bell.is}` }, text);
}

/** @param {string} name @param {any} queue @param {Record<string, string>} strings */
function drawTable(name, queue, strings) {
  const heads = ["#", "gpa", "len", "flags", strings.held_by];
  return h(
    "table",
    { class: "table" },
    h("caption", { class: "driver" }, "D ", strings.descriptors),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, queue.desc.map((/** @type {any[]} */ row) => drawRow(name, row, strings))),
  );
}

/** @param {string} name @param {any[]} row @param {Record<string, string>} strings */
function drawRow(name, [first, last, label, gpa, len, flags, holder, moved, light], strings) {
  const place = { "data-at": `${name}.desc[${first}]`, "data-first": first, "data-last": last };
  const held = h("td", { class: classes(holder, moved && "now") }, strings[`held_${holder}`]);
  if (holder === "free") {
    return h("tr", { ...place, class: classes("free", light) }, h("td", {}, label), h("td", { colspan: 3 }), held);
  }
  const cells = [label, gpa, len, flags].map((text) => h("td", {}, String(text)));
  return h("tr", { ...place, class: classes("driver", light) }, cells, held);
}

/** @param {string} name @param {any} queue @param {Record<string, string>} strings */
function drawRings(name, queue, strings) {
  return h(
    "div",
    { class: "rings" },
    drawSide(name, queue.avail, "avail", strings),
    drawSide(name, queue.used, "used", strings),
    queue.legend.map((/** @type {string} */ line) => line && h("p", { class: "legend dim" }, line)),
  );
}

/** @param {string} name @param {any} side @param {"avail" | "used"} which @param {Record<string, string>} strings */
function drawSide(name, side, which, strings) {
  const writer = WRITER[which];
  const reader = which === "avail" ? "device" : "driver";
  const idx = `${side.guess ? "~" : ""}${side.idx}`;
  return h(
    "div",
    { class: "side", role: "group", "aria-label": sideInWords(side, which, strings) },
    h(
      "p",
      { class: "side-head" },
      h("span", { class: writer }, `${LETTER[which]} `, h("b", {}, strings[which])),
      h("span", { class: classes("idx", writer, side.lit), "data-at": `${name}.${which}.idx` }, `idx ${idx}`),
      h("span", { class: classes("distance", side.lit && "step") }, side.words),
    ),
    h(
      "ol",
      { class: classes("slots", side.partial && "partial"), "aria-hidden": "true" },
      side.slots.map((/** @type {any[]} */ slot) => drawSlot(name, side, which, slot, writer, reader)),
    ),
  );
}

/**
 * @param {string} name @param {any} side @param {string} which @param {any[]} slot
 * @param {string} writer @param {string} reader
 */
function drawSlot(name, side, which, [slot, head, fresh, light, guess], writer, reader) {
  const text = head === null ? "·" : `${guess ? "~" : ""}[${head}]`;
  const state = classes("slot", writer, light, head === null ? "never" : !fresh && !light && "old");
  const read = `${name}.${which === "avail" ? "last_avail_idx" : "last_used_idx"}`;
  return h(
    "li",
    { class: state },
    h("small", { class: "number" }, String(slot)),
    h("span", { class: "entry", "data-at": `${name}.${which}.ring[${slot}]` }, text),
    h(
      "small",
      { class: "marks" },
      side.write === slot && h("span", { class: classes(writer, side.lit) }, "w"),
      side.read === slot &&
        h("span", { class: classes(reader, side.read_lit), "data-at": read }, side.read_guess ? "r~" : "r"),
    ),
  );
}

/** For who hears it. @param {any} side @param {string} which @param {Record<string, string>} strings */
function sideInWords(side, which, strings) {
  const heads = side.slots.filter((/** @type {any[]} */ slot) => slot[2]).map((/** @type {any[]} */ slot) => slot[1]);
  const values = { name: strings[which], idx: side.idx, words: side.words, write: side.write, read: side.read };
  return filled(strings.side, { ...values, heads: heads.join(", ") || "-" });
}
