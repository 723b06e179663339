// What counted in a review, as nodes of the page. An explanation is checked as it is read: what makes no sense of it is left out.

const FAINTEST = 0.2; // of the strongest word: what counts less is not marked
const CALM = 0.5; // logits: where the strongest word says less, all are drawn faint
const MOST_PHRASES = 6;
const LEAST = 0.005; // logits: a phrase that says less would be shown as 0.00

/** The parts of an explanation that fit the review: words in reading order, phrases with the strongest first. */
function checkedExplanation(explanation, length) {
  const words = list(explanation?.words).filter(({ start, end, contribution }) =>
    Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= length && Number.isFinite(contribution));
  const phrases = list(explanation?.phrases).filter(({ phrase, contribution }) =>
    typeof phrase === "string" && phrase && Number.isFinite(contribution));
  return { words: apart(words), phrases: strongestOf(phrases) };
}

/** In reading order, without those that overlap an earlier one. */
function apart(words) {
  const kept = [];
  for (const word of words.toSorted((one, other) => one.start - other.start)) {
    if (word.start >= (kept.at(-1)?.end ?? 0)) kept.push(word);
  }
  return kept;
}

/** The review with the words that counted marked. Offsets count code points, so the text is taken apart into them. */
function markedReview(codePoints, words) {
  const strongest = strongestIn(words);
  const text = element("div", "marked");
  Object.assign(text, { tabIndex: 0, dir: "auto" });
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", "The review, its words marked");
  let reached = 0;
  for (const { start, end, contribution } of words) {
    const strength = Math.abs(contribution) / strongest;
    if (strength < FAINTEST) continue;
    text.append(codePoints.slice(reached, start).join(""), mark(codePoints.slice(start, end).join(""), contribution, strength));
    reached = end;
  }
  text.append(codePoints.slice(reached).join(""));
  return text;
}

function mark(word, contribution, strength) {
  const marked = element("mark", side(contribution), word);
  marked.style.setProperty("--depth", strength.toFixed(2));
  marked.append(element("span", "unseen", ` (${strength > 0.6 ? "strongly " : ""}${side(contribution)})`));
  return marked;
}

/** What the marks mean; which way a word points shows in its line as well as in its color. */
function legend() {
  const line = element("p", "legend note");
  line.setAttribute("aria-hidden", "true");
  line.append(element("mark", "positive", "speaks for positive"), element("mark", "negative", "speaks for negative"), "the deeper, the stronger");
  return line;
}

/** The phrases as a list, each with a bar on its side of the middle. */
function phraseList(phrases) {
  const strongest = strongestIn(phrases);
  const items = element("ul", "phrases");
  for (const { phrase, contribution } of phrases) {
    const item = element("li", side(contribution));
    const bar = element("span", "bar");
    bar.append(element("span"));
    bar.firstChild.style.width = `${(Math.abs(contribution) / strongest) * 50}%`;
    const sign = contribution > 0 ? "+" : "−";
    item.append(element("span", "phrase", phrase), bar, element("span", "weight", `${sign}${Math.abs(contribution).toFixed(2)}`));
    items.append(item);
  }
  return items;
}

/** For a model that has no phrases: its strongest words, each once. */
function wordsAsPhrases(words) {
  const sums = new Map();
  for (const { word, contribution } of words) {
    if (typeof word === "string" && word) sums.set(word, (sums.get(word) ?? 0) + contribution);
  }
  return strongestOf(Array.from(sums, ([phrase, contribution]) => ({ phrase, contribution })));
}

function strongestOf(phrases) {
  const counting = phrases.filter(({ contribution }) => Math.abs(contribution) >= LEAST);
  return counting.sort((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution)).slice(0, MOST_PHRASES);
}

function strongestIn(parts) {
  return parts.reduce((most, { contribution }) => Math.max(most, Math.abs(contribution)), CALM);
}

function side(contribution) {
  return contribution > 0 ? "positive" : "negative";
}

function list(value) {
  return Array.isArray(value) ? value.filter((item) => item !== null && typeof item === "object") : [];
}
