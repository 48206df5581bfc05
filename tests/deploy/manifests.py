"""What kubectl makes of deploy/kubernetes, and the pods in it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from .running import ROOT, required

KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("overlays/cpu", "overlays/gpu", "overlays/multi-gpu")
Manifest = dict[str, Any]


@cache
def render(folder: str) -> tuple[Manifest, ...]:
    """The manifests of a folder that has a kustomization."""
    kubectl = required("kubectl", "kubernetes-client")
    ended = subprocess.run([kubectl, "kustomize", KUBERNETES / folder], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return tuple(yaml.safe_load_all(ended.stdout))


def one(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    """The manifest of that kind and name."""
    (found,) = (each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name)
    return found


def templates(manifests: tuple[Manifest, ...]) -> Iterator[Manifest]:
    """The pods that they start: templates with labels and a spec."""
    for each in manifests:
        match each["kind"]:
            case "Deployment" | "Job":
                yield each["spec"]["template"]
            case "CronJob":
                yield each["spec"]["jobTemplate"]["spec"]["template"]
            case "ServingRuntime":
                yield {"metadata": {"labels": {}}, "spec": each["spec"]}


def triton_of(manifests: tuple[Manifest, ...]) -> tuple[Manifest, Manifest]:
    """The pod of Triton, and its container."""
    pod = one(manifests, "Deployment", "triton")["spec"]["template"]["spec"]
    return pod, next(each for each in pod["containers"] if each["name"] == "triton")
