"""The official Python SDK, asynchronous: argv[1] has the graphs as JSON; prints what it saw as JSON."""

import asyncio
import json
import sys
import urllib.request

from comfy_sdk import AsyncComfy
from comfy_sdk.events import OutputReady, Progress, StatusChange
from comfy_sdk.exceptions import ComfyError, JobFailed, translating

graphs = json.loads(sys.argv[1])
picture = bytes.fromhex(graphs["picture"])
told = {}


async def name_of(call):
    try:
        await call
    except (ComfyError, ValueError) as error:
        return type(error).__name__
    return "nothing"


async def translated(call):
    """Do what the SDK does below its own checks."""
    with translating():
        return await call


async def main():
    async with AsyncComfy() as client:
        asset = client.assets.from_bytes(picture, filename="photo.png")
        await asset.commit()
        again = client.assets.from_bytes(picture, filename="photo.png")
        told["uploads"] = [asset.created_new, await again.commit() == asset.id, again.created_new]

        labels = {"run": graphs["run"], "kind": "invert"}
        workflow = client.workflows.from_json(graphs["invert"])
        workflow.set_input("1", "image", asset)
        job = await client.submit(workflow, metadata=labels, idempotency_key=graphs["run"])
        events = [event async for event in job.events()]
        told["events"] = [event.status for event in events if isinstance(event, StatusChange)]
        told["has_progress"] = any(isinstance(event, Progress) for event in events)
        streamed = [event.output.id for event in events if isinstance(event, OutputReady)]
        await job.result()
        (output,) = job.outputs
        told["output"] = [output.type, output.content_type, output.job_id == job.id, streamed == [output.id]]
        whole = await output.to_bytes()
        file = await output.to_file("result.png")
        told["bytes"] = [
            file.stat().st_size == output.size_bytes == len(whole),
            await output.to_bytes(range=(1, 3)) == whole[1:4],
            whole[:4].hex(),
        ]
        address = await output.get_download_url()
        content = await asyncio.to_thread(lambda: urllib.request.urlopen(address.url).read())
        told["address"] = [content == whole, address.expires_at is not None]
        told["metadata"] = job.metadata == labels

        rehydrated = await client.jobs.get(job.id)
        told["rehydrated"] = [rehydrated.status, [one.id for one in rehydrated.outputs] == [output.id]]
        graph = await rehydrated.get_workflow()
        told["workflow"] = [graph.format, graph.graph["1"]["inputs"]["image"]]

        workflow.set_input("1", "image", await client.assets.get(output.id))
        told["of_an_output"] = (await client.run(workflow, timeout=240)).status

        slow = await client.submit(client.workflows.from_json(graphs["slow"]), metadata={"run": graphs["run"]})
        async for event in slow.events():
            if isinstance(event, StatusChange) and event.status == "running":
                break
        waiting = await client.submit(client.workflows.from_json(graphs["slow"]), metadata={"run": graphs["run"]})
        told["cancel"] = [
            (await waiting.cancel()).status,
            (await slow.cancel()).status,
            (await slow.wait(timeout=240)).status,
        ]

        failing = await client.submit(client.workflows.from_json(graphs["failing"]))
        try:
            await failing.result()
        except JobFailed as error:
            node = error.error
            told["failed"] = [error.code, node.node_id, node.class_type, bool(node.message), bool(node.traceback)]

        try:
            await client.submit(client.workflows.from_json({"1": {"class_type": "Nope", "inputs": {}}}))
        except ComfyError as error:
            told["invalid"] = [type(error).__name__, list(error.details["node_errors"]), bool(error.request_id)]
        workflow.set_input("1", "image", {"__type": "core/ASSET", "info": {"id": job.id}})
        plain = client.workflows.from_json(graphs["slow"])
        broken = client.assets.from_bytes(picture + b"!", filename="broken.png")
        broken._hash = "blake3:" + "0" * 64
        told["errors"] = {
            "bytes": await name_of(broken.commit()),
            "hash": await name_of(translated(client._low.asset_from_hash("blake3:" + "0" * 64))),
            "format": await name_of(translated(client._low.post_jobs({"nodes": [], "links": []}))),
            "missing": await name_of(client.submit(workflow)),
            "editor": await name_of(client.submit(client.workflows.from_json({"nodes": [], "links": []}))),
            "reuse": await name_of(client.submit(plain, idempotency_key=graphs["run"])),
            "job": await name_of(client.jobs.get("00000000-0000-4000-8000-000000000000")),
            "key": await name_of(AsyncComfy(api_key="nobody").jobs.get(job.id)),
            "labels": await name_of(client.submit(plain, metadata={"a b": "c"})),
        }

        listed = [one async for one in client.list_jobs(metadata={"run": graphs["run"]}, limit=1)]
        both = [one async for one in client.list_jobs(metadata=labels)]
        told["listed"] = [[one.status for one in listed], [one.id for one in both] == [job.id]]
        told["times"] = both[0].create_time is not None and both[0].update_time is not None

        await asset.delete()
        told["deleted"] = await name_of(client.assets.delete(again.id))


asyncio.run(main())
print(json.dumps(told))
