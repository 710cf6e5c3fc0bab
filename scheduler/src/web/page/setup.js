// Who gets what: what shows may have and what holds for their pulls, pools of workers, counted resources, what people
// said of nodes, and what more workers would be given.
import { clock, count, dim, h, number, table } from "./draw.js";
import { ask } from "./link.js";
import { limitDeeds, mayChange, newDeed, poolDeeds, pullsDeeds, showDeeds } from "./deeds.js";

const none = (value) => value == null ? "–" : number(value);
const tags = (labels) => labels.length === 0 ? "–" : h("span", {}, labels.map((l) => h("span", { class: "tag", key: l }, l)));

// A part of the page: what there is, and a button for what there is not yet.
function part(me, room, title, says, columns, rows, cells, deeds, key, another = newDeed(me, room)) {
  const may = mayChange(me, room);
  return h("section", { key: title }, h("div", { class: "row" }, h("h2", {}, title + " ", h("span", { class: "dim" }, says)), another),
    rows.length === 0 ? dim("None.") : table(title, columns.concat(may ? [[""]] : []), rows, (row) => cells(row).concat(may ? [deeds(me, row) || "–"] : []), key));
}

const shows = (me, shares) => part(me, "shows", "Shows", "their parts of the farm",
  [["Show"], ["Weight", "number"], ["Guarantee", "number"], ["Ceiling", "number"], ["Up to"], ["Workers kept", "number"], ["Tasks held", "number"], ["Frames waiting", "number"]], shares,
  (s) => [h("a", { href: "#/jobs?show=" + encodeURIComponent(s.show) }, s.show || "no show"), number(s.share.weight), number(s.share.guarantee), none(s.share.ceiling), s.share.highest_class,
    number((s.share.warm_cpu || 0) + (s.share.warm_gpu || 0)), number(s.tasks), number(s.frames_waiting)], (me, s) => s.show && showDeeds(me, s), (s) => s.show);

const file = (path) => path ? h("span", { class: "path" }, path) : "–";
// What holds for the pulls of shows; it is looked for now and then, and after it was changed.
function pulls(me, page) {
  if (page.lost) return h("section", { key: "pulls" }, h("h2", {}, "Pulls"), h("p", { class: "bad" }, page.lost.message));
  if (!page.pulls) return null;
  const then = () => { page.looked = 0; };
  return part(me, "shows", "Pulls", "what holds for those of a show", [["Show"], ["Rate"], ["Delivery spec"], ["FDL"], ["AMF"], ["Choices kept", "number"]], page.pulls,
    (s) => [s.show, s.defaults.rate || "–", file(s.defaults.spec), file(s.defaults.fdl), file(s.defaults.amf), number(s.choices)],
    (me, s) => pullsDeeds(me, s, then), (s) => s.show, newDeed(me, "shows", "defaults", then));
}

// One is under way at a time; what was asked before a change counts no longer.
const LOOK = 10e3;
async function lookAtPulls(page) {
  if (Date.now() - page.looked < LOOK) return;
  const mine = page.look = {};
  page.looked = Infinity;
  let pulls = page.pulls, lost = null;
  try { pulls = (await ask("/api/shows")).shows; } catch (error) { lost = error; }
  if (page.look !== mine) return;
  Object.assign(page, { pulls, lost, looked: Date.now() });
  page.change();
}

const pools = (me, list) => part(me, "pools", "Pools", "sets of workers", [["Pool"], ["Labels"], ["Workers", "number"], ["Kept", "number"]], list,
  (p) => [p.name, tags(p.labels), number(p.workers), number(p.reserve)], poolDeeds, (p) => p.name);

const limits = (me, list) => part(me, "limits", "Limits", "counted resources: licences, bandwidth", [["Limit"], ["There are", "number"], ["Taken", "number"]], list,
  (l) => [l.name, none(l.count), number(l.used)], limitDeeds, (l) => l.name);

const nodes = (list) => list.length > 0 && h("section", { key: "nodes" }, h("h2", {}, "Nodes ", h("span", { class: "dim" }, "that are drained, quarantined or labelled")),
  table("Nodes", [["Node"], ["Is"], ["Labels given"], ["Labels taken"]], list, (n) => [n.name,
    n.quarantine ? h("span", { class: "bad", title: "since " + clock(n.quarantine.since) }, "quarantined: " + n.quarantine.reason) : n.draining ? "draining" + (n.drain_reason ? ": " + n.drain_reason : "") : "open",
    tags(n.labels), tags(n.without)], (n) => n.name));

// What so many more workers would be given now, by the scheduler's own judgement.
function whatIf(page, change) {
  const look = async (event) => {
    event.preventDefault();
    const said = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value));
    try { page.would = { answer: await ask("/api/whatif?" + said) }; } catch (error) { page.would = { error }; }
    change();
  };
  const would = page.would, input = (name, title, more) => h("label", {}, title, h("input", { name, ...more }));
  return h("section", { key: "whatif" }, h("h2", {}, "If there were more workers"),
    h("form", { class: "search", id: "whatif", onsubmit: look }, input("workers", "Workers", { type: "number", min: 1, value: 1, required: true }),
      h("label", {}, "With", h("select", { name: "class" }, ["cpu", "gpu"].map((o) => h("option", { key: o, value: o }, o)))),
      input("slots", "Slots each", { type: "number", min: 1, value: 1 }), input("labels", "Labels"), input("pools", "Pools"), h("button", {}, "Ask")),
    would && h("div", { class: "card", role: "status" }, would.error ? h("p", { class: "bad" }, would.error.message + " " + (would.error.remedy || ""))
      : [h("p", {}, count(would.answer.busy_workers, "worker") + " would get " + count(would.answer.tasks, "task") + "; " + count(would.answer.frames_left, "frame") + " would still wait."),
        would.answer.by_job.length > 0 && h("ul", {}, would.answer.by_job.slice(0, 20).map((t) => h("li", { key: t.job },
          h("a", { href: "#/jobs/" + t.job }, "j" + t.job + " " + t.name), ": " + count(t.tasks, "task") + ", " + count(t.frames, "frame"))))]));
}

export const setupPage = {
  open(page, { change }) { page.change = change; },
  // The library may be slow, and is not waited for.
  async heard(page) {
    lookAtPulls(page);
    // Who is for some shows is not let see it, and is told once.
    if (page.error && page.error.status === 403) return;
    try { page.found = await ask("/api/settings"); page.error = null; } catch (error) { page.error = error; }
  },
  view({ page, me, change }) {
    const head = h("h1", {}, "Setup");
    if (page.error) return [head, h("p", { class: "bad", role: "alert" }, page.error.message, page.error.remedy && h("span", { class: "dim" }, " " + page.error.remedy)), pulls(me, page)];
    if (!page.found) return [head, dim("Looking.")];
    const set = page.found;
    return [head, shows(me, set.shares), pulls(me, page), pools(me, set.pools), limits(me, set.limits), nodes(set.nodes), whatIf(page, change)];
  },
};
