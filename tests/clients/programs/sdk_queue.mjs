// The official TypeScript SDK at a full queue: argv has the graphs as JSON and the key; prints what it saw as JSON.
import { Comfy } from "@comfyorg/sdk";

const { naps } = JSON.parse(process.argv[2]);
const client = new Comfy({ apiKey: process.argv[3] });
const told = {};
const submit = (graph) => client.submit(client.workflows.fromJson(graph));

// All at once, so that all but two of them wait for room by themselves.
const jobs = await Promise.all(naps.slice(0, 4).map(submit));
told.statuses = await Promise.all(jobs.map(async (job) => (await job.wait(240000)).status));

// Without its patience it says so itself.
let now = 0;
performance.now = () => (now += 1e9);
try {
  for (const graph of naps.slice(4)) jobs.push(await submit(graph));
} catch (error) {
  told.refused = [error.constructor.name, error.retryAfter >= 1];
}
for (const job of jobs) await job.cancel();
console.log(JSON.stringify(told));
