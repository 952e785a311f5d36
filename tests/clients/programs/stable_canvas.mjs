// @stable-canvas/comfyui-client as its README shows it: argv has the address; prints what it saw as JSON.
import { createRequire } from "node:module";
import WebSocket from "ws";

const { Client } = createRequire(import.meta.url)("@stable-canvas/comfyui-client");
const [host] = process.argv.slice(2);
const client = new Client({ api_host: new URL(host).host, WebSocket, fetch });
const [stats] = await Promise.all([client.getSystemStats(), client.connect()]);

const graph = (color) => ({
  1: { class_type: "EmptyImage", inputs: { width: 16, height: 16, batch_size: 1, color } },
  2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "stable-canvas" } },
});
const followed = await client.enqueue(graph(1));
const polled = await client.enqueue_polling(graph(2));
const queue = await client.getQueue();
const history = await client.getHistory();
await client.interrupt();
await client.free({ unload_models: true, free_memory: true });
console.log(
  JSON.stringify({
    system: typeof stats.system.os,
    images: [followed.images.length, polled.images.length],
    types: [followed.images[0].type, polled.images[0].type],
    addresses: [followed.images[0].data, polled.images[0].data],
    queue: Object.keys(queue).sort(),
    history: history.History?.length,
    samplers: await client.getSamplers().catch((error) => String(error)),
  }),
);
client.close();
process.exit(0);
