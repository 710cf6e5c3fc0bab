// What people do: the deeds that the scheduler lets them do, a form or a question before those that need one, and what
// came of it. What there is stands in the scheduler's table; here is only how it is offered.
import { count, draw, h, number, settled } from "./draw.js";
import { tell } from "./link.js";

const at = (id) => document.getElementById(id);
const sure = at("sure"), notice = at("notice"), trouble = at("trouble");

export function tellPeople(text, bad) {
  notice.className = bad ? "bad" : "";
  notice.textContent = text;
  clearTimeout(tellPeople.timer);
  tellPeople.timer = setTimeout(() => { notice.textContent = ""; }, bad ? 15000 : 5000);
}

// A refusal: what was asked of what, the code with its message, and what to do.
const refusal = (it) => h("div", { class: "fault" }, it.target && h("strong", {}, it.target + " "), it.message, it.remedy && h("div", {}, it.remedy));
const SHOWN = 5;

// What was refused stays until it is read.
function tellRefused(refused) {
  const more = refused.length - SHOWN;
  draw(trouble, refused.length === 0 ? [] : [refused.slice(0, SHOWN).map(refusal), more > 0 && h("p", {}, "and " + number(more) + " more"),
    h("button", { type: "button", onclick: () => { tellRefused([]); at("main").focus(); } }, "Close")]);
}

// A time by the clock of whoever looks, as a field has it, from microseconds; and as the scheduler reads it.
const toField = (us) => { const t = new Date(us / 1000); return new Date(t - t.getTimezoneOffset() * 60e3).toISOString().slice(0, 16); };
const fromField = (text) => text && new Date(text).toISOString().slice(0, 16) + "Z";

const within = (view, path) => path.split(".").reduce((value, name) => value == null ? null : value[name], view);
// What a field has before anything is typed; of several things nothing.
function before(field, its) {
  const value = field.of && its.length === 1 ? within(its[0].view, field.of) : null;
  if (value == null || field.kind === "known") return "";
  if (field.kind === "moment") return toField(value);
  return Array.isArray(value) ? value.join(" ") : String(value);
}

function control(field, its, key) {
  const own = { key, name: field.name, required: field.needed, value: before(field, its) };
  const known = field.kind === "known" && its.length === 1 ? (within(its[0].view, field.of) || []).map((it) => it.on) : [];
  if (field.kind === "known" && its.length === 1 && !its[0].step && known.length === 0) return null;
  const choices = field.choices.length ? field.choices : known;
  // Nothing is chosen where that means something, or until something is.
  const blank = field.needed && own.value ? [] : [""];
  const option = (choice) => h("option", { value: choice, selected: choice === own.value }, choice || (field.needed ? "choose" : "as it is"));
  if (field.kind === "flag") return h("label", { class: "flag" }, h("input", { key, type: "checkbox", name: field.name }), field.title);
  return h("label", {}, field.title,
    choices.length ? h("select", own, [...blank, ...choices].map(option))
      : field.kind === "number" ? h("input", { type: "number", ...own }) : field.kind === "count" ? h("input", { type: "number", min: 0, ...own })
        : field.kind === "moment" ? h("input", { type: "datetime-local", max: "9999-12-31T23:59", ...own }) : h("input", { type: "text", autocomplete: "off", ...own }),
    field.hint && h("small", {}, field.hint));
}

const said = (input) => input.type === "checkbox" ? (input.checked ? "true" : "") : input.type === "datetime-local" ? fromField(input.value) : input.value.trim();

// Asks in a dialog, which stays open until `then` has done it: what it is refused for is told beside what was typed.
let asked = 0;
function question({ title, text, yes, danger, fields, its }, then) {
  const mine = ++asked, place = at("sure-fields"), error = at("sure-error"), button = at("sure-yes");
  at("sure-title").textContent = title;
  at("sure-text").textContent = text;
  draw(place, fields.map((field) => control(field, its, mine + field.name)));
  draw(error, []);
  button.textContent = yes;
  button.className = danger ? "danger" : "main";
  // What stays where it is not said is said only when it changes.
  const stood = new Map(fields.filter((field) => field.kept).map((field) => [field.name, before(field, its)]));
  let busy = false;
  at("sure-form").onsubmit = async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    const values = Object.fromEntries([...place.querySelectorAll("input, select")].map((input) => [input.name, said(input)])
      .filter(([name, value]) => stood.get(name) !== value));
    const refused = await then(values);
    busy = false;
    if (mine !== asked || !sure.open) return tellRefused(refused);
    if (refused.length === 0) sure.close();
    else draw(error, refused.map(refusal));
  };
  sure.showModal();
  // What destroys is not done by a key that was pressed once too often.
  const first = place.querySelector("input, select") || (danger ? at("sure-no") : button);
  first.focus();
  if (first.select) first.select();
}
at("sure-no").onclick = () => sure.close();

// A thing that deeds are done to: what it is called, how it stands, and what is known of it.
const ofJob = (j) => ({ room: "jobs", id: "j" + j.id, name: j.name, ended: settled(j), held: j.terms.paused, failed: j.frames_failed > 0,
  cancelled: j.phase === "cancelled", view: { ...j, terms: { class: "normal", ...j.terms } } });
const ofStep = (s) => ({ room: "jobs", step: true, id: "j" + s.id.job + "." + s.id.index, name: s.name, ended: settled(s), held: s.paused, failed: !!s.failed,
  cancelled: s.phase === "cancelled", view: s.level ? { terms: { class: s.level[0] }, priority: s.level[1] } : {} });
const ofWorker = (w) => ({ room: "workers", id: "w" + w.id, name: w.name, ended: w.state === "lost", held: ["draining", "quarantined"].includes(w.state), view: w });
const ofShow = (s) => ({ room: "shows", id: s.show, own: s.own, view: s });
const ofPool = (p) => ({ room: "pools", id: p.name, own: p.labels.length > 0 || p.reserve > 0, view: p });
const ofLimit = (l) => ({ room: "limits", id: l.name, own: l.count != null, view: l });

const HOLDS = {
  always: () => true,
  open: (it) => !it.ended,
  going: (it) => !it.ended && !it.held,
  held: (it) => !it.ended && it.held,
  failed: (it) => it.failed || it.cancelled,
  ended: (it) => it.ended,
  own: (it) => it.own,
};

const word = (deed) => deed.verb.split(" ")[1];
const offered = (me, room) => me ? me.deeds.filter((deed) => deed.verb.startsWith(room + " ")) : [];
export const mayChange = (me, room) => offered(me, room).length > 0;

let after = () => {};
export function afterDeeds(then) { after = then; }

// Each is done to, and written down, by itself; one that refuses keeps no other from it. A farm that is asked too much
// is waited for.
const AT_ONCE = 100, PAUSE = 1000, PATIENCE = 120e3;
const tooMuch = (it) => it.message.startsWith("F0605");
async function send(deed, ids, values) {
  const came = { done: [], refused: [] };
  let left = ids, moved = Date.now();
  while (left.length > 0) {
    if (ids.length > AT_ONCE) tellPeople(number(ids.length - left.length) + " of " + number(ids.length));
    const part = left.slice(0, AT_ONCE);
    left = left.slice(AT_ONCE);
    try {
      const { done, refused } = await tell("/api/deeds", { deed: deed.verb, on: part, with: values });
      const later = refused.filter(tooMuch);
      if (later.length < part.length) moved = Date.now();
      const waits = later.length > 0 && Date.now() - moved < PATIENCE;
      came.done.push(...done);
      came.refused.push(...refused.filter((it) => !waits || !tooMuch(it)));
      if (!waits) continue;
      left = later.map((it) => it.target).concat(left);
      await new Promise((then) => setTimeout(then, PAUSE));
    } catch (error) {
      // So is one that has no room for the question itself; of one alone that is told.
      if (error.status === 429 && ids.length > 1 && Date.now() - moved < PATIENCE) { left = part.concat(left); continue; }
      came.refused.push({ message: error.message, remedy: error.remedy });
      if (left.length > 0) came.refused.push({ message: "With " + count(left.length, "job") + " it was not tried." });
      break;
    }
  }
  return came;
}

async function act(deed, ids, values, then) {
  const { done, refused } = await send(deed, ids, values);
  // What was not asked about says now what follows.
  const follows = deed.says && !deed.destroys && deed.fields.length === 0 ? ". " + deed.says : "";
  if (done.length > 0) tellPeople((ids.length === 1 ? done[0] : count(done.length, "job")) + " " + deed.done + follows);
  if (refused.length === 0) then();
  // Of what is not there any more there is no page.
  const room = "#/" + deed.verb.split(" ")[0];
  if (deed.gone && done.length > 0 && location.hash.startsWith(room + "/")) location.hash = room;
  else after();
  return refused;
}

const some = (its) => its.slice(0, 8).map((it) => it.id + " " + it.name).join(", ") + (its.length > 8 ? " and " + number(its.length - 8) + " more" : "");
const NAME = { name: "its name", title: "Name", kind: "text", choices: [], hint: "", needed: true };

// Does a deed, after the question that it takes. What is not there yet is asked for its name.
function begin(deed, its, { preset, many, then = () => {} } = {}) {
  const ids = its.map((it) => it.id), several = its.length > 1;
  if (preset || (!many && !deed.destroys && deed.fields.length === 0)) return act(deed, ids, preset || {}, then).then(tellRefused);
  const what = several ? "these " + count(its.length, "job") : its.length === 1 ? its[0].id + (its[0].name ? " " + its[0].name : "") : "";
  const yes = (deed.yes || deed.title) + (several ? " all " + number(its.length) : deed.destroys ? " it" : "");
  question({
    title: deed.title + (deed.fields.length > 0 ? (what ? ": " + what : "") : " " + what + "?"),
    text: (deed.says ? deed.says + " " : "") + (several ? some(its) : ""),
    yes, danger: deed.destroys, its,
    fields: (its.length === 0 ? [NAME] : []).concat(deed.fields),
  }, async ({ [NAME.name]: name, ...values }) => {
    const done = act(deed, name ? [name] : ids, values, then);
    if (!several) return done;
    // Of many it is told as it comes.
    done.then(tellRefused);
    return [];
  });
}

const button = (deed, more, text) => h("button", { key: deed.verb, type: "button", class: deed.destroys ? "danger" : null, ...more }, text);

const sets = (deed) => ["set", "defaults"].includes(word(deed));
function deeds(me, it, meant = () => true, then = undefined) {
  const those = offered(me, it.room).filter((deed) => (deed.steps || !it.step) && HOLDS[deed.when](it) && meant(deed));
  const text = (deed) => sets(deed) ? "Change" : deed.title;
  return those.length > 0 && h("p", { class: "deeds" }, those.map((deed) => button(deed, { "data-deed": word(deed), onclick: () => begin(deed, [it], { then }) }, text(deed))));
}
export const jobDeeds = (me, job) => deeds(me, ofJob(job));
export const stepDeeds = (me, step) => deeds(me, ofStep(step));
export const workerDeeds = (me, worker) => deeds(me, ofWorker(worker));
// A show has a share of the farm, and what holds for its pulls, which is the library's.
const ofPulls = (deed) => word(deed) === "defaults";
export const showDeeds = (me, share) => deeds(me, ofShow(share), (deed) => !ofPulls(deed));
export const pullsDeeds = (me, show, then) => deeds(me, ofShow(show), ofPulls, then);
export const poolDeeds = (me, pool) => deeds(me, ofPool(pool));
export const limitDeeds = (me, limit) => deeds(me, ofLimit(limit));

// Sets up what is not there yet.
export function newDeed(me, room, verb = "set", then = undefined) {
  const deed = offered(me, room).find((deed) => word(deed) === verb);
  return deed && h("p", { class: "deeds" }, button(deed, { "data-new": verb === "set" ? room : verb, onclick: () => begin(deed, [], { then }) }, "New " + deed.title.toLowerCase()));
}

// Tries single frames of a step again.
export function framesDeed(me, step, frames, then) {
  const deed = offered(me, "jobs").find((deed) => word(deed) === "retry");
  const text = frames.length === 1 ? "Try frame " + frames[0] + " again" : "Try these " + count(frames.length, "frame") + " again";
  return deed && frames.length > 0 && h("p", { class: "deeds" }, button(deed, { "data-deed": "retry-frames", onclick: () => begin(deed, [ofStep(step)], { preset: { frames: frames.join(",") }, then }) }, text));
}

// What may be done to jobs that are chosen: how many each would change, and a question before it does. What was
// cancelled is taken up again one by one only, as on the command line.
export function manyDeeds(me, jobs, then) {
  const its = jobs.map((job) => ({ ...ofJob(job), cancelled: false }));
  return h("p", { class: "deeds" }, offered(me, "jobs").map((deed) => {
    const meant = its.filter((it) => HOLDS[deed.when](it));
    return button(deed, { "data-many": word(deed), disabled: meant.length === 0, onclick: () => begin(deed, meant, { many: true, then }) }, deed.title + " " + number(meant.length));
  }));
}
