// Keeps the list of jobs as it is now, and goes on where a page of it ends.
import { pageAt, tellTimes } from "/pages/pages.js";

const list = document.getElementById("jobs");
const pause = 1000;

// More of the list, as its end comes into sight.
let isReading = false;
async function readOn() {
  const link = document.getElementById("more");
  if (!link || isReading) return;
  isReading = true;
  link.setAttribute("aria-busy", "true");
  try {
    const page = await pageAt(link.href);
    for (const card of page.querySelectorAll("#jobs > li")) {
      if (!document.getElementById(card.id)) list.append(document.adoptNode(card));
    }
    tellTimes(list);
    const next = page.getElementById("more");
    sight.disconnect();
    if (next) {
      link.href = next.href;
      sight.observe(link);
    } else link.remove();
  } catch (error) {
    refuse(error);
    sight.disconnect();
  } finally {
    link.removeAttribute("aria-busy");
    isReading = false;
  }
}
const sight = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && readOn(), { rootMargin: "600px" });
const more = document.getElementById("more");
if (more) {
  sight.observe(more);
  more.addEventListener("click", (event) => {
    event.preventDefault();
    readOn();
  });
}

// What has changed, asked for at most once a second.
const touched = new Set();
let isAsking = false, isWanted = false, asked = 0;

function look(job) {
  if (job) touched.add(job);
  isWanted = true;
  if (isAsking || document.hidden) return;
  isAsking = true;
  setTimeout(ask, Math.max(0, asked + pause - Date.now()));
}

async function ask() {
  asked = Date.now();
  isWanted = false;
  try {
    await renew(await pageAt(location.href));
  } catch {
    // The next event asks again.
  } finally {
    isAsking = false;
    if (isWanted) look();
  }
}

async function renew(page) {
  const named = [...touched];
  touched.clear();
  take(page.querySelectorAll("#jobs > li"), "takesNew" in list.dataset);
  for (const id of ["total", "counts"]) {
    const [mine, theirs] = [document.getElementById(id), page.getElementById(id)];
    if (mine && theirs && mine.textContent !== theirs.textContent) mine.textContent = theirs.textContent;
  }
  document.getElementById("empty")?.toggleAttribute("hidden", list.childElementCount > 0);
  const left = named.filter((job) => document.getElementById(`job-${job}`) && !page.getElementById(`job-${job}`));
  if (left.length) {
    const asked = new URLSearchParams(left.slice(0, 100).map((job) => ["id", job]));
    if (list.dataset.every) asked.set("owners", "");
    const cards = await pageAt(`/dashboard/cards?${asked}`);
    take(cards.querySelectorAll("li[data-job]"), false);
  }
  tellTimes(list);
}

function take(cards, withNew) {
  let place = list.firstElementChild;
  for (const card of cards) {
    const mine = document.getElementById(card.id);
    if (!mine && withNew) list.insertBefore(document.adoptNode(card), place);
    else if (mine) {
      if (place === mine) place = mine.nextElementSibling;
      if (mine.dataset.stamp !== card.dataset.stamp) {
        const hadFocus = mine.contains(document.activeElement);
        mine.replaceWith(document.adoptNode(card));
        if (hadFocus) card.querySelector("a.id").focus();
      }
    }
  }
}

// Forms of cards, without leaving the page.
list.addEventListener("submit", async (event) => {
  if (!("quietly" in event.target.dataset)) return;
  event.preventDefault();
  const form = event.target, button = form.querySelector("button");
  button.disabled = true;
  try {
    await pageAt(form.action, { method: "POST" });
    document.getElementById("refused").hidden = true;
    look(form.closest("[data-job]").dataset.job);
  } catch (error) {
    refuse(error);
  } finally {
    button.disabled = false;
  }
});

function refuse(error) {
  const place = document.getElementById("refused");
  place.textContent = error.message;
  place.hidden = false;
}

// Live: the events of all jobs of the caller.
const tab = crypto.randomUUID?.() ?? String(Math.random());
let tries = 0;
function listen() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws?clientId=${tab}`);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => {
    tries = 0;
    socket.send(JSON.stringify({ type: "feature_flags", data: { supports_preview_metadata: true } }));
    look();
  });
  socket.addEventListener("message", ({ data }) => (typeof data === "string" ? hear(JSON.parse(data)) : show(data)));
  // Where no more sockets may be open, the list is looked at as often as that is tried.
  socket.addEventListener("close", () => setTimeout(() => {
    look();
    listen();
  }, Math.min(30_000, 1000 * 2 ** tries++)));
}

function hear({ type, data }) {
  if (type === "progress_state") tellProgress(data);
  else if (type === "status" || type.startsWith("execution_") || type === "executing") {
    const isNode = type === "executing" && data.node !== null;
    if (!isNode && type !== "execution_cached") look(data.prompt_id);
  }
}

function tellProgress({ prompt_id, nodes }) {
  const bar = document.getElementById(`job-${prompt_id}`)?.querySelector("progress");
  const node = Object.values(nodes).find((one) => one.state === "running");
  if (!bar || !node || !(node.max > 0)) return;
  bar.hidden = false;
  bar.value = node.value / node.max;
}

const METADATA = 4;
function show(data) {
  const view = new DataView(data);
  if (view.getUint32(0) !== METADATA) return;
  const length = view.getUint32(4);
  const { prompt_id, image_type } = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 8, length)));
  const place = document.getElementById(`job-${prompt_id}`)?.querySelector(".picture");
  if (!place) return;
  const picture = new Image();
  picture.alt = "";
  picture.src = URL.createObjectURL(new Blob([new Uint8Array(data, 8 + length)], { type: image_type }));
  picture.decode().then(() => place.replaceChildren(picture), () => {}).finally(() => URL.revokeObjectURL(picture.src));
}

document.addEventListener("visibilitychange", () => document.hidden || look());
// Events tell of one's own jobs alone; lists of others are looked at now and then.
if (list.dataset.every) setInterval(look, 1000 * list.dataset.every);
else listen();
