"""A diarization pipeline of pyannote.audio in a folder, its networks small and random."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import yaml

VOICE, PLANE = 16, 8
"""Dimensions of a voice, and of the plane that voices are compared in."""

os.environ["PYANNOTE_METRICS_ENABLED"] = "0"


def save_tiny_pipeline(folder: Path) -> Path:
    """Write config.yaml and two checkpoints to `folder`, laid out as on the hub."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorSincNet
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(0)
    segmentation = PyanNet(lstm={"hidden_size": 8, "num_layers": 1}, linear={"hidden_size": 8, "num_layers": 1})
    segmentation.specifications = Specifications(
        problem=Problem.MULTI_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        permutation_invariant=True,
    )
    segmentation.build()
    embedding = XVectorSincNet(dimension=VOICE)
    embedding.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=2.0, classes=["one", "other"]
    )
    embedding.build()
    torch.nn.init.constant_(segmentation.classifier.bias, 0.2)  # somebody speaks
    _save_plda(folder / "plda")
    for name, network in (("segmentation", segmentation), ("embedding", embedding)):
        _save(network, folder / name)
    config: dict[str, Any] = {
        "dependencies": {"pyannote.audio": "4.0.0"},
        "pipeline": {
            "name": "pyannote.audio.pipelines.SpeakerDiarization",
            "params": {
                "clustering": "VBxClustering",
                "segmentation": "$model/segmentation",
                "embedding": "$model/embedding",
                "plda": "$model/plda",
            },
        },
        "params": {
            "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
            "segmentation": {"min_duration_off": 0.0, "threshold": 0.5},
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def save_powerset_network(folder: Path) -> Path:
    """Write a random segmentation network of the published shape; the path of its checkpoint."""
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(1)
    network = PyanNet(sincnet={"stride": 10}, lstm={"num_layers": 4}, linear={"num_layers": 2})
    network.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=10.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    network.build()
    _save(network, folder)
    return folder / "pytorch_model.bin"


def _save_plda(folder: Path) -> None:
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    np.savez(
        folder / "xvec_transform.npz",
        mean1=np.zeros(VOICE),
        mean2=np.zeros(PLANE),
        lda=random.normal(size=(VOICE, PLANE)),
    )
    np.savez(
        folder / "plda.npz", mu=np.zeros(PLANE), tr=random.normal(size=(PLANE, PLANE)), psi=np.linspace(2, 1, PLANE)
    )


def _save(network: Any, folder: Path) -> None:
    import pyannote.audio
    import pytorch_lightning
    import torch

    folder.mkdir(parents=True)
    architecture = {"module": type(network).__module__, "class": type(network).__name__}
    torch.save(
        {
            "state_dict": network.state_dict(),
            "hyper_parameters": dict(network.hparams),
            "pytorch-lightning_version": pytorch_lightning.__version__,
            "pyannote.audio": {
                "versions": {"torch": torch.__version__, "pyannote.audio": pyannote.audio.__version__},
                "architecture": architecture,
                "specifications": network.specifications,
            },
        },
        folder / "pytorch_model.bin",
    )
