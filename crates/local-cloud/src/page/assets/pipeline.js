// The pipeline, drawn as it is: each source on the left, and its delivery streams with function and bucket to the right of it.

let frame = { streams: [], deliveries: [], functions: [], buckets: [] };

/** The delivery streams that read a source. */
const readersOf = (from, source) =>
  [...new Set(frame.deliveries.filter((one) => (from === "stream" ? one.stream === source : one.id === source)).map((one) => one.id))];

const rate = (name, unit = count) => `${unit(rates.of(name))}/s`;
const isLive = (name) => rates.of(name) > 0;

/** A card with a title, a badge and lines: each line is a label and a value. */
function card(kind, id, ...buttons) {
  const element = make(`article.card.${kind}`, { "aria-label": `${KINDS[kind]} ${nameOf(id)}` },
    make("div.head", {}, make("span.kind", {}, KINDS[kind]), make("span.badge", {})),
    make("h3", { title: id }, nameOf(id)), make("dl", {}), make("div.buttons", {}, ...buttons));
  return element;
}
const KINDS = { stream: "stream", delivery: "delivery stream", function: "function", bucket: "bucket" };

function fill(element, badge, isBad, lines) {
  const shown = element.querySelector(".badge");
  setText(shown, badge);
  setClass(shown, "bad", isBad);
  reconcile(element.querySelector("dl"), lines.map((line, index) => [...line.slice(0, 2), line[2], index]), ([label, , , index]) => index + label,
    ([label]) => make("div", {}, make("dt", {}, label), make("dd.number", {})),
    (line, [, value, bad]) => {
      setText(line.lastChild, value);
      setClass(line, "bad", bad);
    });
}

function streamCard({ id }) {
  const element = card("stream", id, make("button", { type: "button", onclick: () => showRecords("stream", id).catch(() => {}) }, "Records"));
  element.insertBefore(spark(), element.querySelector(".buttons"));
  return element;
}

function fillStream(element, stream) {
  const age = Math.max(0, ...frame.deliveries.filter((one) => one.stream === stream.id).map((one) => one.age));
  fill(element, stream.status, stream.status !== "ACTIVE", [
    ["in", `${rate(`in ${stream.id}`)}, ${bytes(rates.of(`bytes ${stream.id}`))}/s`],
    ["records", `${count(stream.records)} put, ${count(stream.kept)} kept`],
    ["shards", count(stream.shards)],
    ["iterator age", duration(age), age > 60_000],
    ["throttled", count(stream.throttled), stream.throttled > 0],
  ]);
  drawSpark(element.querySelector("svg"), `in ${stream.id}`);
}

function way(delivery) {
  const flush = make("button", { type: "button" }, "Flush");
  flush.addEventListener("click", () =>
    act(flush, `flushed ${nameOf(delivery.id)}`, "POST", "flush", { region: regionOf(delivery.id), stream: nameOf(delivery.id) }));
  const records = delivery.stream ? null
    : make("button", { type: "button", onclick: () => showRecords("delivery", delivery.id).catch(() => {}) }, "Records");
  const cards = [card("delivery", delivery.id, flush, records ?? "")];
  if (delivery.function) cards.push(card("function", delivery.function));
  cards.push(card("bucket", `/${delivery.bucket}`));
  return make(delivery.function ? "li.way" : "li.way.straight", {}, ...cards);
}

function fillWay(element, delivery) {
  const { held, id } = delivery;
  const lane = delivery.backup ? `${id}/backup` : id;
  const clock = now();
  const due = (buffer) => (buffer?.due == null || !buffer.records ? "–" : `in ${duration(Math.max(0, buffer.due - clock))}`);
  const holds = (buffer) => (buffer?.records ? `${plural(buffer.records, "record")}, ${bytes(buffer.bytes)}` : "empty");
  const lines = [];
  if (!delivery.stream) lines.push(["in", `${rate(`in ${id}`)}, ${bytes(rates.of(`bytes ${id}`))}/s`]);
  else lines.push(["unread", delivery.unread ? `${count(delivery.unread)}, the oldest ${duration(delivery.age)}` : "0", delivery.denied]);
  if (held.transform) lines.push(["before function", holds(held.transform)], ["due", due(held.transform)]);
  const [first] = held.buffers;
  lines.push(["buffer", held.buffer_count > 1 ? `${count(held.buffer_count)} partitions, ${bytes(held.buffer_bytes)}` : holds(first)], ["due", due(first)]);
  lines.push(["delivered", `${count(delivery.stored)}, ${rate(`out ${lane}`)}`]);
  lines.push(["failed", count(delivery.failed), delivery.failed > 0], ["dropped", count(delivery.dropped)]);
  if (delivery.given_up) lines.push(["lost", count(delivery.given_up), true]);
  const badge = delivery.denied ? "may not read" : delivery.backup ? "backup" : delivery.status;
  fill(element.querySelector(".delivery"), badge, delivery.denied || delivery.status !== "ACTIVE", lines);
  const transform = element.querySelector(".function");
  if (transform) fillFunction(transform, frame.functions.find((one) => one.id === delivery.function), held);
  const refuses = held.retry_at != null && held.retry_at > clock;
  fill(element.querySelector(".bucket"), refuses ? "refuses objects" : "", refuses, [
    ["objects", `${count(delivery.objects)}, ${bytes(delivery.stored_bytes)}`],
    ["being stored", count(held.storing)],
  ]);
  setClass(element, "live", isLive(`out ${lane}`) || held.records > 0);
}

function fillFunction(element, transform, held) {
  if (!transform) return fill(element, "missing", true, []);
  const throttled = transform.refused > 0;
  fill(element, transform.running ? `${transform.running} running` : "idle", false, [
    ["invocations", `${count(transform.ended)}, ${rate(`calls ${transform.id}`, short)}`],
    ["duration", transform.ended ? `${duration(transform.last_ms)}, mean ${duration(transform.mean_ms)}` : "–"],
    ["memory", `${transform.memory ?? "–"} of ${transform.memory_size} MiB`],
    ["errors", count(transform.errors), transform.errors > 0],
    ["not started", throttled ? `${count(transform.refused)}, ${transform.refusal}` : "0", throttled],
    ...(held ? [["batches waiting", count(held.waiting)]] : []),
  ]);
}

/** A group for each source, and one for functions and buckets that no delivery stream uses. */
function groups() {
  const out = frame.streams.map((stream) => ({ key: `s ${stream.id}`, stream, ways: frame.deliveries.filter((one) => one.stream === stream.id) }));
  const known = new Set(frame.streams.map((stream) => stream.id));
  const others = frame.deliveries.filter((one) => !known.has(one.stream));
  if (others.length) out.push({ key: "direct", title: "Put to directly", ways: others });
  const used = new Set(frame.deliveries.flatMap((one) => [one.function, `/${one.bucket}`]));
  const idle = [
    ...frame.functions.filter((one) => !used.has(one.id)).map((one) => ({ kind: "function", ...one })),
    ...frame.buckets.filter((name) => !used.has(`/${name}`)).map((name) => ({ kind: "bucket", id: `/${name}` })),
  ];
  if (idle.length) out.push({ key: "idle", title: "Used by no delivery stream", idle });
  return out;
}

function drawPipeline() {
  reconcile(byId("pipeline"), groups(), (group) => group.key,
    (group) => make(group.stream ? "div.group" : "div.group.alone", {},
      group.stream ? streamCard(group.stream) : make("h3.muted", {}, group.title),
      group.idle ? make("div.idle", {}) : make("ol.ways", {})),
    (element, group) => {
      if (group.stream) fillStream(element.firstChild, group.stream);
      if (group.idle) {
        reconcile(element.lastChild, group.idle, (one) => one.kind + one.id, (one) => card(one.kind, one.id),
          (child, one) => (one.kind === "function" ? fillFunction(child, one) : fill(child, "", false, [])));
        return;
      }
      reconcile(element.lastChild, group.ways, wayKey, way, fillWay);
      setClass(element, "unread", !group.ways.length);
    });
}

/** A delivery stream that gets another function or bucket is drawn anew. */
const wayKey = (one) => [one.id, one.backup, one.function, one.bucket].join(" ");

const SPARK = 60;
function spark() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${SPARK} 20`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "records a second in the last minute");
  svg.append(document.createElementNS(svg.namespaceURI, "polyline"));
  return svg;
}

/** The last minute, a point a second. */
function drawSpark(svg, name) {
  const second = Math.floor(performance.now() / 1000);
  const points = (svg.points ??= []);
  if (svg.second === second) return;
  svg.second = second;
  points.push(rates.of(name));
  if (points.length > SPARK) points.shift();
  const most = Math.max(1, ...points);
  const line = points.map((value, index) => `${SPARK - points.length + index + 1},${19 - (value / most) * 18}`).join(" ");
  svg.firstChild.setAttribute("points", line);
}
