// A player file: stills that follow from one another by small changes. Nothing here knows what a ring is.

const FORMAT = "vhost-tour player 1";
const KEY_EVERY = 1000;

/** What cannot be played; `kind` says why: "recording", "newer", "broken". */
export class Unplayable extends Error {
  /** @param {string} kind */
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/**
 * The film in the text of a file. Throws Unplayable.
 * @param {string} text
 */
export function read(text) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Unplayable(isRecording(text) ? "recording" : "broken");
  }
  if (typeof data?.format === "string" && data.format !== FORMAT) throw new Unplayable("newer");
  if (isRecording(text)) throw new Unplayable("recording");
  if (!sound(data)) throw new Unplayable("broken");
  return new Film(data);
}

/** Whether the text begins as a recording does: its first line is a hello. @param {string} text */
function isRecording(text) {
  try {
    return JSON.parse(text.slice(0, text.indexOf("\n") >>> 0)).data.kind === "hello";
  } catch {
    return false;
  }
}

/** @param {any} data */
function sound(data) {
  const lists = [data?.deltas, data?.events, data?.stops, data?.steps];
  if (!lists.every(Array.isArray) || typeof data.first !== "object" || typeof data.strings !== "object") return false;
  const inside = (/** @type {any} */ at) => Number.isInteger(at) && at >= 0 && at <= data.deltas.length;
  return (
    data.events.length === data.deltas.length &&
    data.stops.every(inside) &&
    data.steps.every((/** @type {any} */ step) => inside(step.begin) && inside(step.end) && step.begin <= step.end)
  );
}

/**
 * `still` with the changes put in their places. Throws Unplayable where there is no such place.
 * @param {any} still @param {[(string | number)[], any][]} changes
 */
export function apply(still, changes) {
  for (const [way, value] of changes) {
    if (!way.length) {
      still = copy(value);
      continue;
    }
    let inner = still;
    for (let at = 0; at < way.length - 1; at += 1) inner = own(inner, way[at]);
    own(inner, null);
    inner[way[way.length - 1]] = copy(value);
  }
  return still;
}

/** What a change brings stays as it is, whatever is put into it later. @param {any} value */
const copy = (value) => (value !== null && typeof value === "object" ? structuredClone(value) : value);

/** @param {any} inner @param {string | number | null} key */
function own(inner, key) {
  if (inner === null || typeof inner !== "object") throw new Unplayable("broken");
  if (key === null) return inner;
  if (!Object.hasOwn(inner, key)) throw new Unplayable("broken");
  return inner[key];
}

export class Film {
  /** @param {any} data */
  constructor(data) {
    this.data = data;
    this.length = data.deltas.length;
    this.steps = data.steps;
    this.stops = data.stops;
    this.strings = data.strings;
    /** @type {Map<number, any>} */
    this.keys = new Map([[0, data.first]]);
    this.position = 0;
    this.still = structuredClone(data.first);
  }

  /**
   * The still after `position` events.
   * @param {number} position
   */
  at(position) {
    position = Math.max(0, Math.min(this.length, position));
    if (position < this.position || position > this.position + KEY_EVERY) this.#from(position);
    while (this.position < position) this.#next();
    return this.still;
  }

  /** @param {number} position */
  #from(position) {
    let key = position - (position % KEY_EVERY);
    while (!this.keys.has(key)) key -= KEY_EVERY;
    if (key > this.position || position < this.position) {
      this.position = key;
      this.still = structuredClone(this.keys.get(key));
    }
  }

  #next() {
    this.still = apply(this.still, this.data.deltas[this.position]);
    this.position += 1;
    if (this.position % KEY_EVERY === 0 && !this.keys.has(this.position)) {
      this.keys.set(this.position, structuredClone(this.still));
    }
  }

  /** What happened last before `position`, in a sentence. @param {number} position */
  said(position) {
    for (let at = position - 1; at >= 0; at -= 1) if (this.data.events[at][1]) return this.data.events[at][1];
    return "";
  }

  /** The next place worth stopping at, the end after the last. @param {number} position */
  after(position) {
    return this.stops.find((/** @type {number} */ stop) => stop > position) ?? this.length;
  }

  /** The place before. @param {number} position */
  before(position) {
    return this.stops.findLast((/** @type {number} */ stop) => stop < position) ?? 0;
  }

  /**
   * The lines of the log up to `position`, newest last.
   * @param {number} position @param {number} most
   */
  log(position, most) {
    const found = [];
    for (let at = position - 1; at >= 0 && found.length < most; at -= 1) {
      const [actor, , text, bytes] = this.data.events[at];
      if (text) found.unshift({ actor, text, bytes, now: at === position - 1 });
    }
    return found;
  }
}
