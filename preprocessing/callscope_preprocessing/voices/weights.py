"""Weights out of a PyTorch checkpoint, without PyTorch, and without running what is pickled in it."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[np.float32]]

STORAGES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class _Inert:
    """Stands for whatever is no tensor: made and filled without any effect."""

    def __init__(self, *_: object) -> None:
        """Take what the original takes."""

    def __setstate__(self, state: object) -> None:
        """Keep nothing."""


class _Reader(pickle.Unpickler):
    """Makes tensors, ordinary containers and nothing else."""

    def __init__(self, archive: zipfile.ZipFile, pickled: str) -> None:
        super().__init__(archive.open(pickled))
        self._archive = archive
        self._folder = pickled.rpartition("/")[0]

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  # whatever the file names
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        return STORAGES.get(name, _Inert) if module == "torch" else _Inert

    def persistent_load(self, pid: Any) -> NDArray[Any]:  # noqa: ANN401  # as pickle has it
        _, storage, key, *_ = pid
        dtype = storage if storage in STORAGES.values() else np.uint8
        return np.frombuffer(self._archive.read(f"{self._folder}/data/{key}"), dtype)


def _tensor(
    storage: NDArray[Any], first: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> NDArray[Any]:
    size = 1 + sum((length - 1) * step for length, step in zip(shape, stride, strict=True))
    if min((*shape, 1)) < 1 or min((*stride, first, 0)) < 0 or first + size > len(storage):
        raise pickle.UnpicklingError("A tensor reaches beyond its storage.")
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[first:], shape, steps).copy()


def read_weights(path: Path) -> Weights:
    """The float32 tensors of a checkpoint, by name: a state dict, or one under "state_dict".

    Raises:
        OSError: it cannot be read.
        ValueError: it is no checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            found = _Reader(archive, pickled).load()
        state = found.get("state_dict", found)
        return {name: value for name, value in state.items() if getattr(value, "dtype", None) == np.float32}
    except (zipfile.BadZipFile, StopIteration, pickle.UnpicklingError, AttributeError, KeyError, EOFError) as error:
        raise ValueError(f"{path} is not a PyTorch checkpoint. Fetch it again from its source.") from error
