"""The official Python SDK at a full queue: argv[1] has the graphs as JSON; prints what it saw as JSON."""

import json
import sys

import comfy_sdk.client
from comfy_sdk import Comfy
from comfy_sdk.exceptions import QueueFull

naps = json.loads(sys.argv[1])["naps"]
told = {}


with Comfy() as client:
    jobs = [client.submit(client.workflows.from_json(graph)) for graph in naps[:4]]
    told["statuses"] = [job.wait(timeout=240).status for job in jobs]

    # Without its patience it says so itself.
    comfy_sdk.client._QUEUE_RETRY_BUDGET = 0.0
    try:
        jobs.extend(client.submit(client.workflows.from_json(graph)) for graph in naps[4:])
    except QueueFull as error:
        told["refused"] = [type(error).__name__, error.retry_after >= 1]
    for job in jobs:
        job.cancel()
print(json.dumps(told))
