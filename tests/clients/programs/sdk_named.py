"""A saved workflow run by its name with the official SDK's help, as docs/workflows.md says; prints what came of it."""

import json
import os
import sys
import urllib.request

from comfy_sdk import Comfy

graphs = json.loads(sys.argv[1])
url, key = os.environ["COMFY_BASE_URL"], os.environ["COMFY_API_KEY"]
headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}


def send(path, body):
    """Post JSON and read the answer."""
    request = urllib.request.Request(f"{url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


send("/api/userdata/workflows%2Finvert.json", graphs["saved"])
with Comfy() as client:
    photo = client.assets.from_bytes(bytes.fromhex(graphs["picture"]), filename="photo.png", content_type="image/png")
    started = send("/api/v2/fireside/workflows/invert/jobs", {"photo": photo.as_reference(), **graphs["inputs"]})
    job = client.jobs.get(started["id"]).result()
    (output,) = job.outputs
    again = send("/api/v2/fireside/workflows/invert/jobs", {"photo": output.id, **graphs["inputs"]})
    ended = client.jobs.get(again["id"]).result()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/api/v2/jobs/{job.id}", headers=headers)) as answer:
        named = json.load(answer)["fireside"]
    print(
        json.dumps(
            {
                "statuses": [job.status, ended.status],
                "named": named["outputs"] == {"picture": [output.id]},
                "inputs": {name: value for name, value in named["inputs"].items() if name != "photo"},
                "name": output.name,
                "bytes": output.to_bytes()[:4].hex(),
            }
        )
    )
