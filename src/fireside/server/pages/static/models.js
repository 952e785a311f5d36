// Sends a file of a model to the server, and tells how far that is. What the server would refuse is found here first:
// nobody should wait for gigabytes to go to learn that.
import { pageAt, tellTimes } from "/pages/pages.js";

const form = document.getElementById("upload-form");
const [file, folder, name] = ["file", "upload-folder", "upload-name"].map((id) => document.getElementById(id));
const [send, stop] = [form.querySelector("button[type=submit]"), document.getElementById("stop")];
const [sending, bar, soFar] = ["sending", "sent", "so-far"].map((id) => document.getElementById(id));
const [said, refused] = [document.getElementById("upload-said"), document.getElementById("upload-refused")];
const MOST_HEADER = 32 * 1024 * 1024;
const isSafe = (called) => /\.(safetensors|sft)$/i.test(called);
let request = null;

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];
function size(bytes) {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

function tell(place, text) {
  for (const one of [said, refused]) one.hidden = one !== place || !text;
  place.textContent = text;
}

// The header says where the bytes of the last tensor end, which is where the file must.
async function faultOf(chosen) {
  const first = new DataView(await chosen.slice(0, 8).arrayBuffer());
  const length = first.byteLength === 8 ? Number(first.getBigUint64(0, true)) : 0;
  if (length < 2 || length > MOST_HEADER) return "This is no file of safetensors, whatever its name says.";
  try {
    const { __metadata__, ...tensors } = JSON.parse(await chosen.slice(8, 8 + length).text());
    const end = 8 + length + Math.max(0, ...Object.values(tensors).map((one) => one.data_offsets[1]));
    if (end !== chosen.size) return `This file is damaged: it should have ${size(end)} and has ${size(chosen.size)}. Download it again.`;
  } catch {
    return "This is no file of safetensors, whatever its name says.";
  }
  return "";
}

async function problemOf(chosen, called, address) {
  const formats = form.dataset.formats.split(" ");
  if (!formats.some((one) => called.toLowerCase().endsWith(one))) return `The name must end with ${formats.join(" or ")}.`;
  if (chosen.size > Number(form.dataset.most)) return `The file has ${size(chosen.size)}; at most ${size(Number(form.dataset.most))} are taken (max_model_bytes).`;
  const there = await fetch(address, { cache: "no-store" });
  if (there.ok) return "There is a model of this name already. Remove it first, or give the file another name.";
  if (there.status !== 404) return (await there.json()).message;
  return isSafe(called) ? faultOf(chosen) : "";
}

function upload(chosen, address) {
  return new Promise((resolve, reject) => {
    request = new XMLHttpRequest();
    let began = performance.now(), sent = 0;
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      sent = loaded;
      bar.value = loaded / total;
      const seconds = (performance.now() - began) / 1000;
      const rate = seconds > 1 ? `, ${size(loaded / seconds)} a second` : "";
      soFar.textContent = loaded < total ? `${size(loaded)} of ${size(total)}, ${Math.floor((100 * loaded) / total)} %${rate}` : "All is sent; the server looks at it.";
    });
    request.addEventListener("load", () => {
      if (request.status === 201) return resolve();
      let message = `The server said ${request.status}.`;
      try { message = JSON.parse(request.responseText).message ?? message; } catch { /* a proxy's own page */ }
      return reject(new Error(message));
    });
    request.addEventListener("error", () => reject(new Error(`The connection broke off after ${size(sent)}. Is the server there, and has it room? A proxy in front of it may take no files as large as this one.`)));
    request.addEventListener("abort", () => reject(new Error("Stopped; nothing of it is kept.")));
    request.open("PUT", address);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.send(chosen);
  });
}

async function renew() {
  const [mine, page] = [document.getElementById("registry"), await pageAt("/dashboard/models")];
  mine.replaceChildren(...document.adoptNode(page.getElementById("registry")).childNodes);
  tellTimes(mine);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = file.files[0], where = folder.value.trim(), called = name.value.trim() || chosen.name;
  const address = `/admin/api/models/${encodeURIComponent(where)}/${called.split("/").map(encodeURIComponent).join("/")}`;
  tell(refused, "");
  send.disabled = true;
  try {
    const problem = await problemOf(chosen, called, address);
    if (problem) throw new Error(problem);
    bar.value = 0;
    soFar.textContent = "";
    sending.hidden = stop.hidden = false;
    await upload(chosen, address);
    tell(said, `${where}/${called} is registered: whoever names it in a workflow may run it now.`);
    form.reset();
    await renew();
  } catch (error) {
    tell(refused, error.message);
  } finally {
    request = null;
    sending.hidden = stop.hidden = true;
    send.disabled = false;
  }
});
stop.addEventListener("click", () => request?.abort());
window.addEventListener("beforeunload", (event) => request && event.preventDefault());
document.getElementById("needs-scripts").remove();
send.disabled = false;
