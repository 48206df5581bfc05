"""tokenizer.json made of a SentencePiece model, without the library of that name: the same tokens for the same text.

The fields are those of sentencepiece_model.proto (github.com/google/sentencepiece). Of its algorithms, unigram is
covered: the one whose tokens need no more than the pieces and their scores.
"""

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]  # it ships no types
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from .errors import CheckpointInvalid, CheckpointUnsupported

SPACE = "▁"
UNIGRAM = 1
UNKNOWN, CONTROL, USER_DEFINED = 2, 3, 4
"""Types of pieces; those that text is made of are 1."""
PACKAGE = "callscope"
FIELDS: dict[str, tuple[tuple[str, int, str, str], ...]] = {
    "Piece": (("piece", 1, "STRING", ""), ("score", 2, "FLOAT", ""), ("type", 3, "INT32", "1")),
    "Trainer": (
        ("model_type", 3, "INT32", "1"),
        ("byte_fallback", 35, "BOOL", "false"),
        ("bos_piece", 46, "STRING", "<s>"),
        ("eos_piece", 47, "STRING", "</s>"),
        ("pad_piece", 48, "STRING", "<pad>"),
    ),
    "Normalizer": (
        ("precompiled_charsmap", 2, "BYTES", ""),
        ("add_dummy_prefix", 3, "BOOL", "true"),
        ("remove_extra_whitespaces", 4, "BOOL", "true"),
    ),
    "Model": (("pieces", 1, "Piece", ""), ("trainer", 2, "Trainer", ""), ("normalizer", 3, "Normalizer", "")),
}
"""Messages: a field's name, number, type and default. A type with a capital alone is another message."""


def unigram_tokenizer(path: Path) -> bytes:
    """Make tokenizer.json, which puts the piece of a text's beginning before it and that of its end after it.

    Raises:
        CheckpointInvalid: The file is no SentencePiece model, or lacks a piece that texts are framed with.
        CheckpointUnsupported: It is one of another algorithm.
    """
    model = _read(path)
    if model.trainer.model_type != UNIGRAM:
        raise CheckpointUnsupported(
            f"{path} is a SentencePiece model of another kind than unigram. Choose another checkpoint, or make a "
            "tokenizer.json of it with transformers."
        )
    ids = {piece.piece: index for index, piece in enumerate(model.pieces)}
    frame = {piece: ids.get(piece) for piece in (model.trainer.bos_piece, model.trainer.eos_piece)}
    if missing := [piece for piece, index in frame.items() if index is None]:
        raise CheckpointInvalid(f"{path} has no piece {missing[0]}. Fetch it again.")
    tokenizer: Any = Tokenizer(_unigram(model))
    tokenizer.normalizer = _normalizer(model.normalizer)
    tokenizer.pre_tokenizer = _pre_tokenizer(model)
    begin, end = frame
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", special_tokens=list(frame.items())
    )
    _add(tokenizer, model)
    return str(tokenizer.to_str()).encode()


def padding_piece(path: Path) -> int:
    """The id of the piece that fills up a batch.

    Raises:
        CheckpointInvalid: There is none.
    """
    model = _read(path)
    ids = {piece.piece: index for index, piece in enumerate(model.pieces)}
    if model.trainer.pad_piece not in ids:
        raise CheckpointInvalid(f"{path} has no piece {model.trainer.pad_piece}. Fetch it again.")
    return ids[model.trainer.pad_piece]


def _read(path: Path) -> Any:  # noqa: ANN401  a message of protobuf's
    try:
        model = _message()()
        model.ParseFromString(path.read_bytes())
    except Exception as error:  # protobuf's own, of a class that depends on how it is built
        raise CheckpointInvalid(f"{path} is no SentencePiece model ({error}). Fetch it again.") from error
    if not model.pieces:
        raise CheckpointInvalid(f"{path} is no SentencePiece model: it has no pieces. Fetch it again.")
    return model


def _unigram(model: Any) -> Any:  # noqa: ANN401  messages of protobuf's, and tokenizers without types
    unknown = next((index for index, piece in enumerate(model.pieces) if piece.type == UNKNOWN), None)
    vocabulary = [(piece.piece, piece.score) for piece in model.pieces]
    return models.Unigram(vocabulary, unknown, byte_fallback=model.trainer.byte_fallback)


def _normalizer(spec: Any) -> Any:  # noqa: ANN401  as above
    steps: list[Any] = []
    if spec.precompiled_charsmap:
        # tokenizers looks a letter of several code points up whole only where it is of less than six bytes.
        steps += [normalizers.NFC(), normalizers.Precompiled(spec.precompiled_charsmap)]
    if spec.remove_extra_whitespaces:
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    return normalizers.Sequence(steps)


def _pre_tokenizer(model: Any) -> Any:  # noqa: ANN401  as above
    within_words = all(SPACE not in piece.piece[1:] for piece in model.pieces)
    scheme = "always" if model.normalizer.add_dummy_prefix else "never"
    return pre_tokenizers.Metaspace(SPACE, scheme, split=within_words)


def _add(tokenizer: Any, model: Any) -> None:  # noqa: ANN401  as above
    control = [piece.piece for piece in model.pieces if piece.type in {UNKNOWN, CONTROL}]
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in control])
    defined = [piece.piece for piece in model.pieces if piece.type == USER_DEFINED]
    tokenizer.add_tokens([AddedToken(piece, normalized=False) for piece in defined])


@cache
def _message() -> Any:  # noqa: ANN401  the class of a message
    file = descriptor_pb2.FileDescriptorProto(name="sentencepiece.proto", package=PACKAGE, syntax="proto2")
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, default in fields:
            message.field.append(_field(field, number, kind, default))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Model"))


def _field(name: str, number: int, kind: str, default: str) -> Any:  # noqa: ANN401  as above
    described = descriptor_pb2.FieldDescriptorProto
    field = described(name=name, number=number, label=described.LABEL_OPTIONAL)
    if kind in FIELDS:
        field.type, field.type_name = described.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = getattr(described, f"TYPE_{kind}")
    if name == "pieces":
        field.label = described.LABEL_REPEATED
    if default:
        field.default_value = default
    return field
