// The latest objects, failed records and invocations. A list that somebody points at or moves through stands still.

function drawList(id, items, keyOf, empty, create) {
  const list = byId(id);
  const used = list.matches(":hover") || (list.contains(document.activeElement) && list !== document.activeElement);
  setClass(list, "held", used);
  if (used) return;
  reconcile(list, items, keyOf, create);
  placeholder(list, empty);
}

/** A row that opens something. */
function rowButton(open, title, text, badge) {
  return make("li", {}, make("button.rowbutton", { type: "button", onclick: () => Promise.resolve(open()).catch(() => {}) },
    make("span.muted.number", {}, title, badge ? make("span.badge.bad", {}, badge) : ""), make("code", {}, text)));
}

function drawLists() {
  drawList("objects", frame.objects, (one) => one.bucket + one.key, "No object was stored since the emulator began.", (one) => {
    const title = `${timeOfDay(one.at)}  ${plural(one.records, "record")}, ${bytes(one.bytes)}  `;
    const open = () => (one.known ? showObject(one) : say("the records of that object are not remembered", true));
    return rowButton(open, title, shortened(`${one.bucket}/${one.key}`, 140), one.error);
  });
  drawList("failures", frame.failures, (one) => [one.delivery, one.shard, one.ordinal, one.part, one.at].join(" "), "No record has failed.", (one) =>
    rowButton(() => showFailure(one), `${timeOfDay(one.at)}  ${nameOf(one.delivery)}  `, preview(one.raw), one.reason?.code ?? one.error));
  drawList("invocations", frame.invocations, (one) => one.number, "No function was invoked yet.", (one) => {
    const memory = one.memory == null ? "" : `, ${one.memory} MiB`;
    return make("li.line", {}, make("span.muted.number", {}, timeOfDay(one.at)),
      make("span", {}, `${nameOf(one.function)}  ${duration(one.ms)}${memory}`), one.error ? make("span.badge.bad", {}, one.error) : "");
  });
  drawFaults();
}

function drawFaults() {
  const list = byId("faults");
  reconcile(list, frame.faults.map((one, index) => ({ ...one, index })), (one) => `${one.rule} ${one.index}`, (one) => {
    const remove = make("button", { type: "button", "aria-label": `Remove ${one.rule}` }, "Remove");
    remove.addEventListener("click", () => act(remove, `removed ${one.rule}`, "DELETE", "faults", { rule: one.rule }));
    return make("li.line", {}, make("code", {}, one.rule), make("span.muted.number", {}), remove);
  }, (line, one) => setText(line.children[1], `${count(one.injected)} of ${plural(one.matched, "call")}`));
  placeholder(list, "No rule is in force.");
}
