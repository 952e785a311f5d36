"""The bridge: a node pack without nodes, loaded into a ComfyUI that Fireside supervises.

It answers below `/fireside/` what ComfyUI's own routes do not: definitions without anybody's files, which classes have
validators of their own and what these say, model files with sizes, what is installed, and memory that is really free.
It runs in ComfyUI's Python, so it imports nothing of Fireside and needs nothing that ComfyUI does not; it writes
nothing outside of the worker's own folder. Without the token of the supervisor that started this process it answers
nothing.
"""

import asyncio
import functools
import hmac
import importlib
import ipaddress
import os
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import web

from . import ahead, checking, elsewhere, inventory, running  # noqa: TID252 - ComfyUI loads us by path, under a name of its own

NODE_CLASS_MAPPINGS: dict[str, Any] = {}
# Taken out, so that what nodes start does not inherit it.
_TOKEN = os.environ.pop("FIRESIDE_BRIDGE_TOKEN", "")
_MOST_CHECKS = 8
_MOST_CHECK_SECONDS = 30.0
_FREE_SECONDS = 30.0
_POLL_SECONDS = 0.02
_checks = threading.BoundedSemaphore(_MOST_CHECKS)
_Handler = Callable[[web.Request], Any]


def _install(server: Any) -> None:
    routes = server.routes
    one_at_a_time = asyncio.Lock()
    elsewhere.install()
    running.install(server)
    _install_ahead(routes)
    _install_models(routes)

    @routes.get("/fireside/hello")
    @_guarded
    async def hello(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        # All node packs, and the folders that they have added, are there by now.
        elsewhere.add_fetched_folders()
        running.leave_alone_what_is_loaded()
        return web.json_response({"pid": os.getpid()})

    @routes.get("/fireside/executor")
    @_guarded
    async def executor(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        """Say whether the thread that runs prompts is there: without it they are taken and never run."""
        return web.json_response({"alive": running.executor_is_alive()})

    @routes.get("/fireside/object_info")
    @_guarded
    async def object_info(request: web.Request) -> web.Response:  # pyright: ignore[reportUnusedFunction]
        """Answer as ComfyUI's own route does, without the files and models that jobs have here just now."""
        own = next(route.handler for route in routes if (route.method, route.path) == ("GET", "/object_info"))
        async with one_at_a_time:
            with elsewhere.empty_input_folder(), elsewhere.own_models():
                return await own(request)

    @routes.get("/fireside/validators")
    @_guarded
    async def validators(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        return web.json_response(await _in_thread(checking.classes_with_validators))

    @routes.get("/fireside/snapshot")
    @_guarded
    async def snapshot(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        return web.json_response(await _in_thread(inventory.snapshot))

    @routes.post("/fireside/check")
    @_guarded
    async def check(request: web.Request) -> web.Response:  # pyright: ignore[reportUnusedFunction]
        """Take `{graph, nodes, seconds}`; answer `{node_id: [{type, message, details, extra_info}]}`."""
        asked = await request.json()
        seconds = min(float(asked["seconds"]), _MOST_CHECK_SECONDS)
        work = _in_thread(functools.partial(_check, asked["graph"], asked["nodes"]))
        return web.json_response(await asyncio.wait_for(work, seconds))

    @routes.post("/fireside/free")
    @_guarded
    async def free(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        """Unload models and empty the caches; what is queued after the answer runs after that.

        ComfyUI's own `/free` only leaves a note, which a prompt that is queued soon overtakes.
        """
        queue = server.prompt_queue
        # It unloads the models as well.
        queue.set_flag("free_memory", True)  # noqa: FBT003 - a flag's value
        await asyncio.wait_for(_until_taken(queue), _FREE_SECONDS)
        return web.json_response({})


def _install_ahead(routes: Any) -> None:
    @routes.post("/fireside/begin")
    @_guarded
    async def begin(request: web.Request) -> web.Response:  # pyright: ignore[reportUnusedFunction]
        """Take `{prompt_id}`; let a prompt run that is held back, or answer 404."""
        return web.Response(status=200 if ahead.begin((await request.json())["prompt_id"]) else 404)

    @routes.post("/fireside/drop")
    @_guarded
    async def drop(request: web.Request) -> web.Response:  # pyright: ignore[reportUnusedFunction]
        """Take `{prompt_id}`; forget a prompt that is held back, or answer 404."""
        return web.Response(status=200 if ahead.drop((await request.json())["prompt_id"]) else 404)


def _install_models(routes: Any) -> None:
    @routes.get("/fireside/models")
    @_guarded
    async def models(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        return web.json_response(await _in_thread(inventory.models))

    @routes.get("/fireside/model_inputs")
    @_guarded
    async def model_inputs(request: web.Request) -> web.Response:  # noqa: ARG001 # pyright: ignore[reportUnusedFunction]
        """Answer `{class: {input: folder}}` for inputs that list models."""
        return web.json_response(await _in_thread(inventory.model_inputs))

    @routes.post("/fireside/model_paths")
    @_guarded
    async def model_paths(request: web.Request) -> web.Response:  # pyright: ignore[reportUnusedFunction]
        """Take `{names}`; answer `{folder/name: path}`."""
        names = (await request.json())["names"]
        return web.json_response(await _in_thread(functools.partial(inventory.model_paths, names)))


def _guarded(handler: _Handler) -> _Handler:
    """Let in whoever knows the token, from this machine, and is no browser's page."""

    @functools.wraps(handler)
    async def guarded(request: web.Request) -> web.Response:
        shown = request.headers.get("x-fireside-token", "")
        is_page = "Origin" in request.headers or "Sec-Fetch-Site" in request.headers
        if is_page or not _is_local(request) or not hmac.compare_digest(shown.encode(), _TOKEN.encode()):
            return web.Response(status=403)
        try:
            return await handler(request)
        except asyncio.TimeoutError:  # noqa: UP041 - another one in Python 3.10
            return web.Response(status=504)
        except _BusyError:
            return web.Response(status=503)
        except checking.UnsupportedError:
            return web.Response(status=501)
        except (KeyError, TypeError, ValueError):
            return web.Response(status=400)

    return guarded


def _is_local(request: web.Request) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


async def _until_taken(queue: Any) -> None:
    """Wait until the thread that executes prompts has read its notes; it acts on them before it takes a prompt."""
    while queue.flags:
        # It does not look before it waits, so a note that was left a moment too early waits with it.
        with queue.mutex:
            queue.not_empty.notify()
        await asyncio.sleep(_POLL_SECONDS)


class _BusyError(Exception):
    """So many validators do not come back that no other one is asked."""


def _check(graph: dict[str, Any], node_ids: list[str]) -> Any:
    if not _checks.acquire(blocking=False):
        raise _BusyError
    try:
        return checking.refusals(graph, node_ids)
    finally:
        _checks.release()


async def _in_thread(work: Callable[[], Any]) -> Any:
    """Do it beside the event loop, in a thread that keeps neither a pool nor the end of the process waiting."""
    loop = asyncio.get_running_loop()
    result = loop.create_future()

    def tell(deliver: Callable[[], None]) -> None:
        if not result.done():
            deliver()

    def run() -> None:
        try:
            answer = work()
            deliver = functools.partial(result.set_result, answer)
        except Exception as error:  # noqa: BLE001 - the edge of a thread; it is raised where it is waited for
            deliver = functools.partial(result.set_exception, error)
        loop.call_soon_threadsafe(tell, deliver)

    threading.Thread(target=run, name="fireside bridge", daemon=True).start()
    return await result


if _TOKEN:
    _install(importlib.import_module("server").PromptServer.instance)
