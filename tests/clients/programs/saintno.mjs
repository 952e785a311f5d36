// @saintno/comfyui-sdk as its README shows it: argv has the address, and maybe a key; prints what it saw as JSON.
import { CallWrapper, ComfyApi, PromptBuilder } from "@saintno/comfyui-sdk";

const [host, key] = process.argv.slice(2);
const credentials = key ? { type: "bearer_token", token: key } : undefined;
const api = new ComfyApi(host, "saintno-client", { credentials });
await api.init().waitForReady();

const graph = {
  1: { class_type: "LoadImage", inputs: { image: "" } },
  2: { class_type: "ImageInvert", inputs: { image: ["1", 0] } },
  3: { class_type: "SaveImage", inputs: { images: ["2", 0], filename_prefix: "saintno" } },
};
const white = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC",
  "base64",
);
const uploaded = await api.uploadImage(white, "white.png");
const workflow = new PromptBuilder(graph, ["image"], ["pictures"])
  .setInputNode("image", "1.inputs.image")
  .setOutputNode("pictures", "3")
  .input("image", uploaded.info.filename);

const seen = [];
const finished = await new Promise((resolve, reject) => {
  new CallWrapper(api, workflow)
    .onPending(() => seen.push("pending"))
    .onStart(() => seen.push("start"))
    .onFinished((data) => resolve(data))
    .onFailed((error) => reject(error))
    .run();
});
const [picture] = finished.pictures.images;
const bytes = Buffer.from(await (await api.getImage(picture)).arrayBuffer());
const nodes = await api.getNodeDefs("ImageInvert");
const queue = await api.getQueue();
const history = await api.getHistories();
console.log(
  JSON.stringify({
    seen,
    filename: picture.filename,
    magic: bytes.subarray(1, 4).toString(),
    address: api.getPathImage(picture),
    nodes: Object.keys(nodes ?? {}),
    waiting: queue.queue_pending.length,
    history: Object.keys(history).length,
  }),
);
api.destroy();
process.exit(0);
