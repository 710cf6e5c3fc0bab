// The farm at a glance, and what happened lately.
import { ago, clock, count, dim, h, jobState, level, number, progress, settled, span, state, table, tiles } from "./draw.js";
import { ask } from "./link.js";

export const JOBS = [["Job"], ["State"], ["Show"], ["Progress"], ["Frames", "number"], ["Priority", "number"]];
// `pick` may put something before each row: what it returns for a job, beneath what stands above all.
export const jobs = (caption, rows, pick) => rows.length === 0 ? dim("No jobs.") : table(caption, (pick ? [[pick.all, "pick"]] : []).concat(JOBS), rows, (j) => (pick ? [pick.one(j)] : []).concat([
  h("a", { href: "#/jobs/" + j.id }, "j" + j.id + " " + j.name), jobState(j), j.show || "–", progress(j),
  number(j.frames_done) + " / " + number(j.frames_total), level(j),
]), (j) => j.id);

// A show has the colour that its name asks for, whoever else is there, or the next that is free; more than there are
// colours share the last.
const COLOURS = 6;
function layers(samples) {
  const names = [...new Set(samples.flatMap((s) => Object.keys(s.shows)))].sort();
  const own = names.length > COLOURS ? COLOURS - 1 : COLOURS, taken = new Set();
  const colour = (name) => {
    let at = [...name].reduce((sum, letter) => (31 * sum + letter.codePointAt(0)) % 9973, 7) % own;
    while (taken.has(at)) at = (at + 1) % own;
    taken.add(at);
    return at;
  };
  const list = names.slice(0, own).map((name) => [name || "no show", (s) => s.shows[name] || 0, "c" + colour(name)]);
  const rest = names.slice(own);
  if (rest.length) list.push([rest.length + " others", (s) => rest.reduce((sum, name) => sum + (s.shows[name] || 0), 0), "c" + own]);
  return list;
}

function frame(label, most, samples, ...paths) {
  const minutes = Math.max(1, Math.round((samples[samples.length - 1].at_us - samples[0].at_us) / 6e7));
  return h("div", { class: "frame" }, h("span", { class: "most" }, number(most)), h("span", { class: "least" }, "0"),
    h("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", class: "plot", role: "img", "aria-label": label }, paths),
    h("span", { class: "from" }, count(minutes, "minute") + " ago"), h("span", { class: "to" }, "now"));
}

function scales(samples, most) {
  const first = samples[0].at_us, all = Math.max(1, samples[samples.length - 1].at_us - first);
  return [(s) => (1000 * (s.at_us - first) / all).toFixed(1), (v) => (100 - 96 * v / most).toFixed(2)];
}

// Capacity taken and released: what shows have, one upon the other, beneath the slots that there are.
export function capacity(samples) {
  if (samples.length < 2) return dim("The plot begins when there are two samples.");
  const list = layers(samples);
  const most = Math.max(1, ...samples.map((s) => Math.max(s.slots, s.leases)));
  const [x, y] = scales(samples, most);
  const base = samples.map(() => 0);
  // What was seen holds until something else is: capacity is not taken bit by bit.
  const stairs = (values) => values.flatMap((v, k) => (k ? [x(samples[k]) + " " + y(values[k - 1])] : []).concat(x(samples[k]) + " " + y(v)));
  const areas = list.map(([name, of, colour]) => {
    const below = stairs(base).reverse();
    samples.forEach((s, k) => { base[k] += of(s); });
    return h("path", { key: name, class: "layer " + colour, d: "M" + stairs(base).concat(below).join("L") + "Z" }, h("title", {}, name));
  });
  const slots = samples.map((s, k) => (k ? "H" + x(s) + "V" : "M" + x(s) + " ") + y(s.slots)).join("");
  const last = samples[samples.length - 1];
  const label = last.leases + " tasks at work, " + last.slots + " slots: " + list.map(([name, of]) => name + " " + of(last)).join(", ");
  return h("figure", { class: "card" }, frame(label, most, samples, areas, h("path", { key: "slots", class: "have", d: slots })),
    h("figcaption", {}, h("ul", { class: "legend" }, h("li", { key: "slots" }, h("i", { class: "dashes" }), "slots " + number(last.slots)),
      list.map(([name, of, colour]) => h("li", { key: name }, h("i", { class: colour }), name + " " + number(of(last)))))));
}

function throughput(samples) {
  if (samples.length < 3) return null;
  const rates = samples.slice(1).map((s, i) => ({ at_us: s.at_us, rate: Math.max(0, s.accepted - samples[i].accepted) / Math.max(1e-9, (s.at_us - samples[i].at_us) / 6e7) }));
  const most = Math.max(1, ...rates.map((r) => Math.round(r.rate)));
  const [x, y] = scales(rates, most);
  const line = rates.map((r, i) => (i ? "L" : "M") + x(r) + " " + y(r.rate)).join("");
  return h("figure", { class: "card" }, frame("Frames a minute, at most " + most, most, rates, h("path", { key: "rate", class: "rate", d: line })),
    h("figcaption", { class: "dim" }, "Frames a minute"));
}

export function rate(samples) {
  const last = samples[samples.length - 1], first = samples.find((s) => last && last.at_us - s.at_us <= 6.5e7);
  if (!last || !first || last === first) return null;
  return Math.max(0, last.accepted - first.accepted) / ((last.at_us - first.at_us) / 6e7);
}

export const farmPage = {
  view({ farm, samples, activity }) {
    const alive = farm.workers.filter((w) => w.state === "alive");
    const slots = alive.reduce((sum, w) => sum + w.slots, 0), busy = farm.workers.reduce((sum, w) => sum + Math.min(w.slots, w.leases.length), 0);
    const held = farm.workers.filter((w) => ["quarantined", "lost", "trial"].includes(w.state)).length;
    const pace = rate(samples), { frames_waiting: waits, frames_leased: leased, frames_held: parked } = farm.counts;
    return [h("h1", {}, "Farm"), tiles([
      ["Jobs at work", number(farm.counts.running)], ["Jobs waiting", number(farm.counts.waiting)],
      ["Frames waiting", number(waits), parked > 0 && h("small", { class: "dim" }, " " + number(parked) + " held")], ["Frames a minute", pace == null ? "–" : number(Math.round(pace))],
      pace > 0 && waits + leased > 0 && ["At this pace", span((waits + leased) / pace * 60e3)],
      ["Workers", number(alive.length), held > 0 && h("small", { class: "bad" }, " " + held + " not well")],
      ["Slots at work", number(busy) + " / " + number(slots)],
    ]), h("h2", {}, "Capacity ", h("span", { class: "dim" }, "tasks at work by show, and the slots that there are")), capacity(samples), throughput(samples),
    farm.shows.length > 0 && [h("h2", {}, "Shows"), table("Shows", [["Show"], ["Tasks held", "number"], ["Guarantee", "number"], ["Ceiling", "number"], ["Weight", "number"], ["Frames waiting", "number"]], farm.shows,
      (s) => [h("a", { href: "#/jobs?show=" + encodeURIComponent(s.show) }, s.show || "no show"), number(s.tasks), number(s.share.guarantee), s.share.ceiling == null ? "–" : number(s.share.ceiling), number(s.share.weight), number(s.frames_waiting)], (s) => s.show)],
    h("h2", {}, "At work"), jobs("Jobs at work", farm.jobs.slice(0, 20)),
    h("h2", {}, "Lately"), feed((activity || []).slice(0, 8))];
  },
};

// Whether it is done, for people who want to know nothing else.
function feed(events) {
  if (events.length === 0) return dim("Nothing yet.");
  const word = { submitted: "was submitted", done: "is done", failed: "ended with errors", cancelled: "was cancelled" };
  return h("ol", { class: "feed" }, events.map((e) => h("li", { key: e.job + e.what, class: e.what },
    h("time", { datetime: new Date(e.at_us / 1000).toISOString(), title: clock(e.at_us) }, ago(e.at_us)),
    h("a", { href: "#/jobs/" + e.job }, (e.show ? e.show + " / " : "") + e.name),
    h("span", {}, word[e.what] || e.what, e.what !== "submitted" && e.took_us != null && h("span", { class: "dim" }, " after " + span(e.took_us / 1000)),
      e.what === "failed" && h("span", { class: "bad" }, ", " + count(e.frames_failed, "frame") + " failed")))));
}

export const activityPage = {
  view({ farm, activity, pace }) {
    const open = farm.jobs.filter((j) => !settled(j));
    const left = (j) => {
      const speed = pace(j), rest = j.frames_total - j.frames_done - j.frames_failed;
      return speed > 0 ? ", about " + span(rest / speed) + " left" : "";
    };
    return [h("h1", {}, "Is it done?"),
      open.length > 0 && [h("h2", {}, "Not yet"), h("ol", { class: "feed" }, open.map((j) => h("li", { key: j.id },
        jobState(j), h("a", { href: "#/jobs/" + j.id }, (j.show ? j.show + " / " : "") + j.name), progress(j),
        h("span", {}, Math.floor(100 * (j.frames_done + j.frames_failed) / Math.max(1, j.frames_total)) + " %" + left(j)))))],
      h("h2", {}, "Lately"), feed(activity || [])];
  },
};

export async function lately() { return (await ask("/api/activity")).events; }
