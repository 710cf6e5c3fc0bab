// What is on the page, as a value, and the page made to match it. Nodes that
// are still right stay as they are: with focus, caret, scroll and hover. Text
// goes in as text, so nothing that a job is called can become markup.
const SVG = "http://www.w3.org/2000/svg";

export function h(name, attributes, ...children) {
  const kept = children.flat(Infinity).filter((child) => child != null && child !== false && child !== "");
  return { name, attributes: attributes || {}, children: kept.map((child) => typeof child === "object" ? child : String(child)) };
}

function set(node, name, value) {
  if (name === "key") return;
  if (name.startsWith("on")) node[name] = value || null;
  else if (name === "css") for (const [property, text] of Object.entries(value || {})) node.style.setProperty(property, text);
  else if (name === "value" || name === "checked" || name === "selected") node[name] = value == null ? "" : value;
  else if (value == null || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}

function make(value, space) {
  if (typeof value === "string") return document.createTextNode(value);
  const inner = value.name === "svg" ? SVG : space;
  const node = inner ? document.createElementNS(inner, value.name) : document.createElement(value.name);
  for (const child of value.children) node.append(make(child, inner));
  for (const [name, it] of Object.entries(value.attributes)) if (it != null && it !== false) set(node, name, it);
  return node;
}

const same = (a, b) => typeof a === typeof b && (typeof a === "string" || (a.name === b.name && a.attributes.key === b.attributes.key));

function patch(node, was, now) {
  if (was === now) return;
  if (typeof now === "string") { node.data = now; return; }
  for (const name of Object.keys(was.attributes)) if (!(name in now.attributes)) set(node, name, null);
  for (const [name, value] of Object.entries(now.attributes)) {
    if (name === "css" ? JSON.stringify(value) !== JSON.stringify(was.attributes.css) : value !== was.attributes[name]) set(node, name, value);
  }
  children(node, was.children, now.children);
}

function children(node, was, now) {
  const name = (value, i) => typeof value === "object" && value.attributes.key != null ? "=" + value.attributes.key : i;
  const held = new Map(was.map((value, i) => [name(value, i), [value, node.childNodes[i]]]));
  now.forEach((value, i) => {
    const old = held.get(name(value, i));
    let child;
    if (old && same(old[0], value)) {
      child = old[1];
      held.delete(name(value, i));
      patch(child, old[0], value);
    } else {
      child = make(value, node.namespaceURI === SVG ? SVG : null);
    }
    if (node.childNodes[i] !== child) node.insertBefore(child, node.childNodes[i] || null);
  });
  while (node.childNodes.length > now.length) node.lastChild.remove();
}

const drawn = new WeakMap();
// Makes the children of `root` match; what had the focus keeps it, wherever it moved.
export function draw(root, now) {
  const focus = document.activeElement;
  const values = now.flat(Infinity).filter((value) => value != null && value !== false && value !== "");
  if (!drawn.has(root)) root.replaceChildren();
  children(root, drawn.get(root) || [], values);
  drawn.set(root, values);
  if (focus && focus !== document.activeElement && root.contains(focus)) focus.focus({ preventScroll: true });
}

const memory = new Map();
// The value that was made of this data, while the data are the same: what it stands for is not looked at again.
export function once(key, data, value) {
  const text = JSON.stringify(data);
  const known = memory.get(key);
  if (known && known[0] === text) return known[1];
  const made = value();
  if (memory.size > 500) memory.clear();
  memory.set(key, [text, made]);
  return made;
}

const numbers = new Intl.NumberFormat("en");
export const number = (value) => numbers.format(value);
export const count = (value, word) => number(value) + " " + word + (value === 1 ? "" : "s");
export const clock = (us) => us ? new Date(us / 1000).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" }) : "";
export function span(ms) {
  if (ms < 10) return ms.toFixed(1) + " ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  if (ms < 120e3) return (ms / 1000).toFixed(1) + " s";
  if (ms < 7200e3) return Math.round(ms / 60e3) + " min";
  return ms < 172800e3 ? (ms / 3600e3).toFixed(1) + " h" : Math.round(ms / 86400e3) + " days";
}
export function ago(us) {
  const ms = Date.now() - us / 1000;
  return ms < 5000 ? "now" : span(ms).replace(/\.\d/, "") + " ago";
}
export function size(bytes) {
  let unit = 0;
  while (bytes >= 1000 && unit < 4) { bytes /= 1000; unit++; }
  return (unit ? bytes.toFixed(1) : bytes) + " " + ["B", "kB", "MB", "GB", "TB"][unit];
}

export const settled = (job) => ["done", "failed", "cancelled"].includes(job.phase);
export const state = (word) => h("span", { class: "state " + word }, word);
export const jobState = (job) => state(job.terms && job.terms.paused && !settled(job) ? "paused" : job.phase);
export const level = (job) => {
  const own = job.terms && job.terms.class && job.terms.class !== "normal" ? job.terms.class + " " : "";
  return own + (own && !job.priority ? "" : job.priority);
};

export function bar(parts) {
  const total = Math.max(1, parts.reduce((sum, [, value]) => sum + value, 0));
  const said = parts.filter(([, value]) => value).map(([name, value]) => number(value) + " " + name).join(", ") || "no frames";
  return h("span", { class: "bar", role: "img", "aria-label": said, title: said },
    parts.map(([name, value]) => h("i", { class: name, css: { width: (100 * value / total) + "%" } })));
}
export const progress = (job) => bar([["done", job.frames_done], ["failed", job.frames_failed],
  ["waiting", Math.max(0, job.frames_total - job.frames_done - job.frames_failed)]]);

export function table(caption, columns, rows, cells, key) {
  return h("table", { "aria-label": caption },
    h("thead", {}, h("tr", {}, columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title)))),
    h("tbody", {}, rows.map((row) => h("tr", { key: key && key(row) }, cells(row).map((cell, i) =>
      h("td", { class: columns[i][1], "data-label": typeof columns[i][0] === "string" ? columns[i][0] : null }, cell))))));
}

export const tiles = (pairs) => h("dl", { class: "tiles" }, pairs.filter(Boolean).map(([name, ...value]) =>
  h("div", { key: name }, h("dt", {}, name), h("dd", {}, value))));
export const dim = (...text) => h("p", { class: "dim" }, text);

export function fault(it, remedy) {
  return h("div", { class: "fault" }, h("strong", {}, it.code), " " + it.message,
    it.place && h("div", { class: "dim" }, it.place), it.cause && h("div", { class: "dim" }, it.cause),
    (remedy || it.remedy) && h("div", {}, remedy || it.remedy));
}

// Rows of a long list, a part at a time.
export function pager(found, skip, most, word, turn) {
  if (found <= most && skip === 0) return null;
  const last = Math.min(found, skip + most);
  const button = (text, to, off) => h("button", { type: "button", disabled: off, onclick: () => turn(to) }, text);
  return h("nav", { class: "pager", "aria-label": "Parts of the list" },
    button("Earlier", Math.max(0, skip - most), skip === 0), h("span", {}, number(skip + 1) + "–" + number(last) + " of " + count(found, word)),
    button("Later", skip + most, last >= found));
}
