#!/usr/bin/env node
// Clicks through the emulator's page, and through the report of `verify`, in a headless Chromium.
//
//     node scripts/page/click.mjs target/debug/provision [FOLDER]    also takes screenshots into FOLDER
//
// Run by scripts/check, whose tools it uses. CHROME names another browser than the pinned Chromium.

import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { browser, check, emulator, put } from "./support.mjs";

const [provision, folder] = process.argv.slice(2);
const PATIENCE = { timeout: 20_000 };

const chrome = await browser();
if (!chrome) {
  console.log("not checked: there is no pinned Chromium for this system; set CHROME to the path of one");
  process.exit(0);
}
const engine = await emulator(resolve(provision));
try {
  const page = await opened();
  await steers(page);
  await followsRecords(page);
  await replays(page);
  await injects(page);
  await isUsedByKeyboard(page);
  await fits(page);
  await standsStill(page);
  await isNotDrivenByOthers();
  await reports();
  console.log("the page holds");
} finally {
  await chrome.close();
  engine.end();
}

async function opened() {
  const page = await chrome.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on("pageerror", (error) => { throw error; });
  // The one refusal that is asked for below is logged by the browser itself.
  const isWanted = (text) => text.includes("status of 400");
  page.on("console", (message) => check(`no error is logged: ${message.text()}`, message.type() !== "error" || isWanted(message.text())));
  page.on("request", (request) => check(`${request.url()} is not outside`, request.url().startsWith(engine.url) || request.url() === "data:,"));
  await page.setViewport({ width: 1600, height: 1000 });
  await page.goto(`${engine.url}/_local/`);
  await shows(page, "#connection", "live");
  await shows(page, ".card.stream", "page-events");
  await shows(page, ".card.function", "page-square");
  await shows(page, "#exports", `AWS_ENDPOINT_URL=${engine.url}`);
  check("both delivery streams are drawn", (await page.$$(".card.delivery")).length === 2);
  return page;
}

/** Waits until an element contains a text. */
async function shows(page, selector, text) {
  const found = (selector, text) => [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(text));
  await page.waitForFunction(found, PATIENCE, selector, text).catch(async () => {
    const there = await page.$$eval(selector, (all) => all.map((one) => one.textContent));
    throw new Error(`${selector} does not show ${JSON.stringify(text)}, but ${JSON.stringify(there)}`);
  });
}

async function steers(page) {
  await page.click("#pause");
  await shows(page, "#pace", "paused");
  await put(engine.url, ['{"a": 3}', '{"a": 4}', "no number", '{"a": 5}']);
  await shows(page, ".card.stream", "4 put, 4 kept");
  await shows(page, ".card.delivery", "4 records");
  await photograph(page, "buffered");
  await page.click(".card.stream button");
  await shows(page, "#details-title", "Records of page-events");
  await (await page.waitForSelector('#details-body ::-p-text({"a": 4})')).click();
  await shows(page, "#details-body", "It waits for its batch, due in");
  await shows(page, "#details-body", "In the buffer, due in");
  await page.keyboard.press("Escape");
  await page.select("#advance", "900000");
  await page.click("#go");
  await shows(page, "#objects", "page-lake/raw/good/");
  await shows(page, "#objects", "page-lake/processed/good/");
  await shows(page, "#invocations", "page-square");
  await page.click("#pause");
  await shows(page, "#pace", "1×");
}

async function followsRecords(page) {
  await page.click(".card.stream button");
  await shows(page, "#details-title", "Records of page-events");
  check("all records are listed", (await page.$$("#details-body .rowbutton")).length === 4);
  await (await page.waitForSelector('#details-body ::-p-text({"a": 4})')).click();
  await shows(page, "#details-title", "Record in page-events");
  await shows(page, "#details-body", "stored as page-square answered it");
  await shows(page, "#details-body pre", '"a": 16');
  await shows(page, "#details-body", "s3://page-lake/raw/good/");
  await photograph(page, "record");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog:not([open])");
  check("the focus is back where it was", await page.$eval(".card.stream button", (button) => button === document.activeElement));
  await page.click("#objects .rowbutton");
  await shows(page, "#details-title", "Object");
  await shows(page, "#details-body", "s3://page-lake/");
  await page.keyboard.press("Escape");
}

async function replays(page) {
  await page.click("#failures .rowbutton");
  await shows(page, "#details-body", "Lambda.ProcessingFailedStatus");
  await shows(page, "#details-body", "Every delivery stream on it gets it again: page-processed, page-raw");
  await photograph(page, "failure");
  await (await page.waitForSelector("#details-body ::-p-text(Replay)[type=button]")).click();
  await shows(page, "#said", "put a record into page-events again");
  await page.keyboard.press("Escape");
  await shows(page, ".card.stream", "5 put, 5 kept");
  await page.click("#flush");
  await shows(page, "#said", "flushed all delivery streams");
}

async function injects(page) {
  await page.type("#rule", "kinesis:ListStreams=throttle");
  await page.keyboard.press("Enter");
  await shows(page, "#faults", "kinesis:ListStreams=throttle");
  await page.click("#faults button");
  await shows(page, "#faults", "No rule is in force.");
  await page.type("#rule", "nonsense");
  await page.keyboard.press("Enter");
  await shows(page, "#said.error", "a rule needs an =");
}

/** Everything is reached by Tab, in the order of the document, and is seen to be reached. */
async function isUsedByKeyboard(page) {
  await page.reload();
  await shows(page, "#objects", "page-lake");
  const reached = [];
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press("Tab");
    const one = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
      return { id: element.id, name: name.trim(), outline: getComputedStyle(element).outlineStyle };
    });
    if (!one) break;
    reached.push(one);
  }
  check("the first is the link to the pipeline", reached[0].name === "Skip to the pipeline");
  const ids = reached.map((one) => one.id).filter(Boolean);
  const order = ["pause", "advance", "go", "speed", "flush", "objects", "failures", "invocations", "rule", "faults"];
  check(`the order is that of the page: ${ids}`, JSON.stringify(ids.filter((id) => order.includes(id))) === JSON.stringify(order));
  for (const one of reached) check(`${one.id || one.name} has a name and an outline`, one.name && one.outline !== "none");
}

/** The report of `verify`, opened from its file. */
async function reports() {
  const page = await chrome.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const report = pathToFileURL(engine.verify()).href;
  page.on("request", (request) => check(`${request.url()} is not outside`, request.url() === report));
  await page.goto(report);
  await shows(page, "body > p.good", "Every delivery stream accounts for every record");
  for (const delivery of ["raw", "processed"]) await shows(page, "h2", delivery);
  check("the pipeline is drawn", (await page.$$(".group .way > .card")).length === 5);
  check("each latency is plotted", (await page.$$("div.chart")).length === 2);
  check("a bar is seen", await page.$eval("div.chart i:not([style='height:0.0%'])", (bar) => bar.getBoundingClientRect().height > 10));
  await page.focus("summary");
  const open = () => page.$eval("details", (details) => details.open);
  const before = await open();
  await page.keyboard.press("Enter");
  check("a table opens and closes by keyboard", (await open()) !== before);
  await page.keyboard.press("Enter");
  await fits(page, "report");
}

/** Nothing is wider than the window. */
async function fits(page, name = "page") {
  for (const width of [1600, 900, 400]) {
    for (const scheme of ["light", "dark"]) {
      await page.setViewport({ width, height: 1000 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      await page.mouse.move(1, 1);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      check(`the ${name} fits into ${width} pixels: ${wide}`, wide <= 0);
      await photograph(page, `${name}-${width}-${scheme}`);
    }
  }
}

/** Records that flow do not move what a person looks at. */
async function standsStill(page) {
  await page.setViewport({ width: 1600, height: 1000 });
  await page.evaluate(async () => {
    const drawn = () => new Promise((done) => requestAnimationFrame(done));
    // The change of the window's size is over.
    await drawn();
    await drawn();
    window.shifted = 0;
    // In a list, what is new pushes the rest down: that is wanted.
    const outside = ({ sources }) => sources.some(({ node }) => node && !(node.parentElement ?? node).closest(".list"));
    window.moved = new Set();
    const add = (list) => list.getEntries().filter(outside).forEach((one) => {
      window.shifted += one.value;
      one.sources.forEach(({ node }) => window.moved.add((node?.parentElement ?? node)?.className + " " + node?.textContent.slice(0, 30)));
    });
    new PerformanceObserver(add).observe({ type: "layout-shift" });
  });
  const stored = () => page.$$eval("#objects li", (all) => all.length);
  const before = await stored();
  for (let n = 0; n < 5; n++) {
    await put(engine.url, Array.from({ length: 100 }, (_, i) => `{"a": ${i}}`));
    await fetch(`${engine.url}/_local/flush`, { method: "POST" });
    await page.waitForFunction((least) => document.querySelectorAll("#objects li").length >= least, PATIENCE, Math.min(before + 2 * n + 2, 30));
  }
  const [shifted, moved] = await page.evaluate(() => [window.shifted, [...window.moved]]);
  check(`the layout stands still: ${shifted} ${JSON.stringify(moved)}`, shifted < 0.02);
}

/** A page of another origin on this machine can neither read, steer nor frame it. */
async function isNotDrivenByOthers() {
  const other = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<iframe></iframe>"));
  await new Promise((listening) => other.listen(0, "127.0.0.1", listening));
  try {
    const page = await chrome.newPage();
    await page.goto(`http://127.0.0.1:${other.address().port}/`);
    const tried = await page.evaluate(async (url) => {
      const reached = async (path, options) => fetch(url + path, options).then((answer) => answer.type !== "opaque", () => false);
      const read = await reached("/_local/dump", {});
      const steered = await reached("/_local/pause", { method: "POST", mode: "no-cors" });
      const withToken = await reached("/_local/pause", { method: "POST", headers: { "x-local-token": "0" } });
      const frame = document.querySelector("iframe");
      await new Promise((loaded) => { frame.onload = loaded; frame.src = `${url}/_local/`; });
      return { read, steered, withToken };
    }, engine.url);
    check(`nothing came of it: ${JSON.stringify(tried)}`, !tried.read && !tried.steered && !tried.withToken);
    const framed = page.frames().find((frame) => frame !== page.mainFrame());
    check("the page is not framed", !(await framed.evaluate(() => document.body?.textContent.includes("Pipeline")).catch(() => false)));
    const clock = await (await fetch(`${engine.url}/_local/clock`)).json();
    check("the clock still runs", clock.paused === false);
  } finally {
    other.close();
  }
}

async function photograph(page, name) {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
