// What people do: buttons for those who may, a question before what destroys, and what came of it.
import { count, h, number } from "./draw.js";
import { tell } from "./link.js";

const sure = document.getElementById("sure");
const notice = document.getElementById("notice");
document.getElementById("sure-no").onclick = () => sure.close("");

export function tellPeople(text, bad) {
  notice.className = bad ? "bad" : "";
  notice.textContent = text;
  clearTimeout(tellPeople.timer);
  tellPeople.timer = setTimeout(() => { notice.textContent = ""; }, bad ? 15000 : 5000);
}

// Asks in a dialog; the fields' values, or nothing where it was not meant.
function question({ title, text, verb, danger, fields }) {
  document.getElementById("sure-title").textContent = title;
  document.getElementById("sure-text").textContent = text || "";
  const place = document.getElementById("sure-fields");
  place.replaceChildren(...(fields || []).map((field) => {
    const label = document.createElement("label");
    const input = document.createElement(field.choices ? "select" : "input");
    input.name = field.name;
    if (field.choices) for (const choice of field.choices) input.append(new Option(choice, choice, false, choice === field.value));
    else { input.type = field.type || "text"; input.value = field.value == null ? "" : field.value; }
    label.append(field.title, input);
    return label;
  }));
  const yes = document.getElementById("sure-yes");
  yes.textContent = verb;
  yes.className = danger ? "danger" : "main";
  sure.returnValue = "";
  sure.showModal();
  const first = place.querySelector("input, select");
  // What destroys is not done by a key that was pressed once too often.
  (first || (danger ? document.getElementById("sure-no") : yes)).focus();
  return new Promise((then) => {
    sure.onclose = () => {
      // The end of the last question may be told when this one is open already.
      if (sure.open) return;
      if (sure.returnValue !== "yes") return then(null);
      then(Object.fromEntries([...place.querySelectorAll("input, select")].map((input) => [input.name, input.value])));
    };
  });
}

let after = () => {};
export function afterDeeds(then) { after = then; }

async function act(path, body, done) {
  try {
    await tell(path, body);
    tellPeople(done);
  } catch (error) {
    tellPeople(error.message + (error.remedy ? " " + error.remedy : ""), true);
  }
  after();
}

const JOB_LEVEL = [{ name: "class", title: "Class", choices: ["background", "normal", "urgent"], value: "normal" }, { name: "number", title: "Number", type: "number", value: 0 }];
const onJob = (target, deed, done) => act("/api/control/job", { target, do: deed }, target + ": " + done);
const JOB = {
  pause: { title: "Pause", run: (it) => onJob(it.target, "pause", "paused; frames in hand are finished") },
  resume: { title: "Resume", run: (it) => onJob(it.target, "resume", "goes on") },
  retry: { title: "Retry failed", run: (it) => onJob(it.target, { retry: { frames: it.frames || null } }, "tried again") },
  priority: { title: "Priority", async run(it) {
    const said = await question({ title: "Priority of " + it.target, verb: "Set", text: "A higher class takes capacity from a lower one at the next frame; within a class the higher number goes first.",
      fields: [{ name: "class", title: "Class", choices: ["background", "normal", "urgent"], value: it.class || "normal" }, { name: "number", title: "Number", type: "number", value: it.number || 0 }] });
    if (said) onJob(it.target, { priority: { class: said.class, number: Number(said.number) || 0 } }, said.class + " " + (Number(said.number) || 0));
  } },
  cancel: { title: "Cancel", danger: true, async run(it) {
    if (await question({ title: "Cancel " + it.target + "?", text: it.name + ": what is done stays done; nothing more is begun.", verb: "Cancel it", danger: true })) onJob(it.target, "cancel", "cancelled");
  } },
};

const ended = (job) => ["done", "failed", "cancelled"].includes(job.phase);
// Of many jobs, those that a deed changes anything of; the same as `platefarm jobs ... --show` takes.
const TAKES = {
  pause: (j) => !ended(j) && !j.terms.paused,
  resume: (j) => !ended(j) && j.terms.paused,
  priority: (j) => !ended(j),
  retry: (j) => j.frames_failed > 0 && j.phase !== "cancelled",
  cancel: (j) => !ended(j),
};
const AT_ONCE = 100;

// Each is steered, and written down, by itself; one that refuses keeps no other from it.
async function actOnMany(jobs, deed, done, then) {
  let steered = 0;
  const refused = [];
  try {
    for (let i = 0; i < jobs.length; i += AT_ONCE) {
      if (jobs.length > AT_ONCE) tellPeople(number(i) + " of " + count(jobs.length, "job"));
      const answer = await tell("/api/control/jobs", { targets: jobs.slice(i, i + AT_ONCE).map((j) => "j" + j.id), do: deed });
      steered += answer.done.length;
      refused.push(...answer.refused);
    }
    const said = count(steered, "job") + " " + done;
    if (refused.length === 0) { then(); tellPeople(said); } else tellPeople(said + "; " + count(refused.length, "job") + " not, first " + refused[0].target + ": " + refused[0].message, true);
  } catch (error) {
    tellPeople(count(steered, "job") + " " + done + "; then: " + error.message, true);
  }
  after();
}

const some = (jobs) => jobs.slice(0, 8).map((j) => "j" + j.id + " " + j.name).join(", ") + (jobs.length > 8 ? " and " + number(jobs.length - 8) + " more" : "");
const MANY = {
  pause: { title: "Pause", text: "Frames in hand are finished.", deed: "pause", done: "paused" },
  resume: { title: "Resume", deed: "resume", done: "resumed" },
  priority: { title: "Priority", verb: "Set", fields: JOB_LEVEL, deed: (said) => ({ priority: { class: said.class, number: Number(said.number) || 0 } }), done: "changed" },
  retry: { title: "Retry failed", text: "Frames that were given up are tried again; what was cancelled stays so.", deed: { retry: { frames: null } }, done: "tried again" },
  cancel: { title: "Cancel", danger: true, text: "What is done stays done; nothing more is begun.", deed: "cancel", done: "cancelled" },
};

// What may be done to jobs that are chosen: how many each would change, and a question before it does.
export function manyDeeds(me, jobs, then) {
  if (!me || !me.may.control_jobs) return null;
  return h("p", { class: "deeds" }, Object.entries(MANY).map(([name, it]) => {
    const meant = jobs.filter(TAKES[name]);
    return h("button", { key: name, type: "button", "data-many": name, class: it.danger ? "danger" : null, disabled: meant.length === 0, onclick: async () => {
      const title = it.title + " " + (meant.length === 1 ? "this job?" : "these " + count(meant.length, "job") + "?");
      const said = await question({ title, text: (it.text ? it.text + " " : "") + some(meant), verb: (it.verb || it.title) + (meant.length > 1 ? " all " + number(meant.length) : ""), danger: it.danger, fields: it.fields });
      if (said) actOnMany(meant, typeof it.deed === "function" ? it.deed(said) : it.deed, it.done, then);
    } }, it.title + " " + number(meant.length));
  }));
}

const onWorker = (worker, deed, done) => act("/api/control/worker", { worker, do: deed }, worker + ": " + done);
const WORKER = {
  drain: { title: "Drain", run: (it) => onWorker(it.worker, "drain", "gets nothing new; it finishes the frames in hand") },
  resume: { title: "Resume", run: (it) => onWorker(it.worker, "resume", "gets work again") },
  quarantine: { title: "Quarantine", danger: true, async run(it) {
    const said = await question({ title: "Quarantine " + it.name + "?", text: "Its node gets no work until somebody resumes it.", verb: "Quarantine it", danger: true, fields: [{ name: "reason", title: "Why" }] });
    if (said) onWorker(it.worker, { quarantine: { reason: said.reason } }, "quarantined");
  } },
  remove: { title: "Remove", danger: true, async run(it) {
    if (await question({ title: "Remove " + it.name + "?", text: "It is struck from the list, and what it has goes to others. A process that lives registers again.", verb: "Remove it", danger: true })) onWorker(it.worker, "remove", "removed");
  } },
};

const buttons = (deeds, names, it) => names.filter(Boolean).map((name) => h("button", {
  key: name, type: "button", class: deeds[name].danger ? "danger" : null, "data-deed": name, onclick: () => deeds[name].run(it),
}, deeds[name].title));

// What may be done to a job now.
export function jobDeeds(me, job) {
  if (!me || !me.may.control_jobs) return null;
  const ended = ["done", "failed", "cancelled"].includes(job.phase);
  const it = { target: "j" + job.id, name: job.name, class: job.terms && job.terms.class, number: job.priority };
  const names = [!ended && (job.terms.paused ? "resume" : "pause"), !ended && "priority",
    (job.frames_failed > 0 || job.phase === "cancelled") && "retry", !ended && "cancel"].filter(Boolean);
  return names.length > 0 && h("p", { class: "deeds" }, buttons(JOB, names, it));
}

export function stepDeeds(me, step) {
  if (!me || !me.may.control_jobs) return null;
  const ended = ["done", "failed", "cancelled"].includes(step.phase);
  const it = { target: "j" + step.id.job + "." + step.id.index, name: step.name, class: step.level && step.level[0], number: step.level && step.level[1] };
  const names = [!ended && (step.paused ? "resume" : "pause"), !ended && "priority", step.failed && "retry", !ended && "cancel"].filter(Boolean);
  return names.length > 0 && h("p", { class: "deeds" }, buttons(JOB, names, it));
}

export function workerDeeds(me, worker) {
  if (!me || !me.may.control_workers) return null;
  const it = { worker: "w" + worker.id, name: worker.name };
  const open = worker.state === "alive" || worker.state === "trial";
  return h("p", { class: "deeds" }, buttons(WORKER, [open && "drain", !open && worker.state !== "lost" && "resume",
    worker.state !== "quarantined" && worker.state !== "lost" && "quarantine", "remove"], it));
}
