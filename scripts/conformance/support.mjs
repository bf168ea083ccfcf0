// What the checks of the JavaScript SDK share: names of this run, waiting, what to undo, and a zip.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";

export const run = `conformance-${randomBytes(5).toString("hex")}`;

const undo = [];

/** To be done in the end, the last first, whatever happened: nothing of a run stays. */
export const later = (action) => undo.push(action);

/** Runs the checks and undoes what they made. What cannot be undone fails the run too. */
export async function finish(checks) {
  try {
    for (const check of checks) await check();
  } finally {
    for (const action of undo.reverse()) await action();
  }
}

export function check(what, found, expected = true) {
  assert.deepEqual(found, expected, what);
  console.log(`  ok: JavaScript: ${what}`);
}

/** The SDK decodes the error as the class of that name. */
export async function refused(what, attempt, kind, message) {
  const error = await attempt.then(() => undefined, (error) => error);
  assert(error instanceof kind, `${what}: ${error}`);
  assert.match(error.message, message, what);
  assert(error.$metadata.requestId, `${what}: a request id`);
  console.log(`  ok: JavaScript: ${what}`);
}

/** Asks until the answer is one, for three minutes at most: states and permissions take their time on AWS. */
export async function until(what, ask, isError = () => false) {
  for (const end = Date.now() + 180_000; ; ) {
    const answer = await ask().catch((error) => {
      if (!isError(error) || Date.now() > end) throw error;
    });
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within three minutes`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** A zip of one file, stored. */
export function zip(name, text) {
  const [path, data] = [Buffer.from(name), Buffer.from(text)];
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(0x21, 8); // 1 January 1980
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, path, data]);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE((0o100644 << 16) >>> 0, 6);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\x03"), common, attributes, path]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}
