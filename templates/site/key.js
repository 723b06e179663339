// The key of an API that takes one: asked for on the page, and kept for the visit, so that a reload does not lose it.

// In sessionStorage, which this tab alone reads and which ends with it; no cookie and no disk has the key, and the page's
// policy lets no other script run. Where a browser gives no storage, the field alone keeps it.
const keyField = document.getElementById("key");
const KEPT_AS = `sentictl-key ${document.getElementById("app").dataset.apiUrl}`;

if (keyField) {
  keyField.value = kept.get(KEPT_AS);
  keyField.addEventListener("input", () => {
    keyField.removeAttribute("aria-invalid");
    kept.set(KEPT_AS, keyField.value.trim());
  });
}

/** The headers that a request needs to be let in. */
function credentials() {
  if (!keyField) return whoAsks();
  const key = keyField.value.trim();
  if (!key) throw new Trouble("The API takes a key", "Write or paste the key that you were given, above the review.", { key: true });
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Trouble("That is no key", "It has spaces or characters that no key has.", { key: true });
  return { "x-api-key": key };
}

/** What it means that the API did not let the page in; null where it did. */
function denial({ status, body }) {
  const code = body?.error?.code;
  if (code === "QUOTA_EXCEEDED") {
    return new Trouble("This key is used up for now", "It has asked as often as it may. Ask whoever gave it to you when that begins anew.");
  }
  if (code === "INVALID_API_KEY" && keyField) {
    return new Trouble("The API does not take this key", "It may be mistyped, or was revoked. Try another one.", { key: true });
  }
  if (code === "INVALID_API_KEY") return new Trouble("The API takes a key now", "Reload this page: it asks for the key then.");
  if (status === 401 && entry) return signInEnded();
  if (status === 401 || code === "MISSING_AUTHENTICATION_TOKEN") {
    return new Trouble("The API does not let this page in", "Who may ask has changed. Reload this page.");
  }
  return null;
}

/** Leads to the key where that is at fault. */
function pointAtKey() {
  keyField.setAttribute("aria-invalid", "true");
  keyField.focus();
}
