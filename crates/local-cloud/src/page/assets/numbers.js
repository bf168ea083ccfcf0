// Numbers as people read them, and rates from counts that only grow.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

const count = (n) => (n < 10_000 ? whole.format(n) : short(n));
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

function short(n) {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) {
    if (n >= size) return tenth.format(n / size) + unit;
  }
  return tenth.format(n);
}

function bytes(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (n >= size) return `${tenth.format(n / size)} ${unit}`;
  }
  return `${whole.format(n)} B`;
}

function duration(ms) {
  if (ms < 1) return "0 ms";
  if (ms < 1000) return `${whole.format(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${tenth.format(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

const iso = (ms) => new Date(ms).toISOString();
const timeOfDay = (ms) => iso(ms).slice(11, 19);
const timeOf = (ms) => iso(ms).slice(0, 19).replace("T", " ") + " UTC";
const nameOf = (id) => id.slice(id.indexOf("/") + 1);
const regionOf = (id) => id.slice(0, id.indexOf("/"));

/** The start and the end of a long text, which are what tells keys apart. */
function shortened(text, most = 60) {
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}

/** Counts over the last seconds, by name. */
class Rates {
  static WINDOW_MS = 3000;
  #samples = new Map();

  add(name, value, now) {
    let samples = this.#samples.get(name);
    // A count that is smaller than before is that of a new thing of the same name.
    if (!samples || samples.at(-1).value > value) this.#samples.set(name, (samples = []));
    samples.push({ value, now });
    while (samples.length > 2 && samples[1].now <= now - Rates.WINDOW_MS) samples.shift();
  }

  /** How much it grows in a second. */
  of(name) {
    const samples = this.#samples.get(name);
    if (!samples || samples.length < 2) return 0;
    const [first, last] = [samples[0], samples.at(-1)];
    return last.now > first.now ? ((last.value - first.value) * 1000) / (last.now - first.now) : 0;
  }
}
const rates = new Rates();
