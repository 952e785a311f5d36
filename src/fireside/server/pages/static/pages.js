// What all pages do: times in the words of now, menus that need no button, and questions before what cannot be undone.
const MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

export function ago(at, now) {
  const seconds = (now - at) / 1000;
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  const days = Math.floor(seconds / DAY);
  return days <= 7 ? `${days} day${days === 1 ? "" : "s"} ago` : at.toLocaleDateString();
}

export function tellTimes(within = document) {
  const now = new Date();
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = at.toLocaleString();
    const text = time.dataset.whole === undefined ? ago(at, now) : at.toLocaleString();
    if (time.textContent !== text) time.textContent = text;
  }
}

// Reads a page of ours; it is parsed, and nothing in it runs.
export async function pageAt(address, options = {}) {
  const answer = await fetch(address, { cache: "no-store", ...options });
  if (new URL(answer.url).pathname === "/login") location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!answer.ok) throw new Error(page.querySelector("main p")?.textContent ?? `The server said ${answer.status}.`);
  return page;
}

tellTimes();
setInterval(tellTimes, 30_000, document);
for (const menu of document.querySelectorAll("form.filters select")) {
  menu.addEventListener("change", () => menu.form.requestSubmit());
}
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.question;
  if (question && !confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
