// What the checks of the JavaScript SDK share: names of this run, waiting, what to undo, a record, and a zip.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { crc32 } from "node:zlib";

export const run = `${process.env.CONFORMANCE_NAMES ?? "conformance"}-${randomBytes(5).toString("hex")}`;

// What AWS answers for a while after a change, and as little of the message as identifies it.
const PASSING = {
  ResourceNotFoundException: /^/, NoSuchEntityException: /^/, NoSuchEntity: /^/, NoSuchBucket: /^/, OperationAborted: /^/,
  OperationAbortedException: /^/, DeleteConflictException: /^/, ResourceInUseException: /not ACTIVE|in CREATING state/,
  ResourceConflictException: /operation cannot be performed/, LimitExceededException: /CREATING or DELETING/,
};

/** The client, which sends what is refused so again for a minute, and writes answers into the folder CONFORMANCE_RECORD. */
export function patient(client) {
  const send = client.send.bind(client);
  client.send = async (command, ...more) => {
    for (const end = Date.now() + 60_000; ; ) {
      const began = Date.now();
      try {
        const answer = await send(command, ...more);
        record(client, command, answer.$metadata, {}, began);
        return answer;
      } catch (error) {
        record(client, command, error.$metadata, error, began);
        const passes = error.name in PASSING && PASSING[error.name].test(error.message);
        if (!passes || Date.now() > end || JSON.stringify(command.input).includes("absent")) throw error;
      }
      await new Promise((wake) => setTimeout(wake, 500));
    }
  };
  return client;
}

function record(client, command, metadata, { name, message }, began) {
  const folder = process.env.CONFORMANCE_RECORD;
  if (!folder) return;
  const { serviceId: service } = client.config;
  const operation = command.constructor.name.replace(/Command$/, "");
  const { httpStatusCode: status = null, requestId: request_id = null } = metadata ?? {};
  const line = { service, operation, status, code: name ?? null, message: message ?? null, request_id, took_ms: Date.now() - began };
  appendFileSync(`${folder}/${run}.jsonl`, `${JSON.stringify(line)}\n`);
}

const undo = [];

/** To be done in the end, the last first, whatever happened: nothing of a run stays. */
export const later = (action) => undo.push(action);

/** Runs the checks and undoes what they made. What cannot be undone fails the run too. */
export async function finish(checks) {
  const failed = [];
  const attempt = async (action) => {
    try {
      await action();
    } catch (error) {
      console.error(error);
      failed.push(error);
    }
  };
  await attempt(async () => {
    for (const check of checks) await check();
  });
  for (const action of undo.reverse()) await attempt(action);
  if (failed.length) process.exit(1);
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
  for (let end = Date.now() + 180_000, pause = 50; ; pause = Math.min(pause * 1.5, 2000)) {
    const answer = await ask().catch((error) => {
      if (!isError(error) || Date.now() > end) throw error;
    });
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within three minutes`);
    await new Promise((wake) => setTimeout(wake, pause));
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
