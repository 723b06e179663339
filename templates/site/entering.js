// Signing in, where the API asks people to: on Cognito's page, by the authorization code grant with PKCE (RFC 7636).
// The tokens are in this script alone. What has to outlive the way there and back is kept for the visit, and taken out at once.

const UNDER_WAY = "sign-in-under-way"; // in sessionStorage: the verifier, the state, and what was typed
const SIGNED_IN = "signed-in"; // in sessionStorage: that somebody was, so that a reload asks nothing of them
const SCOPES = "openid email";
const REDEEMED_WITHIN = 20; // seconds

const app = document.getElementById("app").dataset;
const entry = app.signInUrl && { url: app.signInUrl, client: app.signInClient, page: app.apiUrl };
const visitor = { token: "", name: "" };

/** What is kept for the visit, in sessionStorage: a reload does not lose it. A browser that gives none keeps nothing. */
const kept = {
  get(name) {
    try {
      return sessionStorage.getItem(name) ?? "";
    } catch {
      return "";
    }
  },
  /** Whether it is kept. */
  set(name, text) {
    try {
      sessionStorage.setItem(name, text);
      return true;
    } catch {
      return false;
    }
  },
  take(name) {
    const text = kept.get(name);
    if (text) sessionStorage.removeItem(name);
    return text;
  },
};

/** Whether somebody has to sign in before the API can be asked. */
function mustSignIn() {
  return Boolean(entry) && !visitor.token;
}

/** The headers that tell the API who asks. */
function whoAsks() {
  return visitor.token ? { Authorization: `Bearer ${visitor.token}` } : {};
}

/** Leaves for the sign-in page, which knows who has signed in there before. `review` is there again afterwards, and asked about if `ask`. */
async function goToSignIn(review, ask) {
  if (bare(location.origin + location.pathname) !== bare(entry.page)) return location.assign(entry.page); // it sends nobody back to here
  const [verifier, state] = [randomText(), randomText()];
  if (!kept.set(UNDER_WAY, JSON.stringify({ verifier, state, review, ask }))) {
    throw new Trouble("This browser keeps nothing for this page", "Signing in needs its storage. Allow it for this page, then reload.");
  }
  const challenge = base64ForUrls(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
  const wanted = { response_type: "code", client_id: entry.client, redirect_uri: entry.page, scope: SCOPES, state };
  const proof = { code_challenge: challenge, code_challenge_method: "S256" };
  location.assign(`${entry.url}/oauth2/authorize?${new URLSearchParams({ ...wanted, ...proof })}`);
}

/**
 * Comes back from the sign-in page: the code in the address becomes a token.
 * @returns what was typed before, as { review, ask }; null where nobody comes from there.
 * @throws Trouble
 */
async function comeBack() {
  const told = new URLSearchParams(location.search);
  const begun = parsed(kept.take(UNDER_WAY));
  if (!told.has("code") && !told.has("error")) return null;
  history.replaceState(null, "", location.pathname); // a reload, or who sees the address, gets nothing of it
  if (!begun || told.get("state") !== begun.state) {
    throw new Trouble("Nobody signed in", "This page did not ask for that sign-in, so it is not used. Sign in from here.", { signIn: true });
  }
  if (told.has("error")) {
    const why = told.get("error_description") ?? told.get("error");
    throw Object.assign(new Trouble("Nobody signed in", `The sign-in page says: ${why}`, { signIn: true }), { begun });
  }
  try {
    await redeem(told.get("code"), begun.verifier);
  } catch (trouble) {
    throw Object.assign(trouble, { begun });
  }
  return begun;
}

async function redeem(code, verifier) {
  const grant = { grant_type: "authorization_code", client_id: entry.client, redirect_uri: entry.page, code, code_verifier: verifier };
  let response;
  try {
    const signal = AbortSignal.timeout(REDEEMED_WITHIN * 1000);
    response = await fetch(`${entry.url}/oauth2/token`, { method: "POST", body: new URLSearchParams(grant), credentials: "omit", signal });
  } catch {
    throw new Trouble("The sign-in page cannot be reached", `Nothing answers at ${entry.url}.`, { signIn: true });
  }
  const tokens = parsed(await response.text());
  if (!response.ok || typeof tokens?.access_token !== "string") {
    throw new Trouble("Nobody signed in", `The sign-in page says: ${tokens?.error ?? response.status}. It may have taken too long.`, { signIn: true });
  }
  visitor.token = tokens.access_token;
  visitor.name = nameIn(tokens.id_token);
  kept.set(SIGNED_IN, "yes");
}

/** Whether somebody was signed in on this page before it was loaded again. */
function wasSignedIn() {
  return kept.get(SIGNED_IN) === "yes";
}

/** Forgets who asks: the token does not hold any more. */
function forgetVisitor() {
  Object.assign(visitor, { token: "", name: "" });
  kept.take(SIGNED_IN);
}

/** What it means that the API does not take the token any more. */
function signInEnded() {
  return new Trouble("Your sign-in has ended", "Sign in again: what you wrote stays, and is asked about then.", { signIn: true });
}

/** Signs out here and on the sign-in page, which sends the browser back. */
function signOut() {
  forgetVisitor();
  location.assign(`${entry.url}/logout?${new URLSearchParams({ client_id: entry.client, logout_uri: entry.page })}`);
}

/** The e-mail address in an ID token, to be shown and for nothing else: only the API can tell whether a token holds. */
function nameIn(token) {
  const payload = String(token).split(".")[1] ?? "";
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    const { email } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof email === "string" ? email : "";
  } catch {
    return "";
  }
}

function randomText() {
  return base64ForUrls(crypto.getRandomValues(new Uint8Array(32)));
}

function base64ForUrls(bytes) {
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function bare(address) {
  return address.replace(/\/$/, "");
}
