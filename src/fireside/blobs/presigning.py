"""Signed addresses of S3's protocol: a request that whoever knows its address may make, for a while, and no other.

The rules are those of AWS Signature Version 4 with the signature in the query ("Authenticating Requests: Using Query
Parameters"). Apart from obstore, whose `sign` takes neither parameters nor headers. It does no input or output.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    """Signs for the objects below one prefix of a bucket, at an address that must not be changed on the way."""

    key: AccessKey
    region: str
    address: str
    """Of the bucket, encoded, with its name in the host or in the path."""
    bucket: str
    prefix: str = ""

    @classmethod
    def like(cls, signed_url: str, key: AccessKey, bucket: str, prefix: str, name: str) -> "Presigner":
        """Learn the bucket's address and region from one that another signer has made of an object in it."""
        parts = urlsplit(signed_url)
        scope = parse_qs(parts.query)["X-Amz-Credential"][0].removeprefix(key.id + "/").split("/")
        path = parts.path.removesuffix(_path_of(prefix, name))
        address = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        return cls(key=key, region=scope[1], address=address, bucket=bucket, prefix=prefix)

    def at(self, endpoint: str) -> "Presigner":
        """Sign for the same bucket, at the address that others reach it by."""
        other, here = urlsplit(endpoint), urlsplit(self.address)
        return replace(self, address=urlunsplit((other.scheme, other.netloc, here.path, "", "")))

    def source(self, name: str) -> str:
        """Name an object as the source of a copy."""
        return f"/{_encoded(self.bucket)}{_path_of(self.prefix, name)}"

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

        An empty name means the bucket itself.
        """
        parts = urlsplit(self.address + (_path_of(self.prefix, name) if name else ""))
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
        request = f"{method}\n{parts.path or '/'}\n{asked}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
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


def _path_of(prefix: str, name: str) -> str:
    return "/" + quote(f"{prefix}/{name}" if prefix else name, safe="/" + _SAFE)
