"""The official Python SDK, synchronous: argv[1] has the graphs as JSON; prints what it saw as JSON."""

import contextlib
import json
import sys
import urllib.request
from pathlib import Path

from comfy_sdk import Comfy
from comfy_sdk.events import OutputReady, Progress, StatusChange
from comfy_sdk.exceptions import ComfyError, JobFailed, translating

graphs = json.loads(sys.argv[1])
picture = bytes.fromhex(graphs["picture"])
told = {}


def name_of(call):
    try:
        call()
    except (ComfyError, ValueError) as error:
        return type(error).__name__
    return "nothing"


def submit_unseen(graph):
    """Submit what the SDK itself would refuse to send."""
    with translating():
        client._low.post_jobs(graph)


def mint(digest):
    """Ask for an asset of bytes by their hash, without asking first whether there are any."""
    with translating():
        client._low.asset_from_hash(digest)


with Comfy() as client:
    asset = client.assets.from_bytes(picture, filename="photo.png")
    asset.commit()
    again = client.assets.from_bytes(picture, filename="photo.png")
    told["uploads"] = [asset.created_new, again.commit() == asset.id, again.created_new]

    labels = {"run": graphs["run"], "kind": "invert"}
    workflow = client.workflows.from_json(graphs["invert"])
    workflow.set_input("1", "image", asset)
    job = client.submit(workflow, metadata=labels, idempotency_key=graphs["run"])
    events = list(job.events())
    told["events"] = [event.status for event in events if isinstance(event, StatusChange)]
    told["has_progress"] = any(isinstance(event, Progress) for event in events)
    streamed = [event.output.id for event in events if isinstance(event, OutputReady)]
    job.result()
    (output,) = job.outputs
    told["output"] = [output.type, output.content_type, output.job_id == job.id, streamed == [output.id]]
    whole = output.to_bytes()
    told["bytes"] = [
        output.to_file("result.png").stat().st_size == output.size_bytes == len(whole),
        output.to_bytes(range=(1, 3)) == whole[1:4],
        whole[:4].hex(),
    ]
    address = output.get_download_url()
    with urllib.request.urlopen(address.url) as answer:
        told["address"] = [answer.read() == whole, address.expires_at is not None]
    told["metadata"] = job.metadata == labels

    rehydrated = client.jobs.get(job.id)
    told["rehydrated"] = [rehydrated.status, [one.id for one in rehydrated.outputs] == [output.id]]
    graph = rehydrated.get_workflow()
    told["workflow"] = [graph.format, graph.graph["1"]["inputs"]["image"]]

    workflow.set_input("1", "image", client.assets.get(output.id))
    second = client.run(workflow, timeout=240)
    told["of_an_output"] = second.status

    slow = client.submit(client.workflows.from_json(graphs["slow"]), metadata={"run": graphs["run"]})
    for event in slow.events():
        if isinstance(event, StatusChange) and event.status == "running":
            break
    waiting = client.submit(client.workflows.from_json(graphs["slow"]), metadata={"run": graphs["run"]})
    told["cancel"] = [waiting.cancel().status, slow.cancel().status, slow.wait(timeout=240).status]

    failing = client.submit(client.workflows.from_json(graphs["failing"]))
    try:
        failing.result()
    except JobFailed as error:
        node = error.error
        told["failed"] = [error.code, node.node_id, node.class_type, bool(node.message), bool(node.traceback)]

    unknown = client.workflows.from_json({"1": {"class_type": "Nope", "inputs": {}}})
    try:
        client.submit(unknown)
    except ComfyError as error:
        told["invalid"] = [type(error).__name__, list(error.details["node_errors"]), bool(error.request_id)]
    workflow.set_input("1", "image", {"__type": "core/ASSET", "info": {"id": job.id}})
    broken = client.assets.from_bytes(picture + b"!", filename="broken.png")
    broken._hash = "blake3:" + "0" * 64
    told["errors"] = {
        "bytes": name_of(broken.commit),
        "hash": name_of(lambda: mint("blake3:" + "0" * 64)),
        "format": name_of(lambda: submit_unseen({"nodes": [], "links": []})),
        "missing": name_of(lambda: client.submit(workflow)),
        "editor": name_of(lambda: client.submit(client.workflows.from_json({"nodes": [], "links": []}))),
        "reuse": name_of(
            lambda: client.submit(client.workflows.from_json(graphs["slow"]), idempotency_key=graphs["run"])
        ),
        "job": name_of(lambda: client.jobs.get("00000000-0000-4000-8000-000000000000")),
        "key": name_of(lambda: Comfy(api_key="nobody").jobs.get(job.id)),
        "labels": name_of(lambda: client.submit(client.workflows.from_json(graphs["slow"]), metadata={"a b": "c"})),
    }

    listed = list(client.list_jobs(metadata={"run": graphs["run"]}, limit=1))
    both = list(client.list_jobs(metadata=labels))
    told["listed"] = [[one.status for one in listed], [one.id for one in both] == [job.id]]
    told["times"] = both[0].create_time is not None and both[0].update_time is not None

    asset.delete()
    told["deleted"] = name_of(lambda: client.assets.delete(again.id))
    with contextlib.suppress(OSError):
        Path("result.png").unlink()
print(json.dumps(told))
