"""The official Python SDK at a full queue: argv[1] has the graphs as JSON; prints what it saw as JSON."""

import json
import sys

import comfy_sdk.client
from comfy_sdk import Comfy
from comfy_sdk.exceptions import QueueFull

graphs = json.loads(sys.argv[1])
told = {}


def nap(client, number):
    graph = json.loads(json.dumps(graphs["slow"]))
    graph["1"]["inputs"]["color"] = number
    graph["9"]["inputs"] |= {"seconds": 1.0, "steps": 5}
    return client.workflows.from_json(graph)


with Comfy() as client:
    jobs = [client.submit(nap(client, number)) for number in range(4)]
    told["statuses"] = [job.wait(timeout=60).status for job in jobs]

    # Without its patience it says so itself.
    comfy_sdk.client._QUEUE_RETRY_BUDGET = 0.0
    try:
        jobs.extend(client.submit(nap(client, number)) for number in range(4, 8))
    except QueueFull as error:
        told["refused"] = [type(error).__name__, error.retry_after >= 1]
    for job in jobs:
        job.cancel()
print(json.dumps(told))
