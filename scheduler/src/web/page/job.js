// A job: what becomes of it, why it waits, what went wrong, its plates, and its frames as cells of a grid.
import { bar, clock, count, dim, fault, h, jobState, level, number, once, pager, progress, settled, size, span, state, table, tiles } from "./draw.js";
import { ask, askBlob, askText } from "./link.js";
import { framesDeed, jobDeeds, stepDeeds } from "./deeds.js";

const MOST = 20, CELLS = 600, LINES = 100;

// Ranges as `FrameSet` writes them: "1001-1024,1030".
const ranges = (text) => !text ? [] : text.split(",").map((part) => {
  const [, first, last] = /^(-?\d+)(?:-(-?\d+))?$/.exec(part.trim()) || [];
  return [Number(first), Number(last === undefined ? first : last)];
});
const length = (list) => list.reduce((sum, [first, last]) => sum + last - first + 1, 0);

// The frames of a step as at most so many cells. A cell of several frames is done only when all of them are.
export function cells(step) {
  const [[first, last]] = ranges(step.frames);
  const all = last - first + 1, many = Math.min(all, CELLS);
  const kinds = { failed: ranges(step.failed), leased: ranges(step.leased), done: ranges(step.done) };
  const at = { failed: 0, leased: 0, done: 0 };
  return Array.from({ length: many }, (_, i) => {
    const from = first + Math.ceil(i * all / many), to = first + Math.ceil((i + 1) * all / many) - 1;
    let kind = "waiting";
    for (const name of ["failed", "leased", "done"]) {
      const list = kinds[name];
      while (at[name] < list.length && list[at[name]][1] < from) at[name]++;
      const range = list[at[name]];
      if (!range || range[0] > to) continue;
      kind = name !== "done" || (range[0] <= from && range[1] >= to) ? name : "leased";
      break;
    }
    return { from, to, kind };
  });
}

const word = (kind) => kind === "leased" ? "running" : kind;
const said = (cell) => (cell.from === cell.to ? "frame " + cell.from : "frames " + cell.from + "-" + cell.to) + ": " + word(cell.kind);
// How far above what is usual: 0 to 5.
const heat = (ms, median) => ms == null ? null : Math.max(0, Math.min(5, Math.round(1 + 2 * Math.log2(ms / Math.max(1e-9, median)))));

function grid(step, view, page, change) {
  const list = cells(step), times = page.coloured === "time" && view.times;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 10, ArrowUp: -10, Home: -1e9, End: 1e9 };
  const to = (i) => { view.at = Math.max(0, Math.min(list.length - 1, i)); tellFrames(page, step, view, list[view.at], change); change(); };
  const at = view.at == null ? null : list[Math.min(view.at, list.length - 1)];
  return h("div", {
    class: "grid" + (times ? " times" : ""), role: "slider", tabindex: "0", "aria-label": "Frames of " + step.name,
    "aria-valuemin": 0, "aria-valuemax": list.length - 1, "aria-valuenow": view.at || 0, "aria-valuetext": at ? said(at) : count(list.length, "cell"),
    onkeydown: (e) => { if (e.key in steps) { e.preventDefault(); to((view.at == null ? -1 : view.at) + steps[e.key]); } },
    onclick: (e) => { const i = [...e.currentTarget.childNodes].indexOf(e.target); if (i >= 0) to(i); },
  }, list.map((cell, i) => {
    const warm = times && cell.kind === "done" ? heat(view.times.cells[i], view.times.median_ms) : null;
    return h("i", { class: cell.kind + (warm == null ? "" : " t" + warm) + (i === view.at ? " at" : ""), title: said(cell) + (warm == null ? "" : ", " + span(view.times.cells[i])) });
  }));
}

const path = (page, step) => "/api/jobs/" + page.id + "/steps/" + step.id.index;

// The frames beneath a cell in full; a moment later, since who walks with the arrow keys passes many.
function tellFrames(page, step, view, cell, change) {
  clearTimeout(view.soon);
  view.soon = setTimeout(async () => {
    try {
      const told = await ask(path(page, step) + "/frames?first=" + cell.from + "&last=" + cell.to);
      view.told = { cell, frames: told.frames };
    } catch (error) { view.told = { cell, frames: [], error: error.message }; }
    change();
  }, 120);
}

async function lookAtTimes(page, step, view) {
  const ended = step.done;
  if (view.timed === ended) return;
  view.timed = ended;
  view.times = await ask(path(page, step) + "/times?cells=" + CELLS);
}

const worker = (it) => it ? h("a", { href: "#/workers/" + it.id }, "w" + it.id + (it.name ? " " + it.name : "")) : "–";

function frameInFull(f) {
  if (f.fault) return [h("p", {}, "Frame " + f.frame + " failed on ", worker(f.worker)), fault(f.fault, f.remedy)];
  const r = f.done, most = Math.max(1e-9, ...Object.values(r.millis));
  return [h("p", {}, "Frame " + f.frame + ": " + span(f.ms) + " on ", worker(f.worker), ", " + r.backend + (r.bytes ? ", " + size(r.bytes) : "")),
    h("dl", { class: "stages" }, Object.entries(r.millis).map(([name, ms]) => [h("dt", { key: "t" + name }, name),
      h("dd", { key: "d" + name }, h("i", { css: { width: (60 * ms / most) + "%" } }), " " + span(ms))])),
    r.published && h("p", { class: "dim path" }, r.published, r.xxh128 && [h("br"), "xxh128 " + r.xxh128])];
}

const lines = (frames) => table("Frames", [["Frame", "number"], ["Time", "number"], ["Worker"], ["Size", "number"], ["What"]], frames, (f) => [
  String(f.frame), f.done ? span(f.ms) : "–", worker(f.worker), f.done && f.done.bytes ? size(f.done.bytes) : "–",
  f.fault ? h("span", { class: "bad" }, f.fault.code + " " + f.fault.message) : "done"], (f) => f.frame);

function told(step, view, me) {
  if (!view.told) return null;
  const { cell, frames, error } = view.told;
  const failed = frames.filter((f) => f.fault).map((f) => f.frame);
  return h("div", { class: "told", "aria-live": "polite" }, error ? h("p", { class: "bad" }, error)
    : frames.length === 0 ? dim(said(cell) + ". Nothing is told of it yet.") : frames.length === 1 ? frameInFull(frames[0]) : lines(frames),
  framesDeed(me, step, failed, () => { view.told = null; }));
}

function log(step, view, page, change) {
  const [[first, last]] = ranges(step.frames);
  const turn = async (from) => {
    view.log = { from, frames: (await ask(path(page, step) + "/frames?first=" + (first + from) + "&last=" + (first + from + LINES - 1))).frames };
    change();
  };
  return h("details", { ontoggle: (e) => { if (e.currentTarget.open && !view.log) turn(0); } }, h("summary", {}, "Log"),
    view.log && (view.log.frames.length ? lines(view.log.frames) : dim("Nothing has ended among these.")),
    view.log && pager(last - first + 1, view.log.from, LINES, "frame", turn));
}

function times(view) {
  const t = view.times;
  if (!t || t.median_ms == null) return dim("No frame is done yet.");
  return h("div", { class: "times-said" }, h("p", {}, "Usual " + span(t.median_ms) + " a frame; slowest: " + t.slowest.map((s) => s.frame + " (" + span(s.ms) + ")").join(", ")),
    h("p", { class: "dim" }, Object.entries(t.stages).map(([name, ms]) => name + " " + span(ms)).join(", ")),
    t.workers.length > 0 && h("p", { class: "dim" }, t.workers.slice(0, 12).map((w, i) => [i ? ", " : "", worker({ id: w.worker, name: w.name }), " " + count(w.frames, "frame") + " at " + span(w.mean_ms)])));
}

function section(s, page, me, change) {
  const view = page.steps[s.id.index] || (page.steps[s.id.index] = {});
  const { at, told: frames, log: logged, times: timed } = view;
  return once("step" + page.id + "." + s.id.index, [s, at, frames, logged, timed && page.coloured, timed && timed.median_ms, timed && timed.cells, me && me.role, page.causes.length], () => {
    const all = length(ranges(s.frames)), done = length(ranges(s.done)), failed = length(ranges(s.failed));
    return h("section", { key: "s" + s.id.index }, h("h2", {}, s.name, " ", h("span", { class: "dim" }, "j" + s.id.job + "." + s.id.index + ", " + s.kind + ", " + s.frames)),
      h("div", { class: "card" }, h("div", { class: "row" }, h("p", {}, state(s.paused && !settled(s) ? "paused" : s.phase), " ", number(done) + " of " + count(all, "frame") + (failed ? ", " + number(failed) + " failed" : "")
        + (all > CELLS ? "; a cell is about " + Math.round(all / CELLS) + " frames" : "")), stepDeeds(me, s)),
      grid(s, view, page, change), page.coloured === "time" && times(view), told(s, view, me),
      s.first_fault && !page.causes.length && fault(s.first_fault), log(s, view, page, change)));
  });
}

const cause = (c) => h("li", { key: c.fault.code + c.fault.message }, h("div", { class: "fault" },
  h("strong", {}, count(c.frames, "frame") + ": " + c.fault.code), " " + c.fault.message,
  c.again > 0 && h("span", { class: "dim" }, " (" + number(c.again) + " still tried again)"),
  h("div", {}, c.remedy),
  h("div", { class: "dim" }, c.steps.slice(0, 6).map((s, i) => [i ? "; " : "", "j" + s.step.job + "." + s.step.index + " " + s.frames]), c.steps.length > 6 && "; and " + (c.steps.length - 6) + " more steps"),
  h("div", { class: "dim" }, c.workers.length > 0 && ["on ", c.workers.slice(0, 8).map((w, i) => [i ? ", " : "", h("a", { href: "#/workers/" + w }, "w" + w)])]),
  c.fault.place && h("div", { class: "dim path" }, "first: " + c.fault.place)));

// The plates as the package's report shows them: parsed as a document that runs nothing.
async function lookAtPlates(page) {
  const at = "/api/jobs/" + page.id + "/package";
  const there = await ask(at);
  page.noPlates = there.why;
  if (there.files.includes("report.html")) {
    // Its style is its own, and is not let in here.
    const text = (await askText(at + "/report.html")).replace(/<style[\s\S]*?<\/style>/g, "").replace(/ style="[^"]*"/g, "");
    const report = new DOMParser().parseFromString(text, "text/html");
    const plates = [...report.querySelectorAll("article.card")].map((article) => ({
      name: (article.querySelector("h3") || {}).textContent || "",
      pictures: [...article.querySelectorAll(".thumbs img")].filter((img) => img.src.startsWith("data:image/png;base64,"))
        .map((img) => ({ src: img.src, alt: img.alt, framing: img.title, frame: img.alt.split(" ").pop() })),
    }));
    page.plates = plates.filter((plate) => plate.pictures.length > 0);
  }
  if (there.files.includes("contact_sheet.png")) page.sheet = URL.createObjectURL(await askBlob(at + "/contact_sheet.png"));
}

// While there is no package to look at: the last picture that workers showed of each step.
async function lookAtStills(page, job) {
  const kept = page.stills, shown = (job.stills || []).slice(0, page.platesShown || 12);
  page.stillsFound = (job.stills || []).length;
  await Promise.all(shown.map(async (it) => {
    const old = kept.get(it.step);
    if (old && old.frame === it.frame) return;
    // One that was pushed out, or that another scheduler has, keeps nothing from the page.
    const blob = await askBlob("/api/jobs/" + job.id + "/steps/" + it.step + "/still").catch(() => null);
    if (!blob) return;
    const src = URL.createObjectURL(blob);
    if (old) URL.revokeObjectURL(old.src);
    kept.set(it.step, { ...it, src });
  }));
  page.stillsShown = shown.map((it) => kept.get(it.step)).filter(Boolean);
}

function stills(page, again) {
  const more = page.stillsFound > page.stillsShown.length;
  return [h("h2", {}, "Plates ", h("span", { class: "dim" }, "as they come")), h("ul", { class: "plates" }, page.stillsShown.map((it) => h("li", { key: it.step }, h("figure", { class: "card" },
    h("img", { src: it.src, alt: it.name + " frame " + it.frame }), h("figcaption", {}, h("strong", {}, it.name), " ", h("span", { class: "dim" }, "frame " + it.frame)))))),
  more && h("p", {}, h("button", { type: "button", onclick: () => { page.platesShown = page.stillsShown.length + 24; again(); } }, "Show more"))];
}

function plates(page, change) {
  if (!page.plates) return page.noPlates && dim("No pictures of the package: " + page.noPlates);
  const shown = page.plates.slice(0, page.platesShown || 12);
  return [h("ul", { class: "plates" }, shown.map((plate) => {
    const picture = plate.pictures.find((p) => p.framing) || plate.pictures[0];
    return h("li", { key: plate.name }, h("figure", { class: "card" }, h("img", { src: picture.src, alt: picture.alt, loading: "lazy" }),
      h("figcaption", {}, h("strong", {}, plate.name), " ", h("span", { class: "dim" }, "frame " + picture.frame), picture.framing && h("div", { class: "dim" }, picture.framing))));
  })), h("p", {}, page.plates.length > shown.length && h("button", { type: "button", onclick: () => { page.platesShown = shown.length + 24; change(); } }, "Show more"), " ",
    page.sheet && h("a", { href: page.sheet, download: "contact_sheet.png" }, "Contact sheet"))];
}

// How far a package is: of what is done with its files, those that are done.
const making = (m) => h("div", { key: "m" + m.step, class: "card making" }, h("p", {}, h("strong", {}, m.name), " " + m.what
  + (m.total ? ", " + number(m.done) + " of " + number(m.total) : m.done ? ", " + number(m.done) : "")
  + (m.total_bytes ? ", " + size(m.bytes) + " of " + size(m.total_bytes) : "")),
m.total > 0 && bar([["done", m.done], ["waiting", Math.max(0, m.total - m.done)]]));

function why(page) {
  if (!page.explained) return null;
  return h("div", { class: "card", "aria-live": "polite" }, page.explained.groups.slice(0, 12).map((g, i) => h("div", { key: i },
    h("strong", {}, g.steps === 1 ? "j" + g.first.job + "." + g.first.index : count(g.steps, "step")), g.frames_waiting ? ": " + count(g.frames_waiting, "frame") + " waiting" : "",
    h("ul", {}, g.reasons.map((r, k) => h("li", { key: k }, h("strong", {}, r.hold), " " + r.text, r.remedy && h("div", { class: "dim" }, r.remedy)))))));
}

export const jobPage = {
  open(page) { Object.assign(page, { steps: {}, coloured: "state", only: "", skip: 0, causes: [], errors: 0, stills: new Map(), stillsShown: [] }); },
  async heard(page) {
    const asked = page.asked = (page.asked || 0) + 1;
    let found;
    try {
      found = await ask("/api/jobs/" + encodeURIComponent(page.id) + "?" + new URLSearchParams({ only: page.only, skip: page.skip, most: MOST }));
    } catch (error) { page.error = error; return; }
    if (page.asked !== asked) return;
    Object.assign(page, { job: found, error: null });
    const went = found.frames_failed + "/" + found.phase;
    if (page.errors !== went) { page.errors = went; page.causes = (await ask("/api/jobs/" + found.id + "/errors")).causes; }
    if (page.explained) page.explained = await ask("/api/jobs/" + found.id + "/explain");
    if (page.coloured === "time") await Promise.all(found.steps.map((s) => lookAtTimes(page, s, page.steps[s.id.index] || (page.steps[s.id.index] = {}))));
    if (settled(found) && !page.looked) { page.looked = true; await lookAtPlates(page); }
    if (!page.plates) await lookAtStills(page, found);
    // While a package is made no frame ends, so that nothing is heard of it.
    clearTimeout(page.soon);
    if (found.packs) page.soon = setTimeout(() => page.again && page.again(), 1000);
  },
  view({ page, me, pace, change, again }) {
    page.again = again;
    if (page.error) return [h("h1", {}, "j" + page.id), h("p", { class: "bad", role: "alert" }, page.error.message)];
    const j = page.job;
    if (!j) return [dim("Looking.")];
    const speed = pace(j), rest = j.frames_total - j.frames_done - j.frames_failed;
    const phases = Object.entries(j.step_phases);
    const failures = page.causes.reduce((sum, c) => sum + c.frames, 0);
    const colour = (how) => h("button", { type: "button", "aria-pressed": String(page.coloured === how), onclick: () => { page.coloured = how; again(); } }, how);
    return [h("h1", {}, "j" + j.id + " " + j.name), jobDeeds(me, j), progress(j), tiles([
      ["State", jobState(j)], ["Show", j.show || "–"], ["Frames", number(j.frames_done) + " / " + number(j.frames_total)],
      ["Failed", number(j.frames_failed)], ["Priority", level(j)], speed > 0 && rest > 0 && ["Left", "about " + span(rest / speed)],
      j.terms.deadline && ["Wanted by", h("small", {}, clock(j.terms.deadline))], j.terms.start_after && !settled(j) && ["Not before", h("small", {}, clock(j.terms.start_after))],
      j.terms.max_tasks && ["Most tasks", number(j.terms.max_tasks)],
      j.terms.after && !settled(j) && ["Waits for", h("small", {}, j.terms.after.map((it, i) => [i ? ", " : "", h("a", { href: "#/jobs/" + it.on.replace(/^j|\..*/g, "") }, it.on)]))],
    ]), dim("Submitted " + clock(j.submitted) + (j.terms.submitted_by ? " by " + j.terms.submitted_by : "") + (j.finished ? ", ended " + clock(j.finished) + " after " + span((j.finished - j.submitted) / 1000) : "")),
    !settled(j) && h("p", {}, h("button", { type: "button", id: "why", "aria-expanded": String(!!page.explained), onclick: async () => {
      page.explained = page.explained ? null : await ask("/api/jobs/" + j.id + "/explain"); change();
    } }, "Why does it wait?")), why(page),
    page.causes.length > 0 && [h("h2", {}, "Errors ", h("span", { class: "dim" }, count(failures, "frame") + ", " + count(page.causes.length, "cause"))), h("ul", { class: "causes" }, page.causes.slice(0, 20).map(cause))],
    (j.making || []).map(making),
    !page.plates && page.stillsShown.length > 0 && stills(page, again),
    page.looked && (page.plates || page.noPlates) && [page.plates && h("h2", {}, "Plates"), plates(page, change)],
    h("div", { class: "row" }, h("h2", {}, "Steps ", h("span", { class: "dim" }, phases.map(([phase, n]) => number(n) + " " + phase).join(", "))),
      h("p", { class: "deeds", role: "group", "aria-label": "Colour of the cells" }, colour("state"), colour("time"))),
    phases.length > 0 && j.steps_found + phases.length > 2 && h("form", { class: "search", onsubmit: (e) => e.preventDefault() }, h("label", {}, "Which", h("select", { id: "steps", onchange: (e) => { page.only = e.target.value; page.skip = 0; again(); } },
      ["", "open", ...phases.map(([phase]) => phase)].map((o) => h("option", { key: o, value: o, selected: page.only === o }, o || "all"))))),
    h("ul", { class: "legend" }, (page.coloured === "time" ? [["t0", "faster"], ["t1", "usual"], ["t3", "2 times"], ["t5", "4 times and more"], ["waiting", "not done"], ["failed", "failed"]] : ["done", "leased", "waiting", "failed"].map((kind) => [kind, word(kind)]))
      .map(([kind, text]) => h("li", { key: kind }, h("i", { class: kind }), text))),
    j.steps.map((s) => section(s, page, me, change)), pager(j.steps_found, page.skip, MOST, "step", (skip) => { page.skip = skip; again(); })];
  },
};
