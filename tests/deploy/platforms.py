"""What the files of platforms are held against: the schemas of Kubernetes and KEDA, our settings, our commands."""

import importlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from fireside.cli.main import app
from fireside.config import settings
from fireside.config.rows import NOT_SETTINGS, PREFIX

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
_CHART = DEPLOY / "helm" / "fireside"
SCHEMAS = Path(__file__).parent / "schemas"
KUBERNETES = "1.37.0"
SETTINGS = {row.name: row for row in settings()}
Object = dict[str, Any]
_KEDA: Mapping[str, Any] = json.loads((SCHEMAS / "keda.json").read_text())
# What KEDA's scaler metrics-api reads of its metadata; the schema leaves that open (pkg/scalers/metrics_api_scaler.go).
_METRICS_API = {
    *("url", "valueLocation", "targetValue", "activationTargetValue", "format", "unsafeSsl", "timeout"),
    *("authMode", "authModes", "aggregateFromKubeServiceEndpoints", "aggregationType"),
}


def rendered(values: Mapping[str, Any], *, name: str = "studio", namespace: str = "media") -> list[Object]:
    """Render the chart as `helm template` does, by Helm's own engine; raises its error."""
    with _helm().Chart.load(_CHART) as chart:
        chart.validate_schema(dict(values))
        files = chart.render(dict(values), name=name, namespace=namespace)
    documents = (yaml.safe_load_all(text) for path, text in files.items() if path.endswith(".yaml"))
    return [document for several in documents for document in several if document]


def linted(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say what `helm lint` finds in the chart."""
    return _helm().lint(_CHART, dict(values), strict=True)


def _helm() -> Any:
    try:
        return importlib.import_module("helm_python")
    except ImportError:
        if "CI" in os.environ:
            raise
        pytest.skip("helm-python-sdk has no wheel for this machine")


def check_object(found: Object) -> None:
    """Hold an object against the schema of its kind, strictly; raises what is wrong with it."""
    if not found["apiVersion"].startswith("keda.sh/"):
        kubernetes_validate.validate(found, KUBERNETES, strict=True)
        return
    jsonschema.validate(found, _KEDA[found["kind"]])
    if found["kind"] == "ScaledJob":
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "x"},
            "spec": found["spec"]["jobTargetRef"],
        }
        kubernetes_validate.validate(job, KUBERNETES, strict=True)
        for trigger in found["spec"]["triggers"]:
            assert trigger["type"] == "metrics-api"
            assert set(trigger["metadata"]) <= _METRICS_API
            assert all(isinstance(value, str) for value in trigger["metadata"].values())


def pods(objects: Sequence[Object]) -> Iterator[tuple[str, Object]]:
    """Give each pod template with the name of what makes pods of it."""
    for one in objects:
        spec = one.get("spec", {})
        template = spec.get("jobTargetRef", spec).get("template") if isinstance(spec, dict) else None
        if template is not None:
            yield one["metadata"]["name"], template


def containers(template: Object) -> Iterator[Object]:
    """Give the containers of a pod, those that come first included."""
    yield from template["spec"].get("initContainers", [])
    yield from template["spec"]["containers"]


def why_no_settings(names: Sequence[str]) -> list[str]:
    """Name the variables that look like settings of ours and are none."""
    ours = [name for name in names if name.startswith(PREFIX) and name not in NOT_SETTINGS]
    return [name for name in ours if name.removeprefix(PREFIX).lower() not in SETTINGS]


def parse_command(words: Sequence[str]) -> None:
    """Parse a command line as `fireside` does, without running it; raises what is wrong with it."""
    app.parse_args(list(words), exit_on_error=False, print_error=False)
