// Clips that were inspected, and the cards of their camera formats.
import { count, dim, h, number, table } from "./draw.js";
import { ask } from "./link.js";

let waiting = 0;

async function look(page, change) {
  const asked = page.asked = (page.asked || 0) + 1;
  try {
    const found = await ask("/api/library?" + new URLSearchParams({ find: page.find, most: page.most }));
    if (page.asked === asked) Object.assign(page, { found, error: null });
  } catch (error) { if (page.asked === asked) page.error = error; }
  change();
}

const card = (f) => h("li", { key: f.id, class: "card" },
  h("h3", {}, f.cameraModel + (f.cameraLetter !== "Missing" ? " – " + f.cameraLetter : "")),
  h("dl", {}, [["Sensor mode", f.sensorMode], ["Codec", f.codec], ["Squeeze", f.lensSqueeze], ["Encoding", (f.set && f.set.color) || f.colorSpace],
    f.set && f.set.template && ["Template", f.set.template], ["Clips", number(f.clipCount)]].filter(Boolean).map(([name, value]) => [
    h("dt", { key: "t" + name }, name), h("dd", { key: "d" + name, class: value === "Missing" ? "bad" : null }, value)])),
  f.set && h("p", { class: "dim" }, "set by a person" + (f.set.note ? ": " + f.set.note : "")));

export const libraryPage = {
  open(page, { change }) {
    Object.assign(page, { find: page.query.get("find") || "", most: 50 });
    look(page, change);
    ask("/api/formats").then((formats) => { page.formats = formats.formats; change(); }, () => {});
  },
  view({ page, change }) {
    const want = (what) => {
      Object.assign(page, what);
      clearTimeout(waiting);
      waiting = setTimeout(() => look(page, change), 150);
    };
    const found = page.found, columns = [["Clip"], ["Reel"], ["Start"], ["Frames", "number"], ["Rate", "number"], ["Format"], ["Show"]];
    return [h("h1", {}, "Library"),
      h("form", { class: "search", role: "search", onsubmit: (e) => e.preventDefault() },
        h("label", { class: "wide" }, "Find", h("input", { id: "find", type: "search", value: page.find, placeholder: "words, or reel:A001 tc:10:00:00:00-10:05:00:00 date:2026-11-30", oninput: (e) => want({ find: e.target.value, most: 50 }) })),
        found && h("span", { class: "dim", role: "status" }, count(found.count, "clip"))),
      page.error ? h("p", { class: "bad", role: "alert" }, page.error.message, page.error.remedy && h("span", { class: "dim" }, " " + page.error.remedy))
        : !found ? dim("Looking.") : found.clips.length === 0 ? dim("No clips.") : table("Clips", columns, found.clips, (c) => [
          h("span", { title: c.path }, c.clip_name), c.reel_name || "–", c.start || "–", number(c.frames), c.rate || "–", c.format, c.show || "–"], (c) => c.id),
      found && found.count > found.clips.length && h("p", {}, h("button", { type: "button", onclick: () => { page.most = Math.min(200, page.most * 2); look(page, change); } }, "Show more")),
      page.formats && page.formats.length > 0 && [h("h2", {}, "Camera formats"), h("ul", { class: "cards" }, page.formats.map(card))]];
  },
};
