// The way to the scheduler: who we are, what we ask, and the stream that it speaks on.
let token = sessionStorage.getItem("platefarm-token") || "";
const enter = document.getElementById("enter");
const light = document.getElementById("link");
let generation = 0; // of the stream; an old one that still speaks is not listened to

function says(text) { light.textContent = text; light.dataset.live = String(text === "live"); }

// What was asked too often was not begun, and is asked again a little later.
const TRIES = 20, LATER = 500;
async function sent(path, options) {
  const headers = { ...(options && options.headers), ...(token ? { authorization: "Bearer " + token } : {}) };
  let response = await fetch(path, { ...options, headers });
  for (let tries = 0; response.status === 429 && tries < TRIES; tries++) {
    await new Promise((then) => setTimeout(then, LATER));
    response = await fetch(path, { ...options, headers });
  }
  if (response.ok) return response;
  const [message, remedy] = (await response.text()).split("\n");
  const error = new Error(message || "HTTP " + response.status);
  error.remedy = remedy;
  error.status = response.status;
  throw error;
}
export const ask = async (path) => (await sent(path)).json();
export const askText = async (path) => (await sent(path)).text();
export const askBlob = async (path) => (await sent(path)).blob();
export const tell = async (path, body) => (await sent(path, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
})).json();

function whoAreYou(message) {
  document.getElementById("enter-error").textContent = token ? message : "";
  if (!enter.open) enter.showModal();
}

// The stream of what changes. One that breaks is begun again, with patience.
export function follow(heard) {
  enter.oncancel = (event) => event.preventDefault();
  enter.onclose = () => {
    token = document.getElementById("token").value.trim();
    sessionStorage.setItem("platefarm-token", token);
    document.getElementById("token").value = "";
    listen(heard);
  };
  listen(heard);
}

async function listen(heard) {
  const mine = ++generation;
  for (let wait = 500; mine === generation; wait = Math.min(wait * 2, 10000)) {
    try {
      const me = await ask("/api/me");
      const response = await sent("/api/stream");
      heard("me", me);
      says("live");
      wait = 500;
      await read(response.body, (name, data) => mine === generation && heard(name, data));
    } catch (error) {
      if (error.status === 401 || error.status === 403) { says("not entered"); return whoAreYou(error.message); }
    }
    if (mine === generation) says("the scheduler does not answer; trying again");
    await new Promise((then) => setTimeout(then, wait));
  }
}

async function read(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      let name = "message", data = "";
      for (const line of text.slice(0, end).split("\n")) {
        if (line.startsWith("event:")) name = line.slice(6).trim();
        if (line.startsWith("data:")) data += line.slice(5);
      }
      if (data) heard(name, JSON.parse(data));
    }
  }
}
