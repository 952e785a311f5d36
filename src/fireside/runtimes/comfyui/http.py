"""HTTP to a ComfyUI, and to our bridge in it: one question, one answer, one deadline."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

BRIDGE = "/fireside"


class NoAnswer(Exception):
    """A ComfyUI, or the bridge in it, did not answer as it should; the message says what was asked."""


async def ask(
    url: str, path: str, *, seconds: float, headers: Mapping[str, str] | None = None, body: Any = None
) -> httpx.Response:
    """Get the path, or post the body to it, and give whatever answer comes; raise `NoAnswer` when none does.

    Proxies of the environment are not for what runs on this machine or beside it.
    """
    content = None if body is None else msgspec.json.encode(body)
    kinds = {} if body is None else {"content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, verify=url.startswith("https:"), timeout=seconds) as client:
        try:
            return await client.request(
                "GET" if body is None else "POST", url + path, content=content, headers={**kinds, **(headers or {})}
            )
        except httpx.HTTPError as error:
            raise NoAnswer(f"{path} was not answered: {error or type(error).__name__}") from error


async def ask_json(
    url: str, path: str, *, seconds: float, headers: Mapping[str, str] | None = None, body: Any = None
) -> Any:
    """Ask, and decode the answer; raise `NoAnswer` also when it is a refusal or no JSON."""
    answer = await ask(url, path, seconds=seconds, headers=headers, body=body)
    if not answer.is_success:
        raise NoAnswer(f"{path} was answered with status {answer.status_code}")
    try:
        return msgspec.json.decode(answer.content)
    except msgspec.MsgspecError as error:
        raise NoAnswer(f"{path} was answered with what is no JSON") from error
