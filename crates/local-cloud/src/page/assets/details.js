// The dialog: the records of a source or an object, and the way of one record.

const dialog = byId("details");
byId("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

function show(title, ...content) {
  setText(byId("details-title"), title);
  byId("details-body").replaceChildren(...content.filter((part) => part != null));
  if (!dialog.open) dialog.showModal();
}

/** The latest records of a stream, or of a delivery stream that is put to directly. */
async function showRecords(from, source) {
  const { records } = await call("GET", "records", { from, source, limit: 100 });
  const rows = records.map((record) =>
    recordRow(from, source, record, `${timeOfDay(record.at)}  ${record.shard_id}  key ${shortened(record.key, 30)}`));
  const again = make("button", { type: "button", onclick: () => showRecords(from, source).catch(() => {}) }, "Load again");
  const none = from === "stream" ? "There are no records in this stream." : "All records that were put are delivered; see its objects.";
  show(`Records of ${nameOf(source)}, the newest first`, make("p", {}, again),
    rows.length ? make("ol.list.tall", {}, ...rows) : make("p.muted", {}, none));
}

function recordRow(from, source, record, title) {
  const open = () => showRecord(from, source, record.shard, record.ordinal).catch(() => {});
  return make("li", {}, make("button.rowbutton", { type: "button", onclick: open },
    make("span.muted.number", {}, title), make("code", {}, preview(record.data))));
}

/** The records of an object that was stored lately. */
async function showObject(object) {
  const address = `s3://${object.bucket}/${object.key}`;
  const told = await call("GET", "object", { bucket: object.bucket, key: object.key });
  const rows = told.records.map((record) => recordRow(told.from, told.source, record, `offset ${whole.format(record.offset)}`));
  const more = told.count > rows.length ? `, of which the first ${rows.length} are listed` : "";
  show("Object", make("p.address", {}, make("code", {}, address)),
    make("p.muted", {}, `${plural(told.count, "record")}${more}; delivered by ${nameOf(told.delivery)}` +
      (told.compressed ? "; offsets are those before it was compressed" : "")),
    make("ol.list.tall", {}, ...rows));
}

const STATES = {
  unread: "not read yet",
  held: "held",
  dropped: "dropped by the function",
  stored: "finished",
};

/** Where a record is and has been. */
async function showRecord(from, source, shard, ordinal) {
  const { record, data, deliveries } = await call("GET", "record", { from, source, shard, ordinal });
  const facts = record
    ? [`put ${timeOf(record.at)}`, `partition key ${record.key || "(none)"}`, record.shard_id, `sequence number ${record.sequence}`]
    : [`record ${ordinal} of shard ${shard}`, "the source does not keep it any more"];
  show(`Record in ${nameOf(source)}`,
    make("ul.facts", {}, ...facts.map((fact) => make("li", {}, fact))),
    record ? dataOf(data) : null,
    ...deliveries.map((delivery) => journey(delivery)),
    deliveries.length ? null : make("p.muted", {}, "No delivery stream reads this source."));
}

/** Where a record is that a delivery stream has read and not yet stored. */
function heldAt(held, transform) {
  const due = held.due == null ? "" : `, due in ${duration(Math.max(0, held.due - now()))}`;
  switch (held.place) {
    case "before": return held.due == null ? `It waits for ${nameOf(transform)} to have room.` : `It waits for its batch${due}.`;
    case "function": return `${nameOf(transform)} has it.`;
    case "buffer": return `In the buffer${due}, ${held.error ? "as an error record" : transform ? `as ${nameOf(transform)} answered it` : "as it was put"}:`;
    default: return "Its object is being stored.";
  }
}

function journey({ delivery, function: transform, state, held, places, failures }) {
  const failed = failures.length > 0 || held?.error || places.some((place) => place.error);
  const badge = make(failed ? "span.badge.bad" : "span.badge", {}, failed ? "failed" : STATES[state]);
  const section = make("section.way-of-record", {}, make("h3", {}, nameOf(delivery), " ", badge));
  for (const place of places) {
    const answered = transform && !place.error ? `as ${nameOf(transform)} answered it` : place.error ? "as an error record" : "as it was put";
    const part = place.parts > 1 ? `, part ${place.part + 1} of ${place.parts}` : "";
    section.append(
      make("p", {}, `stored ${answered}${part}, at offset ${whole.format(place.offset)}${place.compressed ? " (before compression)" : ""} of`),
      make("p.address", {}, make("code", {}, `s3://${place.bucket}/${place.key}`)),
      dataOf(place.data));
  }
  if (held) {
    section.append(make("p", {}, heldAt(held, transform)), held.data ? dataOf(held.data) : "");
  } else if (!places.length) {
    failures.forEach((failure) => section.append(make("p", {}, "the error record, which is stored when its buffer is due:"), dataOf(failure.line)));
    if (state === "stored") section.append(make("p.muted", {}, "It is stored. Its object is older than those that the page remembers."));
  }
  return section;
}

/** A record that failed: its reason, its original, and replay. */
function showFailure(failure) {
  const { source, from, delivery, shard, ordinal, part } = failure;
  const readers = readersOf(from, source).map(nameOf).join(", ");
  const replay = make("button", { type: "button" }, "Replay");
  replay.addEventListener("click", () =>
    act(replay, `put a record into ${nameOf(source)} again`, "POST", "replay", { delivery, shard, ordinal, part }));
  const follow = make("button", { type: "button", onclick: () => showRecord(from, source, shard, ordinal).catch(() => {}) }, "Follow the record");
  const attempts = failure.reason ? ` after ${plural(failure.reason.attempts, "attempt")}` : "";
  show(`Failed record of ${nameOf(delivery)}`,
    make("p", {}, make("span.badge.bad", {}, failure.error), ` ${timeOf(failure.at)}${attempts}`),
    make("p", {}, reasonOf(failure)),
    make("h3", {}, "As it was put"), dataOf(failure.raw),
    make("p.warning", {}, `Replay puts the original into ${nameOf(source)} once more. Every delivery stream on it gets it again: ${readers}.`),
    make("p.row", {}, replay, follow));
}

const reasonOf = ({ reason }) => (reason ? `${reason.code}: ${reason.message}` : "");
