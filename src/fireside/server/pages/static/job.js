// Keeps the page of a job as the job is: its progress and pictures as they come, its parts when they have changed.
import { pageAt, tellTimes } from "/pages/pages.js";

const PARTS = ["head", "why", "now", "error", "outputs", "times"];
const job = document.getElementById("job");
let isAsking = false, isWanted = false;

async function renew() {
  if (isAsking) {
    isWanted = true;
    return;
  }
  isAsking = true;
  try {
    const page = await pageAt(location.href);
    for (const id of PARTS) {
      const [mine, theirs] = [document.getElementById(id), page.getElementById(id)];
      if (!mine || !theirs) continue;
      // What goes on is told by events, and a picture of it must not flicker.
      if (id === "now" && mine.childElementCount && theirs.childElementCount) continue;
      if (mine.dataset.was !== theirs.outerHTML) {
        const was = theirs.outerHTML;
        mine.replaceWith(document.adoptNode(theirs));
        theirs.dataset.was = was;
      }
    }
    document.title = page.title;
    tellTimes();
  } catch {
    // The next event asks again, and the stream begins anew by itself.
  } finally {
    isAsking = false;
    if (isWanted) {
      isWanted = false;
      renew();
    }
  }
}

const ENDS = ["succeeded", "failed", "canceled", "expired"];
function listen() {
  const events = new EventSource(`/api/v2/jobs/${job.dataset.job}/events`);
  let told = null;
  events.addEventListener("status", ({ data }) => {
    if (data !== told) renew();
    told = data;
    if (ENDS.includes(JSON.parse(data).status)) events.close();
  });
  events.addEventListener("output", renew);
  events.addEventListener("progress", ({ data }) => tell(JSON.parse(data)));
  events.addEventListener("preview", ({ data }) => show(JSON.parse(data)));
  events.addEventListener("error", () => {
    // Closed for good, such as by too many streams: look now and then instead.
    if (events.readyState === EventSource.CLOSED) setInterval(renew, 5000);
  });
}

function tell({ value, nodes_done, nodes_total, message }) {
  const [bar, doing] = [document.getElementById("progress"), document.getElementById("doing")];
  // Before a run its model may be on its way, which the reason for waiting tells.
  if (!bar || !doing) return renew();
  bar.value = value;
  doing.textContent = `${message ?? "Running"} · ${nodes_done} of ${nodes_total} nodes`;
}

function show({ content_type, data_base64 }) {
  const place = document.getElementById("preview");
  if (!place) return;
  const bytes = Uint8Array.from(atob(data_base64), (character) => character.charCodeAt(0));
  const picture = new Image();
  picture.alt = "What is made, so far";
  picture.src = URL.createObjectURL(new Blob([bytes], { type: content_type }));
  picture.decode().then(() => {
    place.replaceChildren(picture);
    place.hidden = false;
  }, () => {}).finally(() => URL.revokeObjectURL(picture.src));
}

if ("active" in job.dataset) listen();
