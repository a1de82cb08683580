// The console's frame: signing in, the bar, and whichever page the address names.

import { get, key, onRefused } from "./api.js";
import { compare } from "./compare.js";
import { entitle, h, replace } from "./dom.js";
import { lab } from "./lab.js";
import { loading, problem } from "./notices.js";
import { operations } from "./operations.js";
import { find, here, route } from "./router.js";
import { run } from "./run.js";
import { runs } from "./runs.js";
import { signIn } from "./signin.js";

const bar = document.getElementById("bar");
const main = document.getElementById("main");
const PAGES = [["/", "Lab"], ["/runs", "Runs"], ["/compare", "Compare"], ["/operations", "Operations"]];

route("/", lab);
route("/runs", runs);
route("/runs/:id", run);
route("/compare", compare);
route("/operations", operations);

let facts = null;
let leaving = new AbortController();
let isFirst = true;

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const { path, query } = here();
  if (!key.get()) return drawSignIn();
  if (!facts) {
    replace(main, loading("the console"));
    try {
      facts = await get("/api/v1/console");
    } catch (error) {
      if (error.status !== 401) replace(main, problem(error, show));
      return;
    }
    if (signal.aborted) return;
  }
  drawBar(path);
  entitle(PAGES.find(([to]) => isAt(path, to))?.[1]);
  const found = find(path);
  if (!found) return replace(main, problem({ code: "not_found", message: "There is no such page." }));
  const page = h("div", { class: "page" });
  replace(main, page);
  window.scrollTo(0, 0);
  try {
    await found.draw(page, { params: found.params, query, facts, signal });
  } catch (error) {
    if (!signal.aborted && error.status !== 401) replace(page, problem(error, show));
  }
  if (!signal.aborted) arrive(page);
}

// Whoever came by a link hears where: the focus follows to the new page, unless it is at work there already.
function arrive(page) {
  const place = page.querySelector("h1") ?? main;
  if (!isFirst && !page.contains(document.activeElement)) {
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  }
  isFirst = false;
}

function drawSignIn(failure) {
  isFirst = false;
  entitle("Sign in");
  leaving.abort();
  facts = null;
  drawBar(null);
  signIn(main, failure, (answer) => { facts = answer; show(); });
}

function drawBar(path) {
  replace(bar,
    h("a", { class: "brand", href: "#/" }, h("span", { class: "mark", "aria-hidden": "true" }), "BabyChain"),
    facts && h("nav", { "aria-label": "Pages" }, PAGES.map(([to, title]) =>
      h("a", { href: `#${to}`, "aria-current": isAt(path, to) ? "page" : null }, title))),
    facts && h("div", { class: "who" },
      h("span", { class: `mode mode-${facts.mode}`, title: modeNote(facts.mode) }, facts.mode),
      h("button", { type: "button", class: "plain", onclick: signOut }, "Sign out")));
}

const isAt = (path, to) => (to === "/" ? path === "/" : path?.startsWith(to));
const modeNote = (mode) => mode === "sandbox" ? "Simulated providers: nothing is paid." : "Real providers: runs cost money.";

// The page begins anew: what was typed and seen under this key is not for whoever signs in next.
function signOut() {
  key.forget();
  history.replaceState(null, "", "#/");
  location.reload();
}

onRefused((failure) => { key.forget(); drawSignIn(failure); });
window.addEventListener("hashchange", show);
// The address names a page, so the jump past the bar must not change it.
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
show();
