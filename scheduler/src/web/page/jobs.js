// The list of jobs. It is searched where all jobs are, and shown a part at a time.
import { dim, h, number, pager } from "./draw.js";
import { ask } from "./link.js";
import { jobs } from "./farm.js";

const MOST = 100;
const WHICH = ["all", "active", "running", "pending", "blocked", "paused", "done", "failed", "cancelled"];

export const jobsPage = {
  open(page) {
    const said = page.query;
    page.wanted = { find: said.get("find") || "", only: said.get("only") || "all", show: said.get("show") || "", skip: Number(said.get("skip")) || 0 };
  },
  // Of two questions under way the later one counts.
  async heard(page) {
    const asked = page.asked = (page.asked || 0) + 1;
    const found = await ask("/api/jobs?" + new URLSearchParams({ ...page.wanted, most: MOST }));
    if (page.asked === asked) page.found = found;
  },
  view({ farm, page, again }) {
    const wanted = page.wanted, found = page.found;
    const want = (what) => {
      Object.assign(wanted, { skip: 0 }, what);
      const said = Object.entries(wanted).filter(([, v]) => v && v !== "all");
      history.replaceState(null, "", "#/jobs" + (said.length ? "?" + new URLSearchParams(said) : ""));
      again();
    };
    return [h("h1", {}, "Jobs"),
      h("form", { class: "search", role: "search", onsubmit: (e) => e.preventDefault() },
        h("label", {}, "Find", h("input", { id: "find", type: "search", value: wanted.find, placeholder: "name, show or id", oninput: (e) => want({ find: e.target.value }) })),
        h("label", {}, "Which", h("select", { id: "only", onchange: (e) => want({ only: e.target.value }) },
          WHICH.map((o) => h("option", { value: o, selected: wanted.only === o }, o)))),
        h("label", {}, "Show", h("select", { id: "show", onchange: (e) => want({ show: e.target.value }) },
          h("option", { value: "", selected: !wanted.show }, "all"),
          [...new Set(farm.shows.map((s) => s.show).concat(wanted.show).filter(Boolean))].sort().map((s) => h("option", { key: s, value: s, selected: wanted.show === s }, s)))),
        found && h("span", { class: "dim", role: "status" }, number(found.found) + " of " + number(found.all) + " jobs")),
      found ? jobs("Jobs", found.jobs) : dim("Looking."),
      found && pager(found.found, wanted.skip, MOST, "job", (skip) => { want({ skip }); scrollTo(0, 0); })];
  },
};
