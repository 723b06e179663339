// The page: what is typed, what is shown and said of it, and the history of this visit.

const SLOW = 2; // seconds without an answer after which the page says so
const UNSURE = 65; // percent of confidence below which the page says that it is a guess
const MOST_ENTRIES = 20;

const find = (id) => document.getElementById(id);
const form = find("form"), field = find("review"), count = find("count"), submit = find("submit");
const answer = find("answer"), announcement = find("status"), visited = find("history"), theme = find("theme");
const apiUrl = find("app").dataset.apiUrl;
const limit = Number(find("app").dataset.maxCharacters);
const dark = matchMedia("(prefers-color-scheme: dark)");
const visit = []; // of { review, prediction }, the last first
let turn = null; // what is being asked: an AbortController
let pause = 0; // seconds until the API may be asked again
let ticking = 0; // the timer of the card that counts

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
  if (!turn && !pause) showIdle(); // the answer was about another text
  showCount();
});
find("examples")?.addEventListener("click", ({ target }) => {
  const example = target.closest("button");
  if (!example || turn) return;
  field.value = example.textContent;
  showCount();
  judge();
});
theme.addEventListener("click", () => setDark(theme.getAttribute("aria-pressed") === "false"));
dark.addEventListener("change", showTheme);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") turn?.abort("cancelled");
});
addEventListener("online", showConnection);
addEventListener("offline", showConnection);
showTheme();
showConnection();
showCount();
showIdle();
if (entry) enter();

/** At the start, where people sign in: goes on with what they were about to ask. */
async function enter() {
  find("sign").addEventListener("click", () => (mustSignIn() ? leave(false) : signOut()));
  find("token").addEventListener("click", copyToken);
  showVisitor();
  try {
    const begun = await comeBack();
    showVisitor();
    if (begun) resume(begun);
    else if (wasSignedIn()) await goToSignIn("", false);
  } catch (error) {
    forgetVisitor();
    field.value = error.begun?.review ?? field.value;
    showCount();
    showTrouble(error, field.value);
  }
}

/** Leaves for the sign-in page, with what was typed. */
async function leave(ask) {
  try {
    await goToSignIn(field.value, ask);
  } catch (error) {
    showTrouble(error, field.value);
  }
}

function resume({ review, ask }) {
  field.value = review;
  showCount();
  say(`Signed in. ${visitor.name}`);
  if (ask) judge();
}

function showVisitor() {
  const known = !mustSignIn();
  find("name").textContent = known ? `Signed in${visitor.name ? ` as ${visitor.name}` : ""}.` : "Sign in to ask the model.";
  find("sign").textContent = known ? "Sign out" : "Sign in";
  find("token").hidden = !known;
}

/** For the terminal: `sentictl predict --via api` and curl take it from the variable SENTICTL_API_TOKEN. */
async function copyToken({ currentTarget: copy }) {
  try {
    await navigator.clipboard.writeText(visitor.token);
    copy.textContent = "Copied: it holds for an hour at most";
    say("Copied.");
  } catch {
    say("The clipboard is not allowed here.");
  }
}

async function judge() {
  if (turn || pause) return;
  const review = field.value;
  turn = new AbortController();
  showSubmit();
  try {
    check(review);
    if (mustSignIn()) return await goToSignIn(review, true);
    const prediction = await ask(apiUrl, review, turn.signal, showProgress);
    remember({ review, prediction });
    showVerdict({ review, prediction });
  } catch (error) {
    if (turn.signal.aborted) showCancelled();
    else showTrouble(error, review);
  } finally {
    turn = null;
    showSubmit();
  }
}

function check(review) {
  if (!review.trim()) throw new Trouble("There is nothing to read yet", "Write or paste a review first.");
  const over = characters(review) - limit;
  if (over > 0) throw new Trouble("This review is too long", `Take out at least ${plural(over, "character")}: the limit is ${grouped(limit)}.`);
}

function showProgress(state, seconds, attempt) {
  if (state === "reading") showReading();
  if (state === "waking") showWaking(seconds, attempt);
  if (state === "offline") {
    showCard("waiting still", "You are offline", ["This page asks as soon as the connection is back."], [cancelButton()]);
    say("You are offline. This page asks as soon as the connection is back.");
  }
}

function showReading() {
  const since = new Date();
  const card = showCard("waiting", "Reading…", [""], [cancelButton()]);
  say("Reading.");
  tick(() => {
    const seconds = Math.floor((Date.now() - since) / 1000);
    if (seconds < SLOW) return;
    if (seconds === SLOW) say("Still waiting for an answer.");
    card.querySelector("h2").textContent = "Still waiting";
    card.querySelector("p").textContent = `Asked at ${since.toLocaleTimeString()}, ${plural(seconds, "second")} ago, and no answer yet.`;
  });
}

function showWaking(seconds, attempt) {
  const turns = `attempt ${attempt} of ${RETRIES}`;
  const card = showCard("waiting", "The model is waking up", [`Trying again in ${plural(seconds, "second")} (${turns}).`], [cancelButton()]);
  say(`The model is waking up. Trying again in ${plural(seconds, "second")}.`);
  const until = Date.now() + seconds * 1000;
  tick(() => {
    const left = Math.max(1, Math.ceil((until - Date.now()) / 1000));
    card.querySelector("p").textContent = `Trying again in ${plural(left, "second")} (${turns}).`;
  });
}

function showIdle() {
  showCard("idle", "", ["The verdict appears here, and the words that decided it."]);
  say("");
}

function showCancelled() {
  showCard("idle", "", ["Cancelled. Ask again when you like."]);
  say("Cancelled.");
}

function showTrouble(error, review) {
  const { message, advice, again, pause: seconds, signIn } =
    error instanceof Trouble ? error : new Trouble("This page made a mistake", "Reload it and try again.");
  const actions = again ? [button("Try again", judge), curlButton(review)] : [];
  if (signIn) {
    forgetVisitor();
    showVisitor();
    actions.unshift(button("Sign in", () => leave(Boolean(field.value.trim()))));
  }
  const card = showCard("trouble", message, [advice], actions);
  say(`${message}. ${advice}`);
  if (seconds) hold(card, seconds);
  if (error.key) pointAtKey();
}

/** Asks nothing for so many seconds, and says for how long. */
function hold(card, seconds) {
  const until = Date.now() + seconds * 1000;
  const line = card.appendChild(element("p"));
  say(`${card.querySelector("h2").textContent}. You can ask again in ${plural(seconds, "second")}.`);
  const counted = () => {
    pause = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    line.textContent = pause ? `You can ask again in ${plural(pause, "second")}.` : "You can ask again now.";
    showSubmit();
    if (pause) return;
    clearInterval(timer);
    say("You can ask again now.");
  };
  const timer = setInterval(counted, 1000);
  counted();
}

function showVerdict({ review, prediction }) {
  const { probability, model } = prediction;
  const verdict = verdictOf(prediction);
  const card = showCard(verdict, capitalized(verdict), []);
  if (verdict === "undecided") return showUndecided(card, review);
  const top = element("div", "top"), headline = element("div", "headline");
  headline.append(card.querySelector("h2"), element("p", "confidence", `${confidence(prediction)} confident`));
  top.append(headline, meter(probability));
  if (sureness(prediction) < UNSURE) top.append(element("p", "note", "That is close to a coin toss: the review may be mixed."));
  card.append(top);
  const codePoints = Array.from(review);
  const { words, phrases } = checkedExplanation(prediction.explanation, codePoints.length);
  if (words.length) card.append(element("h3", "", "The words that decided it"), markedReview(codePoints, words), legend());
  const most = phrases.length ? phrases : wordsAsPhrases(words);
  if (most.length) card.append(element("h3", "", "What counted most"), phraseList(most));
  const foot = element("div", "actions");
  foot.append(element("p", "note", typeof model === "string" && model ? `Judged by ${model}.` : ""), curlButton(review));
  card.append(foot);
  say(`${card.querySelector("h2").textContent}, ${headline.lastChild.textContent}.`);
  answer.scrollIntoView({ block: "nearest" });
}

/** What the page calls the verdict: an answer about words that the model does not know means nothing. */
function verdictOf({ label, undecided }) {
  return undecided === true ? "undecided" : label;
}

function capitalized(word) {
  return word[0].toUpperCase() + word.slice(1);
}

function showUndecided(card, review) {
  const why = "The model knows none of these words, so it cannot say.";
  const foot = element("div", "actions");
  foot.append(curlButton(review));
  card.append(element("p", "", why), foot);
  say(`Undecided. ${why}`);
  answer.scrollIntoView({ block: "nearest" });
}

/** How sure the model is of its label, in percent. */
function sureness({ label, probability }) {
  return 100 * (label === "positive" ? probability : 1 - probability);
}

function confidence(prediction) {
  const percent = Math.min(99.9, sureness(prediction)); // a model is never certain
  return `${percent.toFixed(percent > 99 ? 1 : 0)}%`;
}

/** From negative to positive, with the coin toss in the middle. */
function meter(probability) {
  const scale = element("div", "meter"), needle = element("span");
  const percent = Math.round(probability * 100);
  scale.setAttribute("role", "meter");
  scale.setAttribute("aria-label", "Probability that the review is positive");
  scale.setAttribute("aria-valuenow", percent);
  scale.setAttribute("aria-valuetext", `${percent}%`);
  needle.style.left = `${Math.min(50, percent)}%`;
  needle.style.right = `${100 - Math.max(50, percent)}%`;
  const words = element("div", "scale note");
  words.append(...["negative", "unsure", "positive"].map((word) => element("span", "", word)));
  const whole = element("div");
  scale.append(needle);
  whole.append(scale, words);
  return whole;
}

function remember(entry) {
  const known = visit.findIndex(({ review }) => review === entry.review);
  if (known >= 0) visit.splice(known, 1);
  visit.unshift(entry);
  visit.splice(MOST_ENTRIES);
  visited.hidden = false;
  visited.querySelector("ul").replaceChildren(...visit.map(historyItem));
}

function historyItem(entry) {
  const verdict = verdictOf(entry.prediction);
  const again = button("", () => showAgain(entry), "entry");
  const told = verdict === "undecided" ? "Undecided" : `${capitalized(verdict)} ${confidence(entry.prediction)}`;
  again.append(element("span", `tag ${verdict}`, told), " ", element("span", "snippet", beginning(entry.review)));
  again.lastChild.dir = "auto";
  const item = element("li");
  item.append(again);
  return item;
}

function beginning(review) {
  return Array.from(review.slice(0, 400)).slice(0, 160).join("");
}

function showAgain(entry) {
  if (turn) return;
  field.value = entry.review;
  showCount();
  showVerdict(entry);
}

/** Puts one card in place of the last. Where the focus was in that, it goes to the button beside the review. */
function showCard(kind, title, lines, actions = []) {
  clearInterval(ticking);
  const focused = answer.contains(document.activeElement);
  const card = element("div", `card ${kind}`);
  if (title) card.append(element("h2", "", title));
  card.append(...lines.map((line) => element("p", "", line)));
  if (actions.length) card.append(element("div", "actions"));
  card.lastChild?.append(...actions);
  answer.replaceChildren(card);
  if (focused) submit.focus();
  field.setAttribute("aria-invalid", String(kind === "trouble" && characters(field.value) > limit));
  return card;
}

function cancelButton() {
  const cancel = button("Cancel", () => turn?.abort("cancelled"));
  cancel.setAttribute("aria-keyshortcuts", "Escape");
  return cancel;
}

function curlButton(review) {
  return button("Copy as curl", async ({ currentTarget: copy }) => {
    const command = curlCommand(apiUrl, review);
    try {
      await navigator.clipboard.writeText(command);
      copy.textContent = "Copied";
      say("Copied.");
    } catch {
      showToCopy(copy, command); // no clipboard for pages that came over plain HTTP, or where people forbid it
    }
  });
}

function showToCopy(copy, command) {
  const text = element("textarea", "command");
  Object.assign(text, { value: command, readOnly: true, rows: 4, spellcheck: false });
  text.setAttribute("aria-label", "The command, selected to be copied");
  copy.closest(".card").append(text);
  copy.remove();
  text.focus();
  text.select();
  say("The clipboard is not allowed here. The command is selected: copy it with Control or Command and C.");
}

function tick(update) {
  ticking = setInterval(update, 1000);
}

function showSubmit() {
  submit.setAttribute("aria-disabled", String(Boolean(turn || pause)));
  submit.textContent = pause ? `Wait ${pause} s` : "Judge it";
}

function showCount() {
  const length = characters(field.value), over = length - limit;
  if (over > 0 && !count.className) say(`The review is longer than ${grouped(limit)} characters.`);
  count.className = over > 0 ? "over" : "";
  count.textContent = over > 0 ? `${plural(over, "character")} too many` : `${grouped(length)} of ${grouped(limit)} characters`;
}

function showConnection() {
  find("connection").hidden = navigator.onLine;
}

function setDark(wanted) {
  document.documentElement.style.colorScheme = wanted ? "dark" : "light";
  showTheme();
}

function showTheme() {
  const chosen = document.documentElement.style.colorScheme;
  theme.setAttribute("aria-pressed", String(chosen ? chosen === "dark" : dark.matches));
}

/** Tells people who do not see the page what they would see. */
function say(text) {
  announcement.textContent = text;
}

/** The characters as the API counts them: code points, not UTF-16 units. */
function characters(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function button(text, act, className = "quiet") {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function element(name, className = "", text = "") {
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
