"""Which encodings a client takes."""

from starlette.requests import Request


def takes_gzip(request: Request) -> bool:
    """Tell whether the client names gzip in Accept-Encoding, and not with a weight of zero."""
    for entry in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = entry.replace(" ", "").partition(";")
        if coding == "gzip":
            return weight.rstrip("0") not in ("q=", "q=.", "q=0.")
    return False
