// Every panel that is no queue: who there is, what vhost knows, memory, the packet, calls, the source, measurements.

import { classes, h, svg } from "./dom.js";

/** @typedef {Record<string, string>} Strings */

const LOG_LINES = 14;
const BYTES = 8;

/** @param {any[]} people */
export function drawPeople(people) {
  return h(
    "ul",
    { class: "people" },
    people.map((one) =>
      h(
        "li",
        { class: classes("person", one.as, one.acts && "acts"), "data-at": one.is },
        h("b", { class: "roomy" }, one.name),
        h("b", { class: "brief" }, one.brief[0]),
        h("small", {}, one.plane),
        h("span", { class: "doing" }, h("span", { class: "roomy" }, one.doing), h("span", { class: "brief" }, one.brief[1])),
      ),
    ),
  );
}

/** @param {any} vhost @param {Strings} strings */
export function drawVhost(vhost, strings) {
  const told = ([name, text, light]) => [
    h("dt", {}, name),
    h("dd", { class: classes(text === null && "dim", light) }, text === null ? strings.unknown : text),
  ];
  return h(
    "div",
    { class: "vhost" },
    h("dl", {}, vhost.facts.map(told)),
    vhost.rings.map(([name, cells]) =>
      h(
        "dl",
        { class: "known-ring" },
        h("dt", { class: "ring-name" }, name),
        cells.map(([key, text, light, writer]) =>
          h("dd", { class: classes(!text && "dim", light, light === "now" && writer) }, h("small", {}, key), " ", text || "?"),
        ),
      ),
    ),
    h("p", { class: "sum" }, vhost.sum),
  );
}

/** @param {any[]} rows @param {Strings} strings */
export function drawFeatures(rows, strings) {
  if (!rows.length) return h("p", { class: "dim" }, strings.no_features);
  const heads = [strings.bit, strings.feature, strings.offered, strings.device, strings.driver, strings.told];
  return h(
    "table",
    { class: "table" },
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h(
      "tbody",
      {},
      rows.map(([bit, name, purpose, marks]) =>
        h(
          "tr",
          { title: purpose },
          h("td", {}, String(bit)),
          h("td", {}, name, purpose && h("small", { class: "dim purpose" }, purpose)),
          marks.map(([mark, owner, light]) =>
            h("td", {}, h("span", { class: mark === "1" ? classes("mark", owner, light) : "dim" }, mark)),
          ),
        ),
      ),
    ),
  );
}

/** @param {any[]} regions @param {Strings} strings */
export function drawMemory(regions, strings) {
  if (!regions.length) return h("p", { class: "dim" }, strings.no_memory);
  return h(
    "ol",
    { class: "memory" },
    regions.map((region) =>
      h(
        "li",
        { class: classes(region.is, region.lit) },
        h("span", {}, region.text, region.told && h("small", { class: "dim" }, `  ${region.told}`)),
        region.parts.length > 0 && h("ul", { class: "parts" }, region.parts.map(drawPart)),
      ),
    ),
  );
}

/** @param {any[]} part */
function drawPart([label, gpa, size, style, names]) {
  const [base, light] = style.split("+");
  return h(
    "li",
    { class: classes("part", base, light), "data-at": names[0] ?? `at.${gpa}`, "data-names": names.slice(1).join(" ") },
    h("b", {}, label),
    " ",
    h("small", {}, `${gpa}, ${size} B`),
  );
}

/** @param {any} packet @param {Strings} strings */
export function drawPacket(packet, strings) {
  if (!packet.bytes) return h("p", { class: "dim" }, strings.no_packet);
  const panel = h("div", { class: "packet" }, h("h4", {}, packet.title));
  const ends = [...packet.layers.slice(1).map((/** @type {any[]} */ layer) => layer[0]), packet.bytes.length / 2];
  packet.layers.forEach((/** @type {any[]} */ [start, words], /** @type {number} */ at) => {
    const fields = packet.fields.filter((/** @type {any[]} */ one) => one[0] >= start && one[0] < ends[at]);
    panel.append(drawLayer(packet.bytes, start, Math.min(ends[at], start + 16 * BYTES), words, fields));
  });
  panel.addEventListener("pointerover", (event) => light(panel, event));
  panel.addEventListener("focusin", (event) => light(panel, event));
  return panel;
}

/** @param {string} bytes @param {number} start @param {number} end @param {string} words @param {any[]} fields */
function drawLayer(bytes, start, end, words, fields) {
  const spans = fields.map(([offset, length, meaning], at) => {
    const hex = bytes.slice(2 * offset, 2 * Math.min(offset + length, end)).match(/../g) ?? [];
    return h("span", { class: classes("field", at % 2 === 1 && "odd"), "data-field": offset, title: meaning }, hex.join(" "));
  });
  const names = fields.map(([offset, , meaning]) => h("li", { "data-field": offset, tabindex: 0 }, meaning));
  return h(
    "section",
    { class: "layer" },
    h("p", {}, h("small", { class: "dim" }, start.toString(16).padStart(4, "0")), " ", h("b", {}, words)),
    h("p", { class: "bytes" }, spans),
    h("ul", { class: "fields" }, names),
  );
}

/** Bytes and words of one field are lit together. @param {HTMLElement} panel @param {Event} event */
function light(panel, event) {
  const target = event.target instanceof Element ? event.target.closest("[data-field]") : null;
  const wanted = target?.getAttribute("data-field");
  for (const one of panel.querySelectorAll("[data-field]")) {
    one.classList.toggle("spot", one.getAttribute("data-field") === wanted);
  }
}

/** @param {import("./film.js").Film} film @param {number} position @param {Strings} strings */
export function drawLog(film, position, strings) {
  const lines = film.log(position, LOG_LINES);
  if (!lines.length) return h("p", { class: "dim" }, strings.no_log);
  return h(
    "ol",
    { class: "log" },
    lines.map((line) => {
      const hex = (line.bytes.match(/../g) ?? []).slice(0, 24).join(" ");
      const cut = line.bytes.length > 48 ? " …" : "";
      return h("li", { class: classes(line.actor, line.now && "now") }, line.text, hex && h("small", {}, hex + cut));
    }),
  );
}

/** @param {string[][]} pieces */
export function drawSource(pieces) {
  return h("div", { class: "source" }, pieces.map(([text, style]) => h("p", { class: style.split("+")[0] }, text)));
}

/** @param {any} figures @param {Strings} strings */
export function drawFigures(figures, strings) {
  if (!figures.numbers.length && !figures.tables.length) return h("p", { class: "dim" }, strings.no_figures);
  const numbers = figures.numbers.map(([label, value, light]) =>
    h("tr", {}, h("th", { scope: "row" }, label), h("td", { class: classes("number", light) }, value)),
  );
  return h(
    "div",
    { class: "figures" },
    numbers.length > 0 && h("table", { class: "table" }, h("tbody", {}, numbers)),
    figures.tables.map((/** @type {any} */ table) =>
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": table.title }, h(
        "table",
        { class: "table" },
        h("caption", {}, table.title),
        h("thead", {}, h("tr", {}, table.head.map((/** @type {string} */ head) => h("th", { scope: "col" }, head)))),
        h(
          "tbody",
          { class: table.lit },
          table.rows.map((/** @type {string[]} */ row) => h("tr", {}, row.map((cell) => h("td", {}, cell)))),
        ),
      )),
    ),
  );
}

/** @param {any} guest @param {Strings} strings */
export function drawGuest(guest, strings) {
  if (!guest) return h("p", { class: "dim" }, strings.no_guest);
  const rows = guest.lines.map(([gpa, code, text, words]) => {
    const mark = guest.next === gpa ? ">" : guest.back === gpa ? "<" : "";
    return h(
      "tr",
      { class: classes("driver", mark && "now") },
      [mark, `0x${gpa.toString(16)}`, code, text, words].map((cell) => h("td", {}, cell)),
    );
  });
  return h(
    "div",
    { class: "guest" },
    h("p", { class: "cells" }, guest.cells.map(([text, light]) => h("span", { class: classes("driver", light) }, text))),
    h("table", { class: "table code" }, h("tbody", {}, rows)),
  );
}

const WIDEST = 704;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 30;
const BELOW = 44;
const LETTER = 8.5;

/** @param {any[]} plots @param {Strings} strings @param {number} room in pixels, so that letters keep their size */
export function drawPlots(plots, strings, room) {
  const width = Math.max(280, Math.min(WIDEST, room));
  return plots.length ? h("div", {}, plots.map((plot) => drawPlot(plot, width))) : h("p", { class: "dim" }, strings.no_plot);
}

/** @param {any} plot @param {number} width */
function drawPlot(plot, width) {
  const [x, y] = plot.axes;
  const across = (/** @type {number} */ value) => LEFT + share(x, value) * (width - LEFT - RIGHT);
  const up = (/** @type {number} */ value) => HEIGHT - BELOW - share(y, value) * (HEIGHT - BELOW - 16);
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": plot.title });
  let taken = 0;
  for (const [tick, name] of x.ticks) {
    const half = (name.length * LETTER) / 2;
    if (across(tick) - half < taken) continue;
    taken = across(tick) + half + LETTER;
    drawing.append(svg("text", { x: across(tick), y: HEIGHT - BELOW + 18, "text-anchor": "middle" }, name));
  }
  for (const [tick, name] of y.ticks) {
    drawing.append(svg("line", { x1: LEFT, x2: width - RIGHT, y1: up(tick), y2: up(tick), class: "grid" }));
    drawing.append(svg("text", { x: LEFT - 8, y: up(tick) + 5, "text-anchor": "end" }, name));
  }
  drawing.append(svg("text", { x: width / 2, y: HEIGHT - 4, "text-anchor": "middle", class: "axis" }, x.name));
  for (const [series, px, py] of plot.points) drawing.append(mark(series, across(px), up(py)));
  const names = plot.series.map((/** @type {string} */ name, /** @type {number} */ at) =>
    h("li", { class: `series${at}` }, `${at % 2 ? "■" : "●"} ${name}`),
  );
  return h("figure", { class: "plot" }, h("figcaption", {}, plot.title), h("ul", {}, names), h("p", {}, y.name), drawing);
}

/** A disc or a square: a series is told by more than its colour. @param {number} series @param {number} x @param {number} y */
function mark(series, x, y) {
  if (series % 2) return svg("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: `series${series}` });
  return svg("circle", { cx: x, cy: y, r: 4.5, class: `series${series}` });
}

/** @param {any} axis @param {number} value */
function share(axis, value) {
  const scale = axis.log ? Math.log10 : Number;
  return (scale(value) - scale(axis.low)) / (scale(axis.high) - scale(axis.low));
}
