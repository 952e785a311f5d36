// The one script of this server's own beside the editor: the ways out of it, and what ends with a session.
import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const commands = [
  { id: "Fireside.Jobs", label: "All jobs", icon: "pi pi-list", function: () => location.assign("/dashboard") },
  { id: "Fireside.Account", label: "Account and keys", icon: "pi pi-user", function: () => location.assign("/account") },
  { id: "Fireside.SignOut", label: "Sign out", icon: "pi pi-sign-out", function: signOut },
];

// The job that the address asks for, such as /?job=…: it is opened once the editor has what was open before.
let wanted = new URLSearchParams(location.search).get("job");
let waiting;

app.registerExtension({
  name: "Fireside",
  commands,
  menuCommands: [{ path: ["Fireside"], commands: commands.map((command) => command.id) }],
  afterConfigureGraph() {
    clearTimeout(waiting);
    if (wanted) waiting = setTimeout(openJob, 500);
  },
});

// Opened without a workflow, the editor draws one of its own. Where no worker has that one's nodes, it would begin with a
// warning about them; an empty canvas is the better start.
const NODES = [
  ...["UNETLoader", "CLIPLoader", "VAELoader", "ModelSamplingAuraFlow", "CLIPTextEncode"],
  ...["EmptySD3LatentImage", "KSampler", "VAEDecode", "SaveImage"],
];
const EMPTY = { last_node_id: 0, last_link_id: 0, nodes: [], links: [], groups: [], config: {}, extra: {}, version: 0.4 };
const loadGraphData = app.loadGraphData.bind(app);
app.loadGraphData = (graph, ...more) => {
  const hasNodes = NODES.every((name) => name in LiteGraph.registered_node_types);
  return loadGraphData(graph ?? (hasNodes ? graph : EMPTY), ...more);
};

async function openJob() {
  const id = wanted;
  wanted = null;
  const address = new URL(location.href);
  address.searchParams.delete("job");
  history.replaceState(history.state, "", address);
  const answer = await fetch(`/api/jobs/${encodeURIComponent(id)}`);
  if (!answer.ok) return tell("There is no such job.");
  const { prompt, extra_data } = (await answer.json()).workflow;
  const drawn = extra_data?.extra_pnginfo?.workflow;
  const name = `job-${id.slice(0, 8)}`;
  if (drawn?.nodes) await app.loadGraphData(drawn, true, true, name);
  else await app.loadApiJson(prompt, name);
}

function tell(detail) {
  app.extensionManager.toast.add({ severity: "error", summary: "Fireside", detail, life: 5000 });
}

function signOut() {
  // A form, not a fetch: the browser follows it to the page that empties its storage.
  const form = document.createElement("form");
  form.method = "post";
  form.action = "/logout";
  document.body.append(form);
  form.submit();
}

// The websocket is closed when a session ends, and the editor would knock for ever without a word.
api.addEventListener("reconnecting", async () => {
  const answer = await fetch("/api/user", { cache: "no-store" }).catch(() => undefined);
  if (answer?.status === 401) location.assign("/login");
});

// Somebody has signed out, or in as another user, in another tab: what is open here is no longer to be kept.
new BroadcastChannel("fireside").addEventListener("message", () => {
  Storage.prototype.setItem = () => {};
  window.addEventListener("beforeunload", (event) => event.stopImmediatePropagation(), true);
  window.name = "";
  sessionStorage.clear();
  location.reload();
});
