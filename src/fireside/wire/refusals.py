"""What a refusal looks like on the wire."""

from typing import Any

import msgspec


class RefusalBody(msgspec.Struct, frozen=True, kw_only=True):
    """The Cloud API's error body; `error` repeats the message for clients of the local API."""

    code: str
    message: str
    error: str


class PromptProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a workflow."""

    type: str
    message: str
    details: str
    extra_info: dict[str, Any]


class PromptRefusalBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a refused submit answers: the problem, and by node what is wrong there."""

    code: str
    message: str
    error: PromptProblem
    node_errors: dict[str, Any]


class AssetProblem(msgspec.Struct, frozen=True, kw_only=True):
    """The refusal once more, as newer clients of assets read it."""

    code: str
    message: str
    details: dict[str, Any]


class AssetRefusalBody(msgspec.Struct, frozen=True, kw_only=True):
    """What routes of assets refuse with; codes are in capitals."""

    code: str
    message: str
    error: AssetProblem


class EnvelopedRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a refusal of the API v2 says: a code that programs read, and a message for people."""

    code: str
    message: str
    details: dict[str, Any] | None = None


class EnvelopeBody(msgspec.Struct, frozen=True, kw_only=True):
    """The API v2's error body."""

    error: EnvelopedRefusal
