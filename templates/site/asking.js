"use strict";

// How the API is asked. Nothing here touches the page: what goes on is told, what went wrong is thrown.

const RETRIES = 6; // of a model that is not in service: about a minute
const LONGEST_WAIT = 20; // seconds between two of them
const LONGEST_PAUSE = 3600; // seconds that a Retry-After may ask for
const ANSWER_WITHIN = 35; // seconds; API Gateway itself gives up after 29

/** What went wrong, for people: a short title, what they can do, whether asking again may help, another key, or to sign in. */
class Trouble extends Error {
  constructor(title, advice, { again = false, pause = 0, key = false, signIn = false } = {}) {
    super(title);
    Object.assign(this, { advice, again, pause, key, signIn });
  }
}

/** What is posted: the prediction is to come with its reasons. */
function requestBody(review) {
  return JSON.stringify({ review, explain: true });
}

/**
 * Asks for a prediction: again for a while where the model is not in service, and when the connection is back.
 * @param tell is called with ("reading"), ("waking", seconds, attempt) and ("offline").
 * @returns the API's answer, its label and probability checked.
 * @throws Trouble; or what `signal` was aborted with.
 */
async function ask(url, review, signal, tell) {
  for (let attempt = 1; ; attempt += 1) {
    await connection(signal, tell);
    tell("reading");
    const response = await post(url, review, signal);
    if (response === null) {
      attempt -= 1; // it never left
      continue;
    }
    if (response.status !== 503 || isClosed(response) || attempt > RETRIES) return read(url, response);
    const seconds = Math.min(LONGEST_WAIT, Math.max(response.retryAfter, 2 ** (attempt - 1)));
    tell("waking", seconds, attempt);
    await sleep(seconds, signal);
  }
}

/** Whether the model is not in service because it has opening hours, and these are over. */
function isClosed(response) {
  return response.body?.error?.code === "closed";
}

async function connection(signal, tell) {
  if (navigator.onLine) return;
  tell("offline");
  await new Promise((resolve, reject) => {
    addEventListener("online", resolve, { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Posts a review. Null where the connection was lost meanwhile. */
async function post(url, review, signal) {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN * 1000)]);
  try {
    const response = await fetch(url, {
      method: "POST",
      // Sent as plain text, which the API knows for the JSON it is: browsers ask for leave (a preflight) before they send
      // JSON elsewhere, and would hide from the page that the leave was throttled.
      headers: { Accept: "application/json", ...credentials() },
      body: requestBody(review),
      credentials: "omit",
      signal: within,
    });
    const { status, ok, headers } = response;
    return { status, ok, retryAfter: secondsUntil(headers.get("Retry-After")), body: parsed(await response.text()) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Trouble) throw error;
    if (error.name === "TimeoutError") {
      throw new Trouble("No answer came", `The API said nothing for ${ANSWER_WITHIN} seconds. It may be busy.`, { again: true });
    }
    if (!navigator.onLine) return null;
    const advice = `Nothing answers at ${url}. It may have been taken down, or this page may carry an old address.`;
    throw new Trouble("The API cannot be reached", advice, { again: true });
  }
}

/** The seconds that a Retry-After means: it is a number of them, or a date. */
function secondsUntil(retryAfter) {
  const seconds = Number(retryAfter ?? 0);
  const wanted = Number.isNaN(seconds) ? (Date.parse(retryAfter) - Date.now()) / 1000 : seconds;
  return Math.min(LONGEST_PAUSE, Math.max(0, Math.ceil(wanted || 0)));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function read(url, response) {
  if (!response.ok) throw failure(url, response);
  const { label, probability } = response.body ?? {};
  const known = label === "positive" || label === "negative";
  if (!known || typeof probability !== "number" || !(probability >= 0 && probability <= 1)) {
    throw new Trouble("That was not the review API", `Something else answers at ${url}. This page may carry a wrong address.`);
  }
  return response.body;
}

function failure(url, response) {
  const { status, retryAfter, body } = response;
  const denied = denial(response);
  if (denied) return denied;
  const said = body?.error?.message ?? body?.message; // ours, or API Gateway's own
  const reason = typeof said === "string" ? said : `It answered with status ${status} and no reason.`;
  if (status === 429 && body?.error?.code === "WAF_FILTERED") {
    return new Trouble("Too many requests from here", "The API lets each address ask only so often in five minutes.", { pause: retryAfter || 300 });
  }
  if (status === 429) return new Trouble("Too many requests just now", "The API lets through only so many a second, of all who ask together.", { pause: retryAfter || 5 });
  if (isClosed(response)) return new Trouble("The model is closed now", reason, { again: true });
  if (status === 503) return new Trouble("The model is still not in service", "A new endpoint takes a few minutes to start.", { again: true });
  if (status === 403 || status === 404) return new Trouble("The API does not know this address", `${url} may be out of date. The API says: ${reason}`);
  if (status === 413) return new Trouble("This review is too long", reason);
  if (status < 500) return new Trouble("The API did not accept this review", reason);
  const number = numberOf(body);
  return new Trouble("The API ran into a problem", `It is not your review's fault. The API says: ${reason}${number}`, { again: true });
}

/** What to tell whoever runs the API, who finds the request in its logs by this number; empty where there is none. */
function numberOf(body) {
  const number = body?.error?.request_id;
  return typeof number === "string" && number ? ` Its number, for whoever runs this page: ${number}` : "";
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** A shell command that asks the same. The body is one line and stands in a here-document, so nothing in it is special. */
function curlCommand(url, review) {
  const body = requestBody(review).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escaped);
  const key = keyField ? ' --header "x-api-key: $SENTICTL_API_KEY"' : ""; // never the key itself: shells keep a history
  const quotedUrl = `'${url.replaceAll("'", "'\\''")}'`;
  const who = entry ? ' --header "Authorization: Bearer $SENTICTL_API_TOKEN"' : key;
  return `curl ${quotedUrl} --header 'Content-Type: application/json'${who} --data-binary @- <<'REVIEW'\n${body}\nREVIEW\n`;
}

/** A character as JSON may write it, where a terminal would obey it, or show it so that one is misled. */
function escaped(character) {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
