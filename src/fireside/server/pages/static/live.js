// Keeps the parts of a page that say so (data-live: every so many seconds) as they are now.
import { pageAt, tellTimes } from "/pages/pages.js";

const parts = [...document.querySelectorAll("[data-live]")];
const due = new Map(parts.map((part) => [part.id, Date.now() + 1000 * part.dataset.live]));
let isAsking = false;

// Whoever is about to press something there keeps it until they have gone on.
const isInUse = (part) => part.contains(document.activeElement) && document.activeElement !== document.body;

function renew(part, next) {
  const open = new Set([...part.querySelectorAll("details[open]")].map((one) => one.id));
  for (const one of next.querySelectorAll("details")) one.open = open.has(one.id);
  tellTimes(next);
  if (part.innerHTML !== next.innerHTML) part.replaceChildren(...next.childNodes);
}

async function look() {
  const now = Date.now();
  const wanted = parts.filter((part) => due.get(part.id) <= now && !isInUse(part));
  if (isAsking || document.hidden || !wanted.length) return;
  isAsking = true;
  try {
    const page = await pageAt(location.href);
    for (const part of wanted) {
      const next = page.getElementById(part.id);
      if (next && !isInUse(part)) renew(part, document.adoptNode(next));
    }
  } catch { /* the server is away; the next look finds it */ }
  for (const part of wanted) due.set(part.id, Date.now() + 1000 * part.dataset.live);
  isAsking = false;
}

setInterval(look, 1000);
document.addEventListener("visibilitychange", look);
