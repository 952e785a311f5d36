"""A small OpenID provider on loopback: it really signs, wants PKCE, and takes each code once. Tests have it lie."""

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import BasicAuth, web
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT_ID = "fireside here"
CLIENT_SECRET = "s:cret/+"
ACCESS_TOKEN = "opens nothing here"
_UNUSABLE: tuple[dict[str, Any], ...] = (
    {"kty": "strange"},
    {"kty": ["RSA"]},
    {"kty": "RSA", "n": 5, "e": "AQAB"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB", "alg": ["RS256"]},
)
"""Keys that a provider might show, and nobody can use."""


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class OpenIdServer:
    url: str = ""
    algorithm: str = "RS256"
    key_id: str = "one"
    is_away: bool = False
    userinfo: dict[str, Any] | None = None
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "7", "preferred_username": "ada"})
    forge: Callable[[dict[str, Any]], str] | None = None
    token_endpoint: str = ""
    auth_methods: tuple[str, ...] = ("client_secret_basic", "client_secret_post")
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    asked: list[str] = field(default_factory=list[str])
    last_form: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def key(self) -> Any:
        return rsa_key(self.key_id) if self.algorithm.startswith("RS") else ec_key(self.key_id)

    def sign(self, claims: dict[str, Any], *, key: Any = None, key_id: str | None = None) -> str:
        return jwt.encode(claims, key or self.key, self.algorithm, headers={"kid": key_id or self.key_id})

    async def discovery(self, request: web.Request) -> web.Response:
        self.asked.append("discovery")
        if self.is_away:
            return web.json_response({}, status=503)
        more = {} if self.userinfo is None else {"userinfo_endpoint": f"{self.url}/userinfo"}
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": self.token_endpoint or f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "token_endpoint_auth_methods_supported": self.auth_methods,
            }
            | more
        )

    async def keys(self, request: web.Request) -> web.Response:
        self.asked.append("keys")
        kind = RSAAlgorithm if self.algorithm.startswith("RS") else ECAlgorithm
        public: dict[str, Any] = kind.to_jwk(self.key.public_key(), as_dict=True)
        shared = {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"k" * 32).decode()}
        ours = public | {"kid": self.key_id, "use": "sig"}
        return web.json_response({"keys": [*_UNUSABLE, shared, ours]})

    async def authorize(self, request: web.Request) -> web.Response:
        wanted = dict(request.query)
        assert wanted["client_id"] == CLIENT_ID
        assert wanted["response_type"] == "code"
        assert wanted["code_challenge_method"] == "S256"
        assert "openid" in wanted["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = wanted
        answer = urlencode({"code": code, "state": wanted["state"], "iss": self.url})
        raise web.HTTPFound(f"{wanted['redirect_uri']}?{answer}")

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.last_form = form
        wanted = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if wanted is None or wanted["code_challenge"] != challenge.decode():
            return web.json_response({"error": "invalid_grant"}, status=400)
        if not self._is_client(request, form) or form["redirect_uri"] != wanted["redirect_uri"]:
            return web.json_response({"error": "invalid_client"}, status=401)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": wanted["nonce"]}
        tokens = {"id_token": (self.forge or self.sign)(claims | self.person), "token_type": "Bearer"}
        return web.json_response(tokens | {"access_token": ACCESS_TOKEN})

    async def tell(self, request: web.Request) -> web.Response:
        self.asked.append("userinfo")
        assert request.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"
        return web.json_response(self.userinfo)

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        if "client_secret_basic" in self.auth_methods:
            shown = BasicAuth.decode(request.headers["Authorization"])
            return (shown.login, shown.password) == ("fireside+here", "s%3Acret%2F%2B")
        return (form["client_id"], form["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)


@asynccontextmanager
async def running_provider() -> AsyncGenerator[OpenIdServer]:
    server = OpenIdServer()
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", server.discovery)
    app.router.add_get("/keys", server.keys)
    app.router.add_get("/authorize", server.authorize)
    app.router.add_post("/token", server.token)
    app.router.add_get("/userinfo", server.tell)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
