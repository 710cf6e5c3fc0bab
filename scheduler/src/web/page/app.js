// The dashboard: one page, drawn from what the scheduler streams. No library, no build.
"use strict";
const main = document.getElementById("main");
const link = document.getElementById("link");
const enter = document.getElementById("enter");
let token = sessionStorage.getItem("platefarm-token") || "";
let farm = null;       // the last overview
let job = null;        // the job that is looked at
let page = null;       // what is drawn
let generation = 0;    // of the stream; an old one that still speaks is not listened to

// Text goes in as text: nothing that a job is called can become markup.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === false || value == null) continue;
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

async function ask(path, options) {
  const headers = token ? { authorization: "Bearer " + token } : {};
  const response = await fetch(path, { headers, ...options });
  if (response.status === 401 || response.status === 403) {
    const text = await response.text();
    const error = new Error(text.split("\n")[0]);
    error.unknown = true;
    throw error;
  }
  if (!response.ok) throw new Error((await response.text()).split("\n")[0]);
  return response;
}

function whoAreYou(message) {
  document.getElementById("enter-error").textContent = token ? message : "";
  if (!enter.open) enter.showModal();
}
enter.addEventListener("cancel", (event) => event.preventDefault());
enter.addEventListener("close", () => {
  token = document.getElementById("token").value.trim();
  sessionStorage.setItem("platefarm-token", token);
  document.getElementById("token").value = "";
  follow();
});

// The stream of overviews. One that breaks is begun again, with patience.
async function follow() {
  const mine = ++generation;
  for (let wait = 500; mine === generation; wait = Math.min(wait * 2, 10000)) {
    try {
      const response = await ask("/api/stream");
      link.textContent = "live";
      wait = 500;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done || mine !== generation) break;
        text += value;
        for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
          const line = text.slice(0, end).split("\n").find((l) => l.startsWith("data:"));
          if (line) heard(JSON.parse(line.slice(5)));
        }
      }
    } catch (error) {
      if (error.unknown) { link.textContent = "not entered"; return whoAreYou(error.message); }
    }
    if (mine === generation) link.textContent = "the scheduler does not answer; trying again";
    await new Promise((then) => setTimeout(then, wait));
  }
}

async function heard(overview) {
  farm = overview;
  if (page.job) await lookAt(page.job);
  if (page.name === "jobs") findJobs();
  draw();
}

async function lookAt(id) {
  try { job = await (await ask("/api/jobs/" + encodeURIComponent(id))).json(); }
  catch (error) { job = { error: error.message }; }
}

// Lists are searched where all jobs are; of two questions under way the later one counts.
async function findJobs() {
  const mine = page;
  const asked = mine.asked = (mine.asked || 0) + 1;
  const query = new URLSearchParams({ find: mine.find, only: mine.only, most: mine.most });
  try {
    const found = await (await ask("/api/jobs?" + query)).json();
    if (page === mine && mine.asked === asked) { mine.found = found; draw(); }
  } catch (error) { link.textContent = error.message; }
}

const number = new Intl.NumberFormat("en");
const clock = (us) => us ? new Date(us / 1000).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" }) : "";
const state = (word) => el("span", { class: "state " + word }, word);

function bar(parts) {
  const total = Math.max(1, parts.reduce((sum, [, count]) => sum + count, 0));
  const said = parts.filter(([, c]) => c).map(([n, c]) => number.format(c) + " " + n).join(", ") || "no frames";
  const node = el("span", { class: "bar", role: "img", "aria-label": said, title: said });
  for (const [name, count] of parts) {
    const piece = el("i", { class: name });
    piece.style.width = (100 * count / total) + "%";
    node.append(piece);
  }
  return node;
}
const progress = (j) => bar([["done", j.frames_done], ["failed", j.frames_failed], ["waiting", Math.max(0, j.frames_total - j.frames_done - j.frames_failed)]]);

function table(caption, columns, rows, cells) {
  const head = columns.map(([title, kind]) => el("th", { scope: "col", class: kind }, title));
  const body = rows.map((row) => el("tr", {}, cells(row).map((cell, i) =>
    el("td", { class: columns[i][1], "data-label": columns[i][0] }, cell))));
  return el("table", { "aria-label": caption }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body));
}

function tiles(pairs) {
  return el("dl", { class: "tiles" }, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

const JOBS = [["Job"], ["State"], ["Show"], ["Progress"], ["Frames", "number"], ["Priority", "number"]];
const jobs = (caption, rows) => rows.length === 0 ? el("p", { class: "dim" }, "No jobs.") : table(caption, JOBS, rows, (j) => [
  el("a", { href: "#/jobs/" + j.id }, "j" + j.id + " " + j.name), state(j.phase), j.show, progress(j),
  number.format(j.frames_done) + " / " + number.format(j.frames_total), String(j.priority),
]);

function plot(samples) {
  if (samples.length < 2) return el("p", { class: "dim" }, "The plot begins when there are two samples.");
  const most = Math.max(1, ...samples.map((s) => Math.max(s.slots, s.leases)));
  const x = (i) => (1000 * i / (samples.length - 1)).toFixed(1);
  const y = (v) => (100 - 96 * v / most).toFixed(1);
  const path = (key) => samples.map((s, i) => (i ? "L" : "M") + x(i) + " " + y(s[key])).join("");
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "plot");
  svg.setAttribute("role", "img");
  const last = samples[samples.length - 1];
  svg.setAttribute("aria-label", last.leases + " of " + last.slots + " slots at work; at most " + most);
  for (const [name, d] of [["busy", path("leases") + "L1000 100L0 100Z"], ["have", path("slots")]]) {
    const line = document.createElementNS(NS, "path");
    line.setAttribute("class", name);
    line.setAttribute("d", d);
    svg.append(line);
  }
  const minutes = Math.round((last.at_us - samples[0].at_us) / 6e7);
  return el("figure", { class: "card" }, svg, el("figcaption", { class: "dim" },
    "Slots there are (dashed) and at work, last " + Math.max(1, minutes) + " min; at most " + most + "."));
}

function rate(samples) {
  const last = samples[samples.length - 1], first = samples.find((s) => last && last.at_us - s.at_us <= 6.5e7);
  if (!last || !first || last === first) return "–";
  const perMinute = Math.max(0, last.accepted - first.accepted) / ((last.at_us - first.at_us) / 6e7);
  return number.format(Math.round(perMinute));
}

const PAGES = {
  farm() {
    const alive = farm.workers.filter((w) => w.state === "alive");
    const slots = alive.reduce((sum, w) => sum + w.slots, 0), busy = farm.workers.reduce((sum, w) => sum + w.leases.length, 0);
    return [el("h1", {}, "Farm"), tiles([
      ["Jobs at work", number.format(farm.counts.running)], ["Jobs waiting", number.format(farm.counts.waiting)],
      ["Frames waiting", number.format(farm.counts.frames_waiting)], ["Frames a minute", rate(farm.samples)],
      ["Workers", number.format(alive.length)], ["Slots at work", busy + " / " + slots],
    ]), el("h2", {}, "Capacity"), plot(farm.samples), el("h2", {}, "At work"),
    jobs("Jobs at work", farm.jobs.filter((j) => !settled(j)).slice(0, 20)),
    el("h2", {}, "Lately"), feed(8)];
  },
  jobs() {
    const found = page.found || { all: farm.counts.jobs, found: 0, jobs: [] };
    const search = el("form", { class: "search", role: "search", onsubmit: (e) => e.preventDefault() },
      el("label", {}, "Find", el("input", { id: "find", type: "search", value: page.find, placeholder: "name, show or id", oninput: (e) => { page.find = e.target.value; findJobs(); } })),
      el("label", {}, "Which", el("select", { id: "only", onchange: (e) => { page.only = e.target.value; findJobs(); } },
        ["all", "active", "failed"].map((o) => el("option", { value: o, selected: page.only === o }, o)))),
      el("span", { class: "dim", role: "status" }, number.format(found.found) + " of " + number.format(found.all) + " jobs"));
    const more = found.found > found.jobs.length && el("p", {}, el("button", { id: "more", onclick: () => { page.most += 200; findJobs(); } }, "Show more"));
    return [el("h1", {}, "Jobs"), search, page.found ? jobs("Jobs", found.jobs) : el("p", { class: "dim" }, "Looking."), more];
  },
  job() {
    if (!job) return [el("p", { class: "dim" }, "Looking.")];
    if (job.error) return [el("h1", {}, "j" + page.job), el("p", { class: "bad", role: "alert" }, job.error)];
    return [el("h1", {}, "j" + job.id + " " + job.name), tiles([
      ["State", state(job.phase)], ["Show", job.show], ["Frames", number.format(job.frames_done) + " / " + number.format(job.frames_total)],
      ["Failed", number.format(job.frames_failed)], ["Priority", String(job.priority)],
    ]), el("p", { class: "dim" }, "Submitted " + clock(job.submitted) + (job.finished ? ", ended " + clock(job.finished) : "")),
    el("ul", { class: "legend" }, ["done", "leased", "waiting", "failed"].map((n) => el("li", {}, el("i", { class: n }), n))),
    job.steps.map(step)];
  },
  workers() {
    const columns = [["Worker"], ["State"], ["Slots", "number"], ["With"], ["Frames done", "number"], ["At work on"]];
    return [el("h1", {}, "Workers"), farm.workers.length === 0 ? el("p", { class: "dim" }, "No workers.") :
      table("Workers", columns, farm.workers, (w) => ["w" + w.id + " " + w.name, state(w.state), String(w.slots), w.backend, number.format(w.frames_done),
        w.leases.length ? el("span", {}, w.leases.flatMap((l, i) => [i ? ", " : "", el("a", { href: "#/jobs/" + l.step.job }, "j" + l.step.job + "." + l.step.index), " " + l.frames])) : "–"])];
  },
  activity() { return [el("h1", {}, "Activity"), feed(100)]; },
};

const settled = (j) => ["done", "failed", "cancelled"].includes(j.phase);

// What happened to jobs, newest first: what people ask who only want to know whether it is done.
function feed(most) {
  const events = farm.jobs.flatMap((j) => [[j.submitted, "was submitted", j], j.finished ? [j.finished, j.phase === "done" ? "is done" : "ended: " + j.phase, j] : null]).filter(Boolean);
  events.sort((a, b) => b[0] - a[0]);
  if (events.length === 0) return el("p", { class: "dim" }, "Nothing yet.");
  return el("ol", { class: "feed" }, events.slice(0, most).map(([at, what, j]) => el("li", {},
    el("time", { datetime: new Date(at / 1000).toISOString() }, clock(at)), el("a", { href: "#/jobs/" + j.id }, j.show + " / " + j.name), el("span", {}, what))));
}

// Ranges as `FrameSet` writes them: "1001-1024,1030".
const ranges = (text) => !text ? [] : text.split(",").map((part) => {
  const [, first, last] = /^(-?\d+)(?:-(-?\d+))?$/.exec(part.trim()) || [];
  return [Number(first), Number(last === undefined ? first : last)];
});

function step(s) {
  const [[first, last]] = ranges(s.frames);
  const count = last - first + 1, cells = Math.min(count, 600), per = count / cells;
  const kinds = { done: ranges(s.done), leased: ranges(s.leased), failed: ranges(s.failed) };
  const sum = (name) => kinds[name].reduce((n, [a, b]) => n + b - a + 1, 0);
  const at = { done: 0, leased: 0, failed: 0 };
  const grid = el("div", { class: "grid", role: "img", "aria-label": s.name + ": " + sum("done") + " of " + count + " frames done, " + sum("failed") + " failed" });
  for (let i = 0; i < cells; i++) {
    const from = first + Math.floor(i * per), to = first + Math.max(Math.floor((i + 1) * per) - 1, Math.floor(i * per));
    let kind = "waiting", whole = 0;
    for (const name of ["failed", "leased", "done"]) {
      const list = kinds[name];
      while (at[name] < list.length && list[at[name]][1] < from) at[name]++;
      const range = list[at[name]];
      if (range && range[0] <= to) {
        // A cell of many frames is done only when all of them are.
        if (name === "done") whole = Math.min(to, range[1]) - Math.max(from, range[0]) + 1;
        if (name !== "done" || whole === to - from + 1) { kind = name; break; }
        kind = "leased";
      }
    }
    grid.append(el("i", { class: kind, title: (from === to ? "frame " + from : "frames " + from + "-" + to) + ": " + kind }));
  }
  return el("section", {}, el("h2", {}, s.name, " ", el("span", { class: "dim" }, s.kind + ", " + s.frames)),
    el("div", { class: "card" }, el("p", {}, state(s.phase), " ", number.format(sum("done")) + " of " + number.format(count) + " frames" + (per > 1 ? "; a cell is about " + Math.round(per) + " frames" : "")), grid,
      s.first_fault && el("div", { class: "fault" }, el("strong", {}, s.first_fault.code), " " + s.first_fault.message, s.first_fault.place && el("div", { class: "dim" }, s.first_fault.place))));
}

function route() {
  const parts = location.hash.replace(/^#\/?/, "").split("/");
  const name = parts[0] === "jobs" && parts[1] ? "job" : parts[0] || "farm";
  page = { name: PAGES[name] ? name : "farm", job: name === "job" ? parts[1] : null, find: "", only: "all", most: 200 };
  job = null;
  for (const a of document.querySelectorAll("nav a")) {
    const here = a.dataset.page === page.name || (page.name === "job" && a.dataset.page === "jobs");
    if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
  document.title = "platefarm: " + (page.job ? "j" + page.job : page.name);
  if (page.job && farm) lookAt(page.job).then(draw);
  if (page.name === "jobs" && farm) findJobs();
  draw();
  main.focus({ preventScroll: true });
}

// Drawn anew from what is known; who types or stands on something goes on there.
function draw() {
  if (!farm) { main.replaceChildren(el("p", { class: "dim" }, "Looking at the farm.")); return; }
  const focus = document.activeElement;
  const id = focus && focus.id, href = focus && focus.getAttribute && main.contains(focus) ? focus.getAttribute("href") : null;
  const caret = focus && focus.selectionStart;
  main.replaceChildren(...PAGES[page.name]().flat().filter(Boolean));
  const again = (id && id !== "main" && document.getElementById(id)) || (href && [...main.querySelectorAll("a")].find((a) => a.getAttribute("href") === href));
  if (again && main.contains(again)) {
    again.focus({ preventScroll: true });
    if (caret != null && again.setSelectionRange && again.type === "search") again.setSelectionRange(caret, caret);
  }
}

window.addEventListener("hashchange", route);
route();
follow();
