"""The Helm chart: what it renders to is what Kubernetes and KEDA take, and what our own programs understand."""

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import kubernetes_validate
import msgspec
import pytest
import yaml
from tests.deploy.platforms import (
    ROOT,
    SETTINGS,
    Object,
    check_object,
    containers,
    linted,
    parse_command,
    pods,
    rendered,
    why_no_settings,
)

from fireside.accounts.server_keys import ServerKeys
from fireside.bus.authority import BusAuthority
from fireside.bus.server import find_program
from fireside.config import Config, load_config, pools_of
from fireside.config.rows import PREFIX
from fireside.server.routes import Access
from fireside.server.tables import ROUTES
from fireside.wire.admin import PoolBody

_POOL: dict[str, Any] = {"name": "cpu", "maxReplicas": 4}
_GPU_POOL: dict[str, Any] = {
    "name": "gpu",
    "maxReplicas": 8,
    "minReplicas": 1,
    "idleSeconds": 120,
    "image": {"repository": "example.org/worker-cuda", "tag": "0.1.0"},
    "labels": {"tier": "fast"},
    "comfyuiDir": "/opt/ComfyUI",
    "arguments": ["--comfyui-arguments=--lowvram"],
    "gpu": {"count": 1},
    "resources": {"requests": {"cpu": "2", "memory": "16Gi"}, "limits": {"memory": "32Gi"}},
    "runtimeClassName": "nvidia",
    "nodeSelector": {"gpu": "l40s"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "models": {"kind": "claim", "size": "1Ti", "storageClassName": "shared"},
}
_LEAST: dict[str, Any] = {"blobs": {"url": "s3://fireside/files"}}
_ALL_OF_OURS: dict[str, Any] = {
    **_LEAST,
    "imagePullSecrets": [{"name": "registry"}],
    "server": {
        "publicUrl": "https://fireside.example.org",
        "settings": {"max_running": 4, "reuse": False, "quota_gpu_seconds": 1.5, "webhook_hosts": ["a.org", "b.org"]},
        "secretSettings": {"oidc_client_secret": {"name": "sso", "key": "secret"}},
        "envFrom": [{"configMapRef": {"name": "more"}}],
        "env": [{"name": "AWS_REGION", "value": "eu-central-1"}],
    },
    "ingress": {"enabled": True, "host": "fireside.example.org", "className": "nginx", "tlsSecret": "tls"},
    "blobs": {
        "url": "s3://fireside/files",
        "endpoint": "http://minio",
        "publicEndpoint": "https://s3.example.org",
        "credentialsSecret": "bucket",
    },
    "workers": {
        "pools": [
            _POOL,
            _GPU_POOL,
            _GPU_POOL
            | {"name": "local", "models": {"kind": "hostPath", "readOnly": True}, "modelCache": {"kind": "hostPath"}},
            _GPU_POOL | {"name": "fetching", "models": {"kind": "emptyDir"}, "modelCache": {"kind": "none"}},
        ]
    },
}
_ALL_OF_OTHERS: dict[str, Any] = {
    **_LEAST,
    "postgresql": {"bundled": False},
    "nats": {"bundled": False, "url": "nats://a:4222,nats://b:4222", "hasAccountSeed": True},
    "workers": {"pools": [_POOL], "serverUrl": "https://fireside.example.org"},
    "networkPolicy": {"enabled": False},
}
_PAGE = (ROOT / "docs" / "operating.md").read_text()
_DOCUMENTED: dict[str, Any] = yaml.safe_load(
    re.findall(r"^```yaml\n(server:.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)[0]
)
_VALUES = {
    "least": _LEAST,
    "all-of-ours": _ALL_OF_OURS,
    "all-of-others": _ALL_OF_OTHERS,
    "documented": _DOCUMENTED,
}
_INFORMATION = 1
_OURS = ("fireside/", "example.org/", "registry.example.org/")

everything = pytest.mark.parametrize("values", _VALUES.values(), ids=_VALUES.keys())


def _named(objects: list[Object], kind: str, name: str) -> Object:
    return next(one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name))


def _our_containers(objects: list[Object]) -> list[tuple[Object, Object]]:
    found = [(template, one) for _, template in pods(objects) for one in containers(template)]
    return [(template, one) for template, one in found if one["image"].startswith(_OURS)]


@everything
def test_kubernetes_and_keda_take_every_object(values: dict[str, Any]) -> None:
    objects = rendered(values)

    for one in objects:
        check_object(one)
    names = [(one["kind"], one["metadata"]["name"]) for one in objects]
    assert len(set(names)) == len(names)


def test_helm_has_nothing_to_warn_of() -> None:
    told = linted(_ALL_OF_OURS)

    assert [one for one in told["messages"] if one["severity"] > _INFORMATION] == []
    assert told["errors"] == []


def test_one_server_alone_may_be_moved() -> None:
    kinds = [one["kind"] for one in rendered({**_LEAST, "server": {"replicas": 1}, "nats": {"replicas": 1}})]

    assert "PodDisruptionBudget" not in kinds


def test_what_they_would_not_take_is_found() -> None:
    objects = rendered(_ALL_OF_OURS)
    server = _named(objects, "Deployment", "studio-fireside-server")
    server["spec"]["replica"] = 3
    pool = _named(objects, "ScaledJob", "studio-fireside-gpu")
    template = pool["spec"]["jobTargetRef"]["template"]["spec"]

    with pytest.raises(kubernetes_validate.ValidationError):
        check_object(server)
    template["containers"][0]["imagePull"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        check_object(pool)
    pool["spec"]["maxReplicas"] = 3
    with pytest.raises(jsonschema.ValidationError):
        check_object(pool)


@everything
def test_every_variable_is_a_setting_and_every_command_line_one_of_ours(values: dict[str, Any]) -> None:
    for template, one in _our_containers(rendered(values)):
        variables = [variable["name"] for variable in one.get("env", [])]
        assert not why_no_settings(variables)
        assert len(set(variables)) == len(variables)
        # Kubernetes' own variables of services would be taken for settings.
        assert template["spec"]["enableServiceLinks"] is False
        for words in (one.get("args", []), *_in_a_shell(one.get("command", []))):
            if words:
                parse_command(words)


def _in_a_shell(command: list[str]) -> list[list[str]]:
    assert not command or command[:2] == ["sh", "-c"]
    return [line.partition(">")[0].split()[1:] for line in command[2:]]


@everything
def test_secrets_are_named_and_never_written(values: dict[str, Any]) -> None:
    secret = {f"{PREFIX}{name.upper()}" for name, row in SETTINGS.items() if row.secret}
    secret |= {"PGPASSWORD", "POSTGRES_PASSWORD", "FIRESIDE_WORKER_TOKEN"}
    for _, template in pods(rendered(values)):
        for one in containers(template):
            for variable in one.get("env", []):
                if variable["name"] in secret and not variable.get("value", "").startswith("postgresql://fireside@"):
                    assert "secretKeyRef" in variable["valueFrom"]


@everything
def test_nobody_is_root_or_may_become_it(values: dict[str, Any]) -> None:
    for _, template in pods(rendered(values)):
        assert template["spec"]["securityContext"]["runAsNonRoot"] is True
        assert template["spec"]["securityContext"]["runAsUser"] > 0
        assert template["spec"]["automountServiceAccountToken"] is False
        for one in containers(template):
            assert one["securityContext"]["allowPrivilegeEscalation"] is False
            assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@everything
def test_probes_ask_what_servers_answer_and_names_lead_somewhere(values: dict[str, Any]) -> None:
    objects = rendered(values)
    templates = [template for _, template in pods(objects)]
    routes = {route.path for route in ROUTES}

    for _, one in _our_containers(objects):
        probes = [one[name] for name in ("startupProbe", "livenessProbe", "readinessProbe") if name in one]
        assert all(probe["httpGet"]["path"] in routes for probe in probes)
        mounted = {mount["name"] for mount in one["volumeMounts"]}
        assert mounted <= {volume["name"] for template in templates for volume in template["spec"]["volumes"]}
    for one in objects:
        wanted = one["spec"].get("selector") if one["kind"] == "Service" else None
        wanted = wanted or one.get("spec", {}).get("podSelector", {}).get("matchLabels")
        if wanted:
            assert any(wanted.items() <= template["metadata"]["labels"].items() for template in templates)


def test_keda_asks_for_the_figures_that_the_servers_count() -> None:
    objects = rendered(_ALL_OF_OURS)
    (server,) = _named(objects, "Deployment", "studio-fireside-server")["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"]: variable.get("value", "") for variable in server["env"]}

    pools = pools_of(load_config({}, {"FIRESIDE_POOLS": variables["FIRESIDE_POOLS"]}))

    for pool in pools:
        spec = _named(objects, "ScaledJob", f"studio-fireside-{pool.name}")["spec"]
        (worker,) = spec["jobTargetRef"]["template"]["spec"]["containers"]
        (trigger,) = spec["triggers"]
        address = urlsplit(trigger["metadata"]["url"])
        # KEDA would start its own least beside the figure, in which it is counted.
        assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, pool.most)
        assert {f"--label={key}={value}" for key, value in pool.labels.items()} <= {*worker["args"]}
        assert f"{address.hostname}:{address.port}" == f"studio-fireside-server.media.svc:{variables['FIRESIDE_PORT']}"
        assert address.path == f"/admin/api/pools/{pool.name}"
        assert "/admin/api/pools/{name}" in {route.path for route in ROUTES if route.access is Access.METRICS}
        assert trigger["metadata"]["valueLocation"] in {field.name for field in msgspec.structs.fields(PoolBody)}
    assert [(pool.name, pool.least) for pool in pools] == [("cpu", 0), ("gpu", 1), ("local", 1), ("fetching", 1)]


def test_a_pool_has_room_for_the_models_that_its_workers_may_fetch() -> None:
    pool = _named(rendered(_ALL_OF_OURS), "ScaledJob", "studio-fireside-gpu")["spec"]["jobTargetRef"]["template"][
        "spec"
    ]
    (worker,) = pool["containers"]
    options = dict(word.split("=", 1) for word in worker["args"] if "=" in word)
    (volume,) = [
        mount["name"] for mount in worker["volumeMounts"] if mount["mountPath"] == options["--model-cache-dir"]
    ]
    (room,) = [one["emptyDir"]["sizeLimit"] for one in pool["volumes"] if one["name"] == volume]

    # A pod that has more than its limit on the disk is evicted.
    assert room == "100Gi"
    assert 0.8 * 100 * 1024**3 < int(options["--model-cache-bytes"]) < 0.95 * 100 * 1024**3


def test_a_pool_asks_for_its_gpu() -> None:
    pool = _named(rendered(_ALL_OF_OURS), "ScaledJob", "studio-fireside-gpu")["spec"]
    (worker,) = pool["jobTargetRef"]["template"]["spec"]["containers"]

    assert pool["maxReplicaCount"] == 8
    assert worker["resources"]["limits"] == {"nvidia.com/gpu": 1, "memory": "32Gi"}
    assert worker["resources"]["requests"] == {"nvidia.com/gpu": 1, "cpu": "2", "memory": "16Gi"}
    assert {"--exit-when-idle=120", "--label=pool=gpu", "--label=tier=fast", "--comfyui-dir=/opt/ComfyUI"} <= {
        *worker["args"]
    }
    # Without it KEDA ends workers in the midst of their jobs when the chart is changed.
    assert pool["rollout"] == {"strategy": "gradual"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "blobs.url"),
        ({**_LEAST, "server": {"replica": 3}}, "replica"),
        ({**_LEAST, "server": {"settings": {"secret_key": "5e"}}}, "secret_key"),
        ({**_LEAST, "server": {"settings": {"database_url": "postgresql://a:b@c/d"}}}, "database_url"),
        ({**_LEAST, "workers": {"pools": [{"name": "Not A Name", "maxReplicas": 1}]}}, "name"),
        ({**_LEAST, "workers": {"pools": [{"name": "gpu"}]}}, "maxReplicas"),
        ({**_LEAST, "workers": {"pools": [_POOL | {"labels": {"pool": "x"}}]}}, "pool"),
        ({**_LEAST, "nats": {"bundled": False}}, "nats.url"),
        ({**_LEAST, "blobs": {"url": "file:///srv"}}, "url"),
    ],
    ids=[
        "no-bucket",
        "a-slip",
        "a-secret",
        "a-password",
        "a-bad-name",
        "no-bound",
        "another-pool",
        "no-bus",
        "no-shared-place",
    ],
)
def test_values_that_cannot_work_are_told(values: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        rendered(values)


def test_no_secret_setting_is_left_out_of_the_schema() -> None:
    for name, row in SETTINGS.items():
        if row.secret:
            with pytest.raises(Exception, match=name):
                rendered({**_LEAST, "server": {"settings": {name: "x"}}})


def test_a_real_nats_server_takes_its_configuration(tmp_path: Path) -> None:
    text = _named(rendered(_LEAST), "ConfigMap", "studio-fireside-nats")["data"]["nats.conf"]
    authority = BusAuthority.from_secret(
        ServerKeys.load_or_create(tmp_path, Config(secret_key="5e" * 32)).derive("bus")
    )
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "trust.conf").write_text(authority.trust_config())
    (tmp_path / "nats.conf").write_text(text)

    told = subprocess.run(
        [find_program(), "--config", str(tmp_path / "nats.conf"), "-t"],
        env={"POD_NAME": "studio-fireside-nats-0"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert told.returncode == 0, told.stderr
