// The official TypeScript SDK: argv has the graphs as JSON and the key; prints what it saw as JSON.
import { readFile } from "node:fs/promises";
import { Comfy } from "@comfyorg/sdk";
// What the SDK does below its own checks.
import { translate } from "./node_modules/@comfyorg/sdk/dist/sdk/exceptions.js";

const graphs = JSON.parse(process.argv[2]);
const client = new Comfy({ apiKey: process.argv[3] });
const picture = Buffer.from(graphs.picture, "hex");
const told = {};

async function nameOf(call) {
  try {
    await call();
  } catch (error) {
    return error.constructor.name;
  }
  return "nothing";
}

const asset = client.assets.fromBytes(picture, { filename: "photo.png" });
await asset.commit();
const again = client.assets.fromBytes(picture, { filename: "photo.png" });
told.uploads = [asset.createdNew, (await again.commit()) === asset.id, again.createdNew];

const workflow = client.workflows.fromJson(graphs.invert);
workflow.setInput("1", "image", asset);
const job = await client.submit(workflow, { idempotencyKey: graphs.run });
const events = [];
for await (const event of job.events()) events.push(event);
told.events = events.filter((event) => event.kind === "statusChange").map((event) => event.status);
told.has_progress = events.some((event) => event.kind === "progress");
const streamed = events.filter((event) => event.kind === "outputReady").map((event) => event.output.id);
await job.result();
const [output] = job.outputs;
told.output = [output.type, output.contentType, output.jobId === job.id, streamed.join() === output.id];
const whole = Buffer.from(await output.toBytes());
const file = await readFile(await output.toFile("result.png"));
const part = Buffer.from(await output.toBytes({ range: [1, 3] }));
told.bytes = [
  file.length === output.sizeBytes && file.equals(whole),
  part.equals(whole.subarray(1, 4)),
  whole.subarray(0, 4).toString("hex"),
];
const address = await output.getDownloadUrl();
const content = Buffer.from(await (await fetch(address.url)).arrayBuffer());
told.address = [content.equals(whole), address.expiresAt !== null];

const rehydrated = await client.jobs.get(job.id);
told.rehydrated = [rehydrated.status, rehydrated.outputs.map((one) => one.id).join() === output.id];
const graph = await rehydrated.getWorkflow();
told.workflow = [graph.format, (graph.workflow ?? graph.graph)["1"].inputs.image];

workflow.setInput("1", "image", await client.assets.get(output.id));
told.of_an_output = (await client.run(workflow, { timeoutMs: 240000 })).status;

const slow = await client.submit(client.workflows.fromJson(graphs.slow));
for await (const event of slow.events()) {
  if (event.kind === "statusChange" && event.status === "running") break;
}
const waiting = await client.submit(client.workflows.fromJson(graphs.slow));
told.cancel = [(await waiting.cancel()).status, (await slow.cancel()).status, (await slow.wait(240000)).status];

const failing = await client.submit(client.workflows.fromJson(graphs.failing));
try {
  await failing.result();
} catch (error) {
  const node = error.error;
  told.failed = [error.code, node?.node_id, node?.class_type, Boolean(node?.message), Boolean(node?.traceback)];
}

try {
  await client.submit(client.workflows.fromJson({ 1: { class_type: "Nope", inputs: {} } }));
} catch (error) {
  told.invalid = [error.constructor.name, Object.keys(error.details.node_errors), Boolean(error.requestId ?? true)];
}
workflow.setInput("1", "image", { __type: "core/ASSET", info: { id: job.id } });
const plain = client.workflows.fromJson(graphs.slow);
const nothing = `blake3:${"0".repeat(64)}`;
const broken = client.assets.fromBytes(Buffer.concat([picture, Buffer.from("!")]), { filename: "broken.png" });
broken.hashValue = nothing;
told.errors = {
  bytes: await nameOf(() => broken.commit()),
  hash: await nameOf(() => translate(() => client.low.assetFromHash(nothing))),
  format: await nameOf(() => translate(() => client.low.postJobs({ nodes: [], links: [] }))),
  missing: await nameOf(() => client.submit(workflow)),
  editor: await nameOf(() => client.submit(client.workflows.fromJson({ nodes: [], links: [] }))),
  reuse: await nameOf(() => client.submit(plain, { idempotencyKey: graphs.run })),
  job: await nameOf(() => client.jobs.get("00000000-0000-4000-8000-000000000000")),
  key: await nameOf(() => new Comfy({ apiKey: "nobody" }).jobs.get(job.id)),
};

await asset.delete();
told.deleted = await nameOf(() => client.assets.delete(again.id));
console.log(JSON.stringify(told));
