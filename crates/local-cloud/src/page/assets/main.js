// Frames come as events. Drawing happens once for each, in the browser's own time.

function take(told) {
  frame = told;
  const at = performance.now();
  for (const stream of frame.streams) {
    rates.add(`in ${stream.id}`, stream.records, at);
    rates.add(`bytes ${stream.id}`, stream.bytes, at);
  }
  for (const one of frame.deliveries) {
    const lane = one.backup ? `${one.id}/backup` : one.id;
    rates.add(`out ${lane}`, one.stored, at);
    if (one.stream) continue;
    rates.add(`in ${one.id}`, one.records, at);
    rates.add(`bytes ${one.id}`, one.bytes, at);
  }
  for (const one of frame.functions) rates.add(`calls ${one.id}`, one.ended, at);
}

let drawing = false;
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawClock();
    drawPipeline();
    drawLists();
  });
}

const events = new EventSource("/_local/watch");
const connection = byId("connection");
function connected(text, isBad) {
  setText(connection, text);
  setClass(connection, "bad", isBad);
}
let wasLive = false;
events.addEventListener("open", () => {
  // It was away: it may be another emulator now, with another token.
  if (wasLive) location.reload();
  wasLive = true;
  connected("live", false);
});
events.addEventListener("error", () => connected("not connected", true));
events.addEventListener("frame", (event) => {
  const told = JSON.parse(event.data);
  setClock(told.clock);
  take(told.frame);
  draw();
});
events.addEventListener("clock", (event) => {
  setClock(JSON.parse(event.data));
  // Nothing has changed: counts that stay as they are bring their rates to zero.
  take(frame);
  draw();
});
setInterval(drawClock, 1000);
