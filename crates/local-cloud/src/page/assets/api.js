// Calls to the engine. The token proves that they come from this page.

const token = document.querySelector('meta[name="token"]').content;

function say(text, isError = false) {
  const said = byId("said");
  setText(said, text);
  setClass(said, "error", isError);
}

/** The answer of a call; an error is said and thrown. */
async function call(method, path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  const headers = method === "GET" ? {} : { "x-local-token": token };
  try {
    const answer = await fetch(`/_local/${path}${query && `?${query}`}`, { method, headers });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error ?? `the emulator answered ${answer.status}`);
    return body;
  } catch (error) {
    say(error.message, true);
    throw error;
  }
}

/** Calls, says that it is done, and leaves the button that was used disabled meanwhile. */
async function act(button, done, ...words) {
  button.disabled = true;
  const focused = document.activeElement === button;
  try {
    const body = await call(...words);
    say(done);
    return body;
  } catch {
    return undefined; // It is said already.
  } finally {
    button.disabled = false;
    if (focused) button.focus();
  }
}

/** Data as it is shown: text, or base64 of what is not text. */
function dataOf(shown) {
  if (!shown) return make("p.muted", {}, "not known any more");
  const { text, base64, size, cut } = shown;
  const note = [base64 != null && "not text, shown in base64", cut && `the beginning of ${bytes(size)}`].filter(Boolean);
  return make("div", {},
    note.length ? make("p.muted", {}, note.join(", ")) : null,
    make("pre", { tabindex: 0 }, pretty(text ?? base64)));
}

function pretty(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

const preview = ({ text, base64, size, cut }) => (text === "" ? "(empty)" : text ?? `base64 ${base64}`) + (cut ? `… ${bytes(size)}` : "");
