"""A checkpoint in Hugging Face's layout: a hub id or a folder in, settings and weights out."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointInvalid, CheckpointMissing, CheckpointUnsupported
from .vocabulary import build_tokenizer, can_build

Array = NDArray[Any]

_FILES = ("*.json", "vocab.txt", "merges.txt", "*.model", "model.safetensors", "model-*-of-*.safetensors")
_GRAPH_FILES = ("config.yaml", "model.onnx")
"""What is downloaded: settings, the older forms of a tokenizer, and one set of weights: openai/whisper-large-v3 holds a
second one in fp32 beside it. `heads` reads what comes as a graph."""
_DTYPES: dict[str, Any] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,
    "I32": np.int32,
    "U8": np.uint8,
}


class Weights(Mapping[str, Array]):
    """The arrays of one or more safetensors files, read from disk when asked for, floats as float32.

    Names lose the prefix: the same model is saved with it or without, depending on the class that saved it.

    Args:
        files: The files.
        prefix: What names lose.
        same: Names of arrays that may be there under another name alone, by that other name.
    """

    def __init__(self, files: tuple[Path, ...], prefix: str, same: Mapping[str, str] = MappingProxyType({})) -> None:
        self._places = {name.removeprefix(prefix): place for file in files for name, place in _index(file).items()}
        for other, name in same.items():
            if other in self._places:
                self._places.setdefault(name, self._places[other])

    def __getitem__(self, name: str) -> Array:
        """Read one array.

        Raises:
            CheckpointInvalid: No file holds an array of this name, or it holds what is no number.
        """
        if name not in self._places:
            raise CheckpointInvalid(f"The weights have no tensor {name}. Check that the checkpoint is complete.")
        file, dtype, shape, offset = self._places[name]
        array: Array = np.fromfile(file, dtype, math.prod(shape), offset=offset).reshape(shape)
        if array.dtype.kind in "iu":
            return array
        if not np.isfinite(array).all():
            raise CheckpointInvalid(
                f"{file.name} has values in {name} that are no numbers. Fetch the checkpoint again."
            )
        return array.astype(np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder of weights and settings.

    Attributes:
        folder: Where the files are.
        source: The name to remember it by: the hub id, or the folder's own name.
        revision: The hub's commit, or the weights' digest.
    """

    folder: Path
    source: str
    revision: str

    def weights(self, prefix: str, same: Mapping[str, str] = MappingProxyType({})) -> Weights:
        """Open every safetensors file of the folder; the arguments are those of `Weights`."""
        return Weights(_weight_files(self.folder), prefix, same)

    @property
    def config(self) -> dict[str, Any]:
        """The content of config.json."""
        return self.settings("config.json")

    @property
    def tokenizer(self) -> bytes:
        """The content of tokenizer.json, made of vocab.json and merges.txt where that is missing.

        Raises:
            CheckpointInvalid: The folder has neither.
        """
        if self.has("tokenizer.json") or not can_build(self.folder):
            return _read(self.folder / "tokenizer.json")
        return build_tokenizer(self.folder)

    @property
    def added_tokens(self) -> dict[str, int]:
        """The ids of tokens that stand for themselves, such as <|endoftext|>.

        Raises:
            CheckpointInvalid: There is no tokenizer, or it cannot be understood.
        """
        try:
            added = json.loads(self.tokenizer).get("added_tokens", [])
            return {str(token["content"]): int(token["id"]) for token in added}
        except (ValueError, AttributeError, TypeError, KeyError) as error:
            path = self.folder / "tokenizer.json"
            raise CheckpointInvalid(f"{path} is no tokenizer ({error}). Fetch the checkpoint again.") from error

    def has(self, file_name: str) -> bool:
        """Tell whether the folder has a file."""
        return (self.folder / file_name).is_file()

    def settings(self, file_name: str) -> dict[str, Any]:
        """Read one of the folder's JSON files.

        Raises:
            CheckpointInvalid: The file is missing or is not a JSON object.
        """
        path = self.folder / file_name
        try:
            content = json.loads(_read(path))
        except ValueError as error:
            raise CheckpointInvalid(f"{path} is not JSON ({error}). Fetch the checkpoint again.") from error
        if not isinstance(content, dict):
            raise CheckpointInvalid(f"{path} does not hold a JSON object. Fetch the checkpoint again.")
        return content


def open_checkpoint(source: Path | str, revision: str | None = None) -> Checkpoint:
    """Find a checkpoint in a local folder or, failing that, on the Hugging Face hub.

    Args:
        source: A folder, or a hub id such as "openai/whisper-tiny".
        revision: The hub's branch, tag or commit; for a folder, a name to remember its state by.

    Raises:
        CheckpointMissing: There is no such folder and the hub has no such model, or cannot be reached.
        CheckpointInvalid: The folder has neither safetensors weights nor a graph with its config.yaml.
    """
    folder = Path(source)
    if not folder.is_dir():
        folder = _download(str(source), revision)
        return Checkpoint(folder, str(source), folder.name)  # which the hub's cache names after the commit
    return Checkpoint(folder, folder.resolve().name, revision or _digest(_weight_files(folder)))


def _download(source: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download  # noqa: PLC0415  a local folder needs no hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        return Path(snapshot_download(source, revision=revision, allow_patterns=[*_FILES, *_GRAPH_FILES])).resolve()
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise CheckpointMissing(
            f"There is no folder {source}, and the Hugging Face hub gave no such model ({type(error).__name__}). "
            "Check the spelling, or download the checkpoint and name its folder."
        ) from error


def _weight_files(folder: Path) -> tuple[Path, ...]:
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return (single,)
    if not index.is_file() and (graphs := published_graphs(folder)):
        return graphs
    if not index.is_file():
        raise CheckpointInvalid(
            f"{folder} has no model.safetensors. Save the checkpoint with `save_pretrained` of transformers."
        )
    return tuple(folder / name for name in sorted(set(json.loads(_read(index))["weight_map"].values())))


def published_graphs(folder: Path) -> tuple[Path, ...]:
    """The ONNX files that a folder holds instead of weights, with a config.yaml that says what they are."""
    return tuple(sorted(folder.glob("*.onnx"))) if (folder / "config.yaml").is_file() else ()


def _index(file: Path) -> dict[str, tuple[Path, Any, tuple[int, ...], int]]:
    """Read a safetensors header: 8 bytes of length, JSON, then the arrays (github.com/huggingface/safetensors)."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = dict(json.loads(stream.read(length) if length < file.stat().st_size else b""))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointInvalid(f"{file} cannot be read as safetensors ({error}). Fetch it again.") from error
    header.pop("__metadata__", None)
    if max((entry["data_offsets"][1] for entry in header.values()), default=0) + 8 + length > file.stat().st_size:
        raise CheckpointInvalid(f"{file} is shorter than its header says. Fetch it again.")
    if unknown := {entry["dtype"] for entry in header.values()} - set(_DTYPES):
        raise CheckpointUnsupported(
            f"{file} holds numbers of type {', '.join(sorted(unknown))}, and {', '.join(_DTYPES)} can be exported. "
            "Save the checkpoint in one of these."
        )
    return {
        name: (file, _DTYPES[entry["dtype"]], tuple(entry["shape"]), 8 + length + entry["data_offsets"][0])
        for name, entry in header.items()
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointInvalid(
            f"{path} cannot be read ({error.strerror}). Complete the checkpoint with all files of its publisher."
        ) from error


def _digest(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return f"sha256:{digest.hexdigest()[:12]}"
