"""The official Python SDK, asynchronous, at a full queue: argv[1] has the graphs; prints what it saw as JSON."""

import asyncio
import json
import sys

import comfy_sdk.client
from comfy_sdk import AsyncComfy
from comfy_sdk.exceptions import QueueFull

naps = json.loads(sys.argv[1])["naps"]
told = {}


async def main():
    async with AsyncComfy() as client:
        # All at once, so that all but two of them wait for room by themselves.
        jobs = await asyncio.gather(*(client.submit(client.workflows.from_json(graph)) for graph in naps[:4]))
        told["statuses"] = [(await job.wait(timeout=240)).status for job in jobs]

        # Without its patience it says so itself.
        comfy_sdk.client._QUEUE_RETRY_BUDGET = 0.0
        try:
            for graph in naps[4:]:
                jobs.append(await client.submit(client.workflows.from_json(graph)))
        except QueueFull as error:
            told["refused"] = [type(error).__name__, error.retry_after >= 1]
        for job in jobs:
            await job.cancel()


asyncio.run(main())
print(json.dumps(told))
