"""The ids by which browsers' tabs know themselves at the websocket.

A tab keeps its id for as long as the browser keeps the tab, over sign-outs. So an id says whose it is, and a browser
that comes with another user's is given a new one. Programs choose their ids themselves and keep them.
"""

import hmac
from hashlib import sha256
from uuid import uuid4

from starlette.requests import HTTPConnection

from fireside.domain.accounts import PrincipalKind
from fireside.server.callers import caller_of, services_of

_RANDOM_DIGITS = 32
_MARK_DIGITS = 16


def client_id_of(connection: HTTPConnection) -> str:
    """Give the id that the client asks for, or a new one where it asks for none or may not have it."""
    wanted, caller = connection.query_params.get("clientId") or "", caller_of(connection)
    if caller.kind is not PrincipalKind.SESSION:
        return wanted or uuid4().hex
    key = services_of(connection).keys.derive("client ids")
    random = wanted[:_RANDOM_DIGITS]
    own = random + _mark(key, f"{caller.user.id}:{random}")
    if hmac.compare_digest(own.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass")):
        return wanted
    random = uuid4().hex
    return random + _mark(key, f"{caller.user.id}:{random}")


def _mark(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:_MARK_DIGITS]
