// The list of jobs. It is searched where all jobs are, shown a part at a time, and steered as many as are chosen.
import { count, dim, h, number, pager } from "./draw.js";
import { ask } from "./link.js";
import { jobs } from "./farm.js";
import { manyDeeds, mayChange } from "./deeds.js";

const MOST = 100, AT_ONCE = 500;
const WHICH = ["all", "active", "running", "pending", "blocked", "paused", "done", "failed", "cancelled"];

// Every job that fits, not only those of this part of the list.
async function everyone(wanted) {
  const all = new Map();
  for (let skip = 0, found = 1; skip < found; skip += AT_ONCE) {
    const part = await ask("/api/jobs?" + new URLSearchParams({ ...wanted, skip, most: AT_ONCE }));
    found = part.found;
    for (const job of part.jobs) all.set(job.id, job);
  }
  return all;
}

function choice(page, found, change) {
  const chosen = page.chosen, here = found.jobs.filter((j) => chosen.has(j.id)).length;
  const set = (job, on) => { if (on) chosen.set(job.id, job); else chosen.delete(job.id); };
  // The boxes are one stop of the Tab key, and the arrow keys go from one to the next.
  const stop = found.jobs.some((j) => j.id === page.box) ? page.box : found.jobs.length > 0 && found.jobs[0].id;
  const walk = (e) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[e.key], boxes = [...document.querySelectorAll("input.choose")];
    const to = by && boxes[boxes.indexOf(e.target) + by];
    if (by) e.preventDefault();
    if (to) to.focus();
  };
  const several = (e) => { for (const job of found.jobs) set(job, e.target.checked); change(); };
  return {
    all: h("input", { type: "checkbox", id: "choose-all", "aria-label": "Choose all jobs of this part of the list", checked: here > 0 && here === found.jobs.length, onchange: several }),
    one: (j) => h("input", { type: "checkbox", class: "choose", "aria-label": "Choose j" + j.id + " " + j.name, checked: chosen.has(j.id), tabindex: j.id === stop ? "0" : "-1", onkeydown: walk,
      onfocus: () => { if (page.box !== j.id) { page.box = j.id; change(); } }, onchange: (e) => { set(j, e.target.checked); change(); } }),
  };
}

function selection(page, me, found, change) {
  const chosen = page.chosen;
  if (chosen.size === 0) return null;
  // What was chosen is steered as it is now, where that is seen.
  for (const job of found.jobs) if (chosen.has(job.id)) chosen.set(job.id, job);
  const more = found.found > chosen.size && h("button", { key: "all", type: "button", id: "choose-found", onclick: async () => { page.chosen = await everyone(page.wanted); change(); } }, "Choose all " + number(found.found) + " that fit");
  const none = h("button", { key: "none", type: "button", onclick: () => { chosen.clear(); change(); } }, "Choose none");
  return h("section", { key: "chosen", class: "chosen", "aria-label": "What is chosen" },
    h("strong", { role: "status" }, count(chosen.size, "job") + " chosen"), manyDeeds(me, [...chosen.values()], () => chosen.clear()), h("p", { class: "deeds" }, more, none));
}

export const jobsPage = {
  open(page) {
    const said = page.query;
    page.wanted = { find: said.get("find") || "", only: said.get("only") || "all", show: said.get("show") || "", skip: Number(said.get("skip")) || 0 };
    page.chosen = new Map();
  },
  // Of two questions under way the later one counts.
  async heard(page) {
    const asked = page.asked = (page.asked || 0) + 1;
    const found = await ask("/api/jobs?" + new URLSearchParams({ ...page.wanted, most: MOST }));
    if (page.asked === asked) page.found = found;
  },
  view({ me, farm, page, change, again }) {
    const wanted = page.wanted, found = page.found, may = mayChange(me, "jobs");
    const want = (what) => {
      // Other questions, other answers: nothing is steered that is not seen to be meant.
      if (!("skip" in what)) page.chosen.clear();
      Object.assign(wanted, { skip: 0 }, what);
      const said = Object.entries(wanted).filter(([, v]) => v && v !== "all");
      history.replaceState(null, "", "#/jobs" + (said.length ? "?" + new URLSearchParams(said) : ""));
      again();
    };
    return [h("h1", {}, "Jobs"),
      h("form", { class: "search", role: "search", onsubmit: (e) => e.preventDefault() },
        h("label", {}, "Find", h("input", { id: "find", type: "search", value: wanted.find, placeholder: "name, show, who or id", oninput: (e) => want({ find: e.target.value }) })),
        h("label", {}, "Which", h("select", { id: "only", onchange: (e) => want({ only: e.target.value }) },
          WHICH.map((o) => h("option", { value: o, selected: wanted.only === o }, o)))),
        h("label", {}, "Show", h("select", { id: "show", onchange: (e) => want({ show: e.target.value }) },
          h("option", { value: "", selected: !wanted.show }, "all"),
          [...new Set(farm.shows.map((s) => s.show).concat(wanted.show).filter(Boolean))].sort().map((s) => h("option", { key: s, value: s, selected: wanted.show === s }, s)))),
        found && h("span", { class: "dim", role: "status" }, number(found.found) + " of " + number(found.all) + " jobs")),
      found && may && selection(page, me, found, change),
      // By its key it stays the same, with what has the focus, when the line of what is chosen comes or goes above it.
      h("div", { key: "list" }, found ? jobs("Jobs", found.jobs, may && choice(page, found, change)) : dim("Looking.")),
      found && pager(found.found, wanted.skip, MOST, "job", (skip) => { want({ skip }); scrollTo(0, 0); })];
  },
};
