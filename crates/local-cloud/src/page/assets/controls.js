// The clock, flush and faults.

let clock = { now_ms: 0, speed: 1, paused: false, seen: 0 };

/** The emulator's time now, as far as the page can know. */
const now = () => clock.now_ms + (clock.paused ? 0 : (performance.now() - clock.seen) * clock.speed);

function setClock(told) {
  clock = { ...told, seen: performance.now() };
  drawClock();
}

function drawClock() {
  setText(byId("time"), timeOf(now()));
  setText(byId("pace"), clock.paused ? "paused" : `${clock.speed}×`);
  setText(byId("pause"), clock.paused ? "Resume" : "Pause");
  const speed = byId("speed");
  if (document.activeElement === speed) return;
  const known = [...speed.options].some((option) => option.value === String(clock.speed));
  if (!known) speed.append(make("option", { value: clock.speed }, `${clock.speed}×`));
  speed.value = String(clock.speed);
}

async function steer(button, done, ...words) {
  const told = await act(button, done, ...words);
  if (told) setClock(told);
}

byId("pause").addEventListener("click", (event) => {
  const [word, done] = clock.paused ? ["resume", "the clock runs"] : ["pause", "the clock stands"];
  steer(event.target, done, "POST", word);
});
byId("go").addEventListener("click", (event) => {
  const select = byId("advance");
  steer(event.target, `moved the clock by ${select.selectedOptions[0].text}`, "POST", "advance", { ms: select.value });
});
byId("speed").addEventListener("change", (event) => {
  steer(event.target, `the clock runs at ${event.target.value}×`, "POST", "speed", { factor: event.target.value });
});
byId("flush").addEventListener("click", async (event) => {
  const regions = [...new Set(frame.deliveries.map((one) => regionOf(one.id)))];
  for (const region of regions) await steer(event.target, "flushed all delivery streams", "POST", "flush", { region });
  if (!regions.length) say("there is no delivery stream");
});
byId("inject").addEventListener("submit", async (event) => {
  event.preventDefault();
  const rule = byId("rule");
  const added = await act(event.submitter, `added ${rule.value}`, "POST", "faults", { rule: rule.value });
  if (added) rule.value = "";
});
byId("exports").textContent = [
  `export AWS_ENDPOINT_URL=${location.origin}`,
  "export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1",
].join("\n");
