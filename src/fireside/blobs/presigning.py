"""Signed addresses of S3's protocol: a request that whoever knows its address may make, for a while, and no other.

The rules are those of AWS Signature Version 4 with the signature in the query ("Authenticating Requests: Using Query
Parameters"). Apart from obstore, whose `sign` takes neither parameters nor headers. It does no input or output.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

MOST_SECONDS = 7 * 24 * 3600
"""S3 signs for no longer."""
_ALGORITHM = "AWS4-HMAC-SHA256"
_SAFE = "-_.~"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key of the object store as the environment gives it."""

    id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presigner:
    """Signs for the objects below one place of one server, whose address must not be changed on the way."""

    key: AccessKey
    region: str
    base: str
    """What all addresses begin with, encoded: scheme, host, and the path to the bucket and the prefix."""

    @classmethod
    def like(cls, signed_url: str, object_name: str, key: AccessKey) -> "Presigner":
        """Learn the place and its region from an address that another signer has made of an object there."""
        parts = urlsplit(signed_url)
        scope = parse_qs(parts.query)["X-Amz-Credential"][0].removeprefix(key.id + "/").split("/")
        base = urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("/" + object_name), "", ""))
        return cls(key=key, region=scope[1], base=base)

    def at(self, endpoint: str) -> "Presigner":
        """Sign for the same place, at the address that others reach it by."""
        other, here = urlsplit(endpoint), urlsplit(self.base)
        base = urlunsplit((other.scheme, other.netloc, here.path, "", ""))
        return Presigner(key=self.key, region=self.region, base=base)

    def sign(
        self,
        method: str,
        name: str,
        now: datetime,
        seconds: int,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Give the address for one request; these headers (named in lower case) must come with it as they are here.

        An empty name means the bucket's place itself, for requests that name no object.
        """
        parts = urlsplit(f"{self.base}/{quote(name, safe='/' + _SAFE)}" if name else self.base)
        signed = {"host": parts.netloc, **(headers or {})}
        names = ";".join(sorted(signed))
        scope = f"{now:%Y%m%d}/{self.region}/s3/aws4_request"
        parameters = {
            **(query or {}),
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.key.id}/{scope}",
            "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(min(seconds, MOST_SECONDS)),
            "X-Amz-SignedHeaders": names,
        }
        if self.key.token:
            parameters["X-Amz-Security-Token"] = self.key.token
        asked = "&".join(sorted(f"{_encoded(one)}={_encoded(value)}" for one, value in parameters.items()))
        lines = "".join(f"{one}:{signed[one].strip()}\n" for one in sorted(signed))
        request = f"{method}\n{parts.path}\n{asked}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        signature = self._mac(scope, f"{_ALGORITHM}\n{parameters['X-Amz-Date']}\n{scope}\n{digest}")
        return urlunsplit((parts.scheme, parts.netloc, parts.path, f"{asked}&X-Amz-Signature={signature}", ""))

    def _mac(self, scope: str, text: str) -> str:
        key = b"AWS4" + self.key.secret.encode()
        for step in (*scope.split("/"), text):
            key = hmac.digest(key, step.encode(), hashlib.sha256)
        return key.hex()


def _encoded(text: str) -> str:
    return quote(text, safe=_SAFE)
