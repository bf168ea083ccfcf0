// A Firehose transform: text in, the same text in capitals out, a record a line.
//
// Every record is answered under its own id: Ok with data, Dropped, or ProcessingFailed.
// https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html

export async function handler(event) {
  return { records: event.records.map(answer) };
}

function answer({ recordId, data }) {
  try {
    const changed = transform(Buffer.from(data, "base64"));
    return { recordId, result: "Ok", data: changed.toString("base64") };
  } catch (error) {
    console.log(`record ${recordId} failed: ${error.message}`);
    return { recordId, result: "ProcessingFailed" };
  }
}

// Refuses bytes that are not UTF-8, where Buffer's own toString would replace them.
const utf8 = new TextDecoder("utf-8", { fatal: true });

function transform(payload) {
  return Buffer.from(utf8.decode(payload).toUpperCase() + "\n");
}
