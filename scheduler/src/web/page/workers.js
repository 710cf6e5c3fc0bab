// Workers: what they have in hand, what they had for the last hour, and what is said against them.
import { ago, clock, dim, h, number, state, table, tiles } from "./draw.js";
import { ask } from "./link.js";
import { workerDeeds } from "./deeds.js";

const task = (l, i) => [i ? ", " : "", h("a", { href: "#/jobs/" + l.step.job }, "j" + l.step.job + "." + l.step.index), " " + l.frames];
// What it holds beyond its slots is held ahead, and not at work.
const atWork = (w) => Math.min(w.leases.length, w.slots);
// A square for each slot, those at work filled.
const slots = (w) => w.slots <= 64 ? h("span", { class: "slots", role: "img", "aria-label": atWork(w) + " of " + w.slots + " slots at work" },
  Array.from({ length: w.slots }, (_, i) => h("i", { class: i < atWork(w) ? "leased" : "waiting" }))) : atWork(w) + " of " + w.slots;

export const workersPage = {
  open(page) { page.find = ""; },
  view({ farm, page, change }) {
    const find = page.find.trim().toLowerCase();
    const rows = farm.workers.filter((w) => ("w" + w.id + " " + w.name + " " + w.state + " " + w.backend + " " + w.labels.join(" ") + " " + w.pools.join(" ")).toLowerCase().includes(find));
    const columns = [["Worker"], ["State"], ["Slots"], ["With"], ["Frames done", "number"], ["At work on"]];
    return [h("h1", {}, "Workers"),
      h("form", { class: "search", role: "search", onsubmit: (e) => e.preventDefault() },
        h("label", {}, "Find", h("input", { id: "find", type: "search", placeholder: "name, state, label or pool", oninput: (e) => { page.find = e.target.value; change(); } })),
        h("span", { class: "dim", role: "status" }, number(rows.length) + " of " + number(farm.workers.length) + " workers")),
      rows.length === 0 ? dim("No workers.") : table("Workers", columns, rows.slice(0, 300), (w) => [
        h("a", { href: "#/workers/" + w.id }, "w" + w.id + " " + w.name), state(w.state), slots(w), w.backend, number(w.frames_done),
        w.leases.length ? h("span", {}, w.leases.map(task)) : "–"], (w) => w.id)];
  },
};

function history(samples, slots) {
  if (samples.length < 2) return dim("Its history begins when there are two samples, half a minute apart.");
  const most = Math.max(slots, ...samples.map((s) => s.leases), 1);
  const first = samples[0].at_us, all = samples[samples.length - 1].at_us - first;
  const x = (s) => (1000 * (s.at_us - first) / all).toFixed(1), y = (v) => (100 - 96 * v / most).toFixed(1);
  const line = samples.map((s, i) => (i ? "H" + x(s) + "V" : "M" + x(s) + " ") + y(s.leases)).join("");
  const frames = samples[samples.length - 1].frames - samples[0].frames;
  const minutes = Math.max(1, Math.round(all / 6e7));
  return h("figure", { class: "card" }, h("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", class: "plot", role: "img", "aria-label": "Slots at work, at most " + most },
    h("path", { class: "layer c0", d: line + "V100H0Z" })),
  h("figcaption", { class: "dim" }, "Slots at work for " + minutes + " min, of " + most + "; " + number(Math.max(0, frames)) + " frames done meanwhile."));
}

export const workerPage = {
  async heard(page) {
    try { page.found = await ask("/api/workers/" + encodeURIComponent(page.id)); page.error = null; } catch (error) { page.error = error; }
  },
  view({ page, me }) {
    if (page.error) return [h("h1", {}, "w" + page.id), h("p", { class: "bad", role: "alert" }, page.error.message + ". It may have left.")];
    if (!page.found) return [dim("Looking.")];
    const w = page.found.worker;
    return [h("h1", {}, "w" + w.id + " " + w.name), workerDeeds(me, w), tiles([
      ["State", state(w.state)], ["Slots", slots(w)], ["With", w.backend], ["Frames done", number(w.frames_done)],
      w.memory_mib > 0 && ["Memory a slot", number(w.memory_mib) + " MiB"], ["Heard", h("span", { title: clock(w.last_seen) }, ago(w.last_seen))],
    ]),
    w.quarantine && h("div", { class: "fault" }, h("strong", {}, "Quarantined: "), w.quarantine.reason, h("div", { class: "dim" }, "since " + clock(w.quarantine.since) + (w.quarantine.strikes ? ", " + w.quarantine.strikes + " in a row" : ""))),
    w.drain_reason && h("p", {}, h("strong", {}, "Draining: "), w.drain_reason),
    h("h2", {}, "At work on"), w.leases.length === 0 ? dim("Nothing.") : table("Tasks", [["Step"], ["Frames"], ["Lease"]], w.leases,
      (l) => [h("a", { href: "#/jobs/" + l.step.job }, "j" + l.step.job + "." + l.step.index), l.frames, "t" + l.token], (l) => l.token),
    h("h2", {}, "The last hour"), history(page.found.history, w.slots),
    h("h2", {}, "Labels and pools"), h("p", {}, w.labels.concat(w.pools.map((p) => "pool " + p)).map((l) => h("span", { class: "tag", key: l }, l)))];
  },
};
