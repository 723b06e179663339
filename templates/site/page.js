"use strict";

const EXAMPLES = [
  "I went in expecting nothing and came out grinning. Warm, funny, beautifully shot, and the last ten minutes are perfect.",
  "Two hours that I will never get back. The plot makes no sense, nobody can act, and the jokes are older than I am.",
  "Not bad at all! I was ready to be bored, but the story never let go of me.",
  "Gorgeous to look at, and the score is lovely. A pity that there is no story and not one person to care about.",
];
const RETRIES = 4;
const LONGEST_WAIT = 20; // seconds
const ANSWER_WITHIN = 35; // seconds; API Gateway itself gives up after 29

const find = (id) => document.getElementById(id);
const form = find("form"), field = find("review"), count = find("count"), submit = find("submit"), answer = find("answer");
const apiUrl = find("app").dataset.apiUrl;
const limit = Number(find("app").dataset.maxCharacters);
let busy = false;

/** What went wrong, for people: a short title and what they can do. */
class Trouble extends Error {
  constructor(title, advice) {
    super(title);
    this.advice = advice;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  judge();
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    judge();
  }
});
field.addEventListener("input", () => {
  showCount();
  answer.replaceChildren(); // the verdict was about another text
});
for (const text of EXAMPLES) find("examples").append(exampleItem(text));
showCount();

function exampleItem(text) {
  const button = element("button", "", text);
  button.type = "button";
  button.addEventListener("click", () => {
    if (busy) return;
    field.value = text;
    showCount();
    judge();
  });
  const item = element("li", "");
  item.append(button);
  return item;
}

async function judge() {
  if (busy) return;
  const review = field.value;
  setBusy(true);
  try {
    check(review);
    showWaiting("Reading…", "");
    showVerdict(await ask(review));
  } catch (error) {
    showTrouble(error.message, error.advice ?? "This page made a mistake. Reload it and try again.");
  } finally {
    setBusy(false);
  }
}

function check(review) {
  if (!review.trim()) throw new Trouble("There is nothing to read yet", "Write or paste a review first.");
  const over = characters(review) - limit;
  if (over > 0) throw new Trouble("This review is too long", `Take out at least ${plural(over, "character")}: the limit is ${grouped(limit)}.`);
}

/** Asks the API, again and again for a while when the endpoint is not in service yet. */
async function ask(review) {
  for (let attempt = 0; ; attempt += 1) {
    const response = await post(review);
    if (response.status !== 503 || attempt === RETRIES) return read(response);
    const seconds = waitSeconds(response, attempt);
    showWaiting("The model is waking up", `Trying again in ${plural(seconds, "second")} (${attempt + 1} of ${RETRIES}).`);
    await sleep(seconds);
  }
}

async function post(review) {
  try {
    return await fetch(apiUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ review }),
      credentials: "omit",
      signal: AbortSignal.timeout(ANSWER_WITHIN * 1000),
    });
  } catch (error) {
    throw unreachable(error);
  }
}

function unreachable(error) {
  if (error.name === "TimeoutError") return new Trouble("No answer came", `The API said nothing for ${ANSWER_WITHIN} seconds. Try again in a minute.`);
  if (navigator.onLine === false) return new Trouble("You seem to be offline", "Check your connection, then try again.");
  return new Trouble("The API cannot be reached", `Nothing answers at ${apiUrl}. It may have been taken down, or this page may carry an old address.`);
}

async function read(response) {
  const body = await response.json().catch(() => null);
  if (!response.ok) throw failure(response, body);
  const { label, probability } = body ?? {};
  if ((label !== "positive" && label !== "negative") || !(probability >= 0 && probability <= 1)) {
    throw new Trouble("That was not the review API", `Something else answers at ${apiUrl}. This page may carry a wrong address.`);
  }
  return body;
}

function failure(response, body) {
  const { status } = response;
  const said = body?.error?.message ?? body?.message; // ours, or API Gateway's own
  const reason = typeof said === "string" ? said : `It answered with status ${status} and no reason.`;
  if (status === 429) return new Trouble("Too many requests just now", `Wait ${plural(retryAfter(response) || 5, "second")}, then try again.`);
  if (status === 503) return new Trouble("The model is still not in service", "A new endpoint takes a few minutes to start. Try again later.");
  if (status === 403 || status === 404) return new Trouble("The API does not know this address", `${apiUrl} may be out of date. The API says: ${reason}`);
  if (status === 413) return new Trouble("This review is too long", reason);
  if (status < 500) return new Trouble("The API did not accept this review", reason);
  return new Trouble("The API ran into a problem", `It is not your review's fault, and trying again may help. The API says: ${reason}`);
}

function retryAfter(response) {
  return Math.max(0, Math.ceil(Number(response.headers.get("Retry-After")) || 0));
}

function waitSeconds(response, attempt) {
  return Math.min(LONGEST_WAIT, Math.max(retryAfter(response), 2 ** attempt));
}

function sleep(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

function showVerdict({ label, probability, model }) {
  const confidence = label === "positive" ? probability : 1 - probability;
  const percent = Math.min(99.9, confidence * 100); // a model is never certain
  const headline = element("div", "headline");
  headline.append(
    element("p", "verdict", label === "positive" ? "Positive" : "Negative"),
    element("p", "confidence", `${percent.toFixed(percent > 99 ? 1 : 0)}% confident`),
  );
  const bar = element("div", "bar"), fill = element("span", "");
  bar.setAttribute("aria-hidden", "true");
  fill.style.width = `${percent}%`;
  bar.append(fill);
  const sure = percent >= 65 ? "" : "That is close to a coin toss: the review may be mixed. ";
  const by = typeof model === "string" ? `Judged by ${model}.` : "";
  showCard(label, headline, bar, element("p", "note", sure + by));
}

function showTrouble(title, advice) {
  showCard("trouble", element("p", "title", title), element("p", "", advice));
}

function showWaiting(title, advice) {
  showCard("waiting", element("p", "title", title), element("p", "note", advice));
}

function showCard(kind, ...parts) {
  const card = element("div", `card ${kind}`);
  card.append(...parts);
  answer.replaceChildren(card);
  answer.scrollIntoView({ block: "nearest" });
}

function showCount() {
  const length = characters(field.value);
  const over = length - limit;
  count.textContent = over > 0 ? `${plural(over, "character")} too many` : `${grouped(length)} of ${grouped(limit)} characters`;
  count.classList.toggle("over", over > 0);
  field.setAttribute("aria-invalid", String(over > 0));
}

function setBusy(value) {
  busy = value;
  field.readOnly = value;
  submit.setAttribute("aria-disabled", String(value)); // keeps the focus where it is, which `disabled` would not
  answer.setAttribute("aria-busy", String(value));
}

/** The characters as the API counts them: code points, not UTF-16 units. */
function characters(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function element(name, className, text = "") {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.textContent = text; // never HTML: the text may be anybody's
  return node;
}

function grouped(number) {
  return number.toLocaleString("en-US");
}

function plural(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}
