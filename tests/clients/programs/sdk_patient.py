"""The official Python SDK while servers come and go: argv[1] has graphs by name as JSON; prints each one's end as JSON.

Each is submitted with its name as idempotency key and followed by its events. What breaks off on the way is done again.
"""

import json
import os
import sys
import time

import httpx
from comfy_sdk import Comfy
from comfy_sdk.exceptions import ComfyError, IdempotencyKeyReuse

_PATIENCE_SECONDS = 300.0
_PAUSE_SECONDS = 0.3


def again(do):
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return do()
        except (ComfyError, httpx.HTTPError) as error:
            if time.monotonic() > deadline:
                raise
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            time.sleep(_PAUSE_SECONDS)


def submitted(client, graph, name):
    try:
        return client.submit(client.workflows.from_json(graph), metadata={"name": name}, idempotency_key=name)
    except IdempotencyKeyReuse:
        # It was done, and the answer was lost.
        key = {"Authorization": f"Bearer {os.environ['COMFY_API_KEY']}"}
        address = f"{os.environ['COMFY_BASE_URL']}/api/v2/jobs"
        answer = httpx.get(address, params={"metadata[name]": name}, headers=key).raise_for_status()
        return client.jobs.get(answer.json()["jobs"][0]["id"])


def followed(client, graph, name):
    job = again(lambda: submitted(client, graph, name))

    def follow():
        for _ in job.events():
            pass
        return {"id": job.id, "status": job.wait(timeout=60).status}

    return again(follow)


with Comfy() as client:
    graphs = json.loads(sys.argv[1])
    print(json.dumps({name: followed(client, graph, name) for name, graph in graphs.items()}))
