// The emulator with a pipeline, calls to it, and a browser.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const ENV = {
  ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/dev/null", AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
};
const SPEC = `version: 1
stack: page
streams:
  events: { name: page-events, shards: 2 }
buckets:
  lake: { name: page-lake }
functions:
  square: { name: page-square, code: { dir: ${ROOT}/stacks/python-transform }, runtime: python3.13, handler: transform.lambda_handler }
deliveries:
  raw: { name: page-raw, from: events, bucket: lake, good: raw/good/, bad: raw/bad/ }
  processed: { name: page-processed, from: events, transform: square, bucket: lake, good: processed/good/, bad: processed/bad/ }
`;

export function check(what, holds) {
  if (!holds) throw new Error(`this does not hold: ${what}`);
}

/** An emulator in memory, with what the spec above makes. */
export async function emulator(provision) {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  const child = spawn(provision, ["local", "serve", "--port", "0", "--memory"], { cwd: folder, env: ENV });
  child.stderr.on("data", (text) => console.error(String(text)));
  const url = await new Promise((resolved, failed) => {
    createInterface(child.stdout).once("line", (line) => resolved(line.replace("listening on ", "")));
    child.once("error", failed);
  });
  const spec = join(folder, "page.yaml");
  writeFileSync(spec, SPEC);
  execFileSync(provision, ["up", spec, "--endpoint", url], { cwd: folder, env: ENV });
  const end = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  // Also when an error outside of any wait ends this process.
  process.once("exit", end);
  /** Verifies the pipeline, and gives the file of the report. */
  const verify = () => {
    const report = join(folder, "report.html");
    execFileSync(provision, ["verify", spec, "--endpoint", url, "--records", "200", "--html", report], { cwd: folder, env: ENV });
    return report;
  };
  return { url, end, verify };
}

/** Puts records into the stream. */
export async function put(url, texts) {
  const Records = texts.map((text, n) => ({ Data: Buffer.from(text).toString("base64"), PartitionKey: `key-${n}` }));
  const headers = {
    "content-type": "application/x-amz-json-1.1", "x-amz-target": "Kinesis_20131202.PutRecords",
    authorization: "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0",
  };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ StreamName: "page-events", Records }) });
  check(`the records are put: ${answer.status}`, answer.ok);
}

/** A browser: that of CHROME, or the pinned Chromium. `undefined` where there is none for this system. */
export async function browser() {
  const pinned = process.platform === "linux" && process.arch === "x64";
  if (!process.env.CHROME && !pinned) return undefined;
  const executablePath = process.env.CHROME ?? (await chromium.executablePath());
  check(`${executablePath} exists`, existsSync(executablePath));
  return puppeteer.launch({ executablePath, headless: "shell", args: ["--no-sandbox", "--disable-gpu"] });
}
