// The dashboard: one page, drawn from what the scheduler streams. No library, no build.
import { dim, draw } from "./draw.js";
import { follow } from "./link.js";
import { afterDeeds, tellPeople } from "./deeds.js";
import { activityPage, farmPage, lately } from "./farm.js";
import { jobsPage } from "./jobs.js";
import { jobPage } from "./job.js";
import { workerPage, workersPage } from "./workers.js";
import { libraryPage } from "./library.js";
import { setupPage } from "./setup.js";

const main = document.getElementById("main");
const PAGES = { farm: farmPage, jobs: jobsPage, job: jobPage, workers: workersPage, worker: workerPage, library: libraryPage, setup: setupPage, activity: activityPage };
const known = { me: null, farm: null, samples: [], activity: null };
let page = null;

// How fast jobs go, in frames a millisecond, since this page first saw them.
const paces = new Map();
function pace(job) {
  const first = paces.get(job.id);
  if (!first || job.frames_done < first.done) { paces.set(job.id, { at: performance.now(), done: job.frames_done }); return 0; }
  const passed = performance.now() - first.at;
  return passed < 3000 ? 0 : (job.frames_done - first.done) / passed;
}

function show() {
  if (!known.farm) return draw(main, [dim("Looking at the farm.")]);
  draw(main, PAGES[page.name].view({ ...known, page, pace, change: show, again }));
}

// What the page itself has to ask, asked anew; answers that come late are another page's.
async function again() {
  const mine = page;
  show();
  try {
    if (PAGES[mine.name].heard) await PAGES[mine.name].heard(mine);
    if (mine.name === "farm" || mine.name === "activity") known.activity = await lately();
  } catch (error) { tellPeople(error.message, true); }
  if (page === mine) show();
}

function route() {
  const [place, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id] = place.split("/");
  const one = { jobs: "job", workers: "worker" }[name];
  const found = id && one ? one : name || "farm";
  page = { name: PAGES[found] ? found : "farm", id: id ? id.replace(/^[jw]/, "") : null, query: new URLSearchParams(query || "") };
  for (const a of document.querySelectorAll("nav a")) {
    const here = a.dataset.page === page.name || a.dataset.page === page.name + "s";
    if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
  document.title = "platefarm: " + (page.name === "job" ? "j" + page.id : page.name === "worker" ? "w" + page.id : page.name);
  if (PAGES[page.name].open) PAGES[page.name].open(page, { change: show });
  if (known.farm) again(); else show();
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

// `/` goes to the search, as people who type expect; `g` and a letter to a page.
let going = 0;
const GO = { f: "#/", j: "#/jobs", w: "#/workers", l: "#/library", s: "#/setup", a: "#/activity" };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
  if (event.key === "/") {
    const search = document.querySelector("#find");
    if (search) { event.preventDefault(); search.focus(); } else { location.hash = "#/jobs"; event.preventDefault(); }
  } else if (event.key === "g") going = event.timeStamp;
  else if (GO[event.key] && event.timeStamp - going < 1500) { location.hash = GO[event.key]; going = 0; }
});

// The address says which page this is, so this link must not change it.
document.getElementById("skip").onclick = (event) => { event.preventDefault(); main.focus(); };
addEventListener("hashchange", route);
afterDeeds(() => again());
route();
follow((name, data) => {
  known[name] = data;
  if (name === "farm") again(); else show();
});
