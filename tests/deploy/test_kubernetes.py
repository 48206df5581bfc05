"""deploy/kubernetes: valid to Kubernetes' own schemas, admissible as `restricted`, and what it promises."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from .manifests import KUBERNETES, OVERLAYS, Manifest, one, render, templates, triton_of

BUCKET = "overlays/gpu-s3"
ALL = (*OVERLAYS, BUCKET, "export", "kserve")
ALLOWED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
OTHERS = {"ServingRuntime", "InferenceService"}
"""Kinds of KServe, whose schemas are not Kubernetes' own; their containers are looked at as a pod's."""
overlay = pytest.mark.parametrize("folder", OVERLAYS)


@pytest.mark.parametrize("version", ["1.30", "1.34", "1.37"])
@pytest.mark.parametrize("folder", ALL)
def test_it_is_valid(folder: str, version: str) -> None:
    schemas = pytest.importorskip("kubernetes_validate", reason="requirements/dev.txt has kubernetes-validate")
    checked = [each for each in render(folder) if each["kind"] not in OTHERS]
    pods = [{"apiVersion": "v1", "kind": "Pod", **pod} for pod in as_pods(render(folder))]
    assert checked
    for manifest in (*checked, *pods):
        schemas.validate(manifest, version, strict=True)


def as_pods(manifests: tuple[Manifest, ...]) -> list[Manifest]:
    """What a ServingRuntime says of its containers and volumes, as a pod."""
    runtimes = [each["spec"] for each in manifests if each["kind"] == "ServingRuntime"]
    return [
        {"metadata": {"name": "p"}, "spec": {key: spec[key] for key in ("containers", "volumes")}} for spec in runtimes
    ]


def test_with_a_bucket_no_volume_is_asked_for() -> None:
    manifests = render(BUCKET)
    assert "models" not in {each["metadata"]["name"] for each in manifests}
    pod, triton = triton_of(manifests)
    assert {"name": "MODEL_REPOSITORY", "value": "s3://models/callscope"} in triton["env"]
    assert not any("persistentVolumeClaim" in volume for volume in pod["volumes"])
    assert {mount["name"] for mount in triton["volumeMounts"]} <= {volume["name"] for volume in pod["volumes"]}
    tmp = next(volume for volume in pod["volumes"] if volume["name"] == "triton-tmp")
    assert tmp["emptyDir"]["sizeLimit"] == "50Gi"


@pytest.mark.parametrize("folder", ALL)
def test_every_pod_is_admissible_as_restricted(folder: str) -> None:
    pods = list(templates(render(folder)))
    assert pods
    for pod in pods:
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert {next(key for key in volume if key != "name") for volume in spec["volumes"]} <= ALLOWED_VOLUMES
        for container in (*spec["containers"], *spec.get("initContainers", ())):
            told = {**spec.get("securityContext", {}), **container["securityContext"]}
            assert told["runAsNonRoot"] is True
            assert told["runAsUser"] > 0
            assert told["seccompProfile"] == {"type": "RuntimeDefault"}
            assert told["allowPrivilegeEscalation"] is False
            assert told["capabilities"] == {"drop": ["ALL"]}
            assert told["readOnlyRootFilesystem"] is True
            assert "hostPort" not in str(container.get("ports"))
            assert {"cpu", "memory"} <= set(container["resources"]["limits"]), container["name"]


@overlay
def test_the_namespace_demands_it(folder: str) -> None:
    labels = one(render(folder), "Namespace", "callscope")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("folder", ALL)
def test_secrets_are_referenced_and_not_included(folder: str) -> None:
    assert "Secret" not in {each["kind"] for each in render(folder)}
    for pod in templates(render(folder)):
        named = [volume["secret"]["secretName"] for volume in pod["spec"]["volumes"] if "secret" in volume]
        assert set(named) <= {"triton-keys", "gateway-certificate", "client"}


@overlay
def test_triton_listens_on_loopback_and_the_service_leads_to_the_gateway(folder: str) -> None:
    pod, triton = triton_of(render(folder))
    assert {"--http-address=127.0.0.1", "--grpc-address=127.0.0.1"} <= set(triton["args"])
    assert [port["name"] for port in triton["ports"]] == ["metrics"]
    gateway = next(each for each in pod["containers"] if each["name"] == "gateway")
    (port,) = one(render(folder), "Service", "triton")["spec"]["ports"]
    assert port["targetPort"] in {each["name"] for each in gateway["ports"]}


@overlay
def test_a_roll_out_takes_no_pod_away_before_another_is_ready(folder: str) -> None:
    spec = one(render(folder), "Deployment", "triton")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert spec["replicas"] >= 2
    for container in spec["template"]["spec"]["containers"]:
        assert {"readinessProbe", "livenessProbe"} <= set(container)
        assert "preStop" in container["lifecycle"]
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] >= 10 + 65 + 60
    budget = one(render(folder), "PodDisruptionBudget", "triton")["spec"]
    assert budget["selector"] == spec["selector"]


@overlay
def test_the_repository_is_mounted_read_only(folder: str) -> None:
    pod, triton = triton_of(render(folder))
    (volume,) = (each for each in pod["volumes"] if each["name"] == "models")
    (mount,) = (each for each in triton["volumeMounts"] if each["name"] == "models")
    assert volume["persistentVolumeClaim"] == {"claimName": "models", "readOnly": True}
    assert mount["readOnly"] is True


@pytest.mark.parametrize(
    ("folder", "gpus"), [("overlays/cpu", None), ("overlays/gpu", "1"), ("overlays/multi-gpu", "4")]
)
def test_an_overlay_asks_for_its_gpus(folder: str, gpus: str | None) -> None:
    _, triton = triton_of(render(folder))
    assert triton["resources"]["limits"].get("nvidia.com/gpu") == gpus
    assert triton["resources"]["requests"].get("nvidia.com/gpu") == gpus


@overlay
def test_everything_is_denied_first_and_labels_match_what_is_allowed(folder: str) -> None:
    manifests = render(folder)
    first = one(manifests, "NetworkPolicy", "nothing")["spec"]
    assert first == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = [pod["metadata"]["labels"] for pod in templates(manifests)]
    for policy in (each["spec"] for each in manifests if each["kind"] == "NetworkPolicy"):
        chosen = policy["podSelector"].get("matchLabels", {})
        assert any(chosen.items() <= each.items() for each in labels), chosen
        assert all(rule.get("ports") for rule in (*policy.get("ingress", ()), *policy.get("egress", ())))


@overlay
def test_what_scales_it_is_what_the_adapter_gives(folder: str) -> None:
    asked = {metric["pods"]["metric"]["name"] for metric in scaled(folder)["metrics"]}
    rules = yaml.safe_load((KUBERNETES / "prometheus-adapter" / "values.yaml").read_text())["rules"]["custom"]
    assert {rule["name"]["as"] for rule in rules} == asked
    assert scaled(folder)["minReplicas"] >= 2


def scaled(folder: str) -> dict[str, Any]:
    """The spec of the autoscaler."""
    spec: dict[str, Any] = one(render(folder), "HorizontalPodAutoscaler", "triton")["spec"]
    return spec


def test_images_are_of_one_version() -> None:
    images = {
        each["image"] for folder in ALL for pod in templates(render(folder)) for each in pod["spec"]["containers"]
    }
    assert all(re.search(r":\d+\.\d+", image) for image in images), images
    compose = (KUBERNETES.parents[1] / "docker-compose.yml").read_text()
    outside = {image for image in images if not image.startswith("callscope/")}
    assert all(f"image: {image}\n" in compose for image in outside)
