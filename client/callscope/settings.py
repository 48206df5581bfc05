"""Every setting, once.

A flag wins over the environment (`CALLSCOPE_…`), the environment over the folder of secrets, that over a TOML file,
the file over the default. The folder is named by `CALLSCOPE_SECRETS_DIR`, and a file in it is a setting of its name.
The file is `callscope.toml` in the working directory, or the one named by `--config` or `CALLSCOPE_CONFIG`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict

from callscope.errors import SettingsInvalid
from callscope.triton.headers import parse_headers
from callscope.triton.transport import FORMS, addresses, is_address
from callscope_preprocessing.raw import RawFormat
from callscope_preprocessing.speakers import parse_speakers

PREFIX = "CALLSCOPE_"
COLLECTOR = re.compile(r"https?://[^\s/]+(/\S*)?")
DEFAULT_FILE = Path("callscope.toml")
CONFIG_VARIABLE = f"{PREFIX}CONFIG"
SECRETS_VARIABLE = f"{PREFIX}SECRETS_DIR"

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "text", "json"]


FALLING_STEPS = ("words", "denoise", "diarize", "punctuate", "sentiment")
"""Steps without which a call still has a result."""
EVERY_STEP = "all"
CACHE_OFF = "off"
"""What `cache` says where no result is to be kept, nor used again."""


class Settings(BaseSettings):
    """How Callscope works. `callscope config` shows the values in effect and where each comes from."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    server: str | None = None
    """A Triton, grpc://HOST:PORT or http://HOST:PORT (TLS: grpcs, https), or several, with commas. Empty: start one."""

    headers: SecretStr | None = None
    """Sent with every request, NAME: VALUE, one a line. Better in the environment: others may see a command's flags."""

    tls_ca: Path | None = None
    """The certificates to trust where the server speaks TLS, in PEM form. Empty: the system's."""

    tls_cert: Path | None = None
    """Our own certificate, for servers that ask for one, in PEM form."""

    tls_key: Path | None = None
    """The private key of `tls_cert`, without a password."""

    repository: Path | None = None
    """The model repository: what an embedded server loads, where exports go. Empty: the clone's model_repository."""

    server_environment: Path | None = None
    """The embedded server's own Python environment, made on first use. Empty: a folder in ~/.cache/callscope."""

    startup_timeout_s: float = Field(default=120.0, gt=0)
    """How long the embedded server may take to load its models, in seconds."""

    language: str | None = None
    """The language spoken, a code the recogniser knows (en, ja, ko). Empty: detected, by a vote of up to 5 chunks."""

    agent_channel: int | None = Field(default=None, ge=0)
    """The channel the agent is on, counted from 0 (left). Empty: the roles stay unknown."""

    concurrency: int = Field(default=16, ge=1, le=1024)
    """How many requests a call may have at the server at once. Triton can only batch what it has."""

    timeout_s: float = Field(default=60.0, gt=0)
    """How long one request may take, in seconds, waiting in the server's queue included."""

    patience_s: float = Field(default=120.0, ge=0)
    """How long a batch waits for a server or a storage that is away, in seconds."""

    max_duration_s: float = Field(default=12 * 3600.0, gt=0)
    """The longest call accepted, in seconds."""

    max_bytes: int = Field(default=8 << 30, ge=1)
    """The largest recording accepted, in bytes: as a file or from standard input, and once its sound is decoded."""

    max_channels: int = Field(default=32, ge=1, le=1024)
    """The most channels accepted in a recording."""

    raw: str | None = None
    """What recordings without a header hold: ENCODING:RATE:CHANNELS, as mulaw:8000:1. Empty: they have headers."""

    vad_mode: int = Field(default=3, ge=0, le=3)
    """How strictly voice activity detection judges: 0 takes the most for speech, 3 the least."""

    vad: Literal["webrtc", "silero"] = "webrtc"
    """Which detector finds speech: webrtc, or silero (more careful in noise; the extra `silero`)."""

    min_speech_s: float = Field(default=0.2, ge=0)
    """Speech shorter than this many seconds is left out."""

    denoise: Literal["off", "detect", "all"] = "detect"
    """RNNoise: detect cleans a copy to find speech in, where noise calls for it; all, what the recogniser hears too."""

    diarize: Literal["auto", "pyannote", "light", "off"] = "auto"
    """What tells speakers apart in one channel: pyannote (the extra `diarize`), light, or auto: the better at hand."""

    diarization_model: str | None = None
    """pyannote's pipeline: a folder, or a hub id (its token in HF_TOKEN). Empty: its community-1."""

    speakers: str | None = None
    """How many speak in a call of one channel: 2, or 2-4. Empty: found."""

    max_gap_s: float = Field(default=0.5, ge=0)
    """Pauses up to this many seconds stay within one stretch of speech, if it fits the recogniser's window."""

    fill_windows: bool | None = None
    """Whether a window of the recogniser takes several stretches of speech. Empty: one of 20 s or more does."""

    max_retry_share: float = Field(default=1.0, ge=0, le=5)
    """How many windows of a call may be asked for again, as a share of all: 1 costs at most twice, 0 asks once."""

    sentences: Literal["rules", "kiwi"] = "rules"
    """What cuts texts into sentences: rules, or for Korean kiwi (its morphemes; the extra `korean`)."""

    sentiment_context: bool = False
    """Whether a sentence's sentiment is judged after the other side's last one. For models trained on pairs."""

    require: str | None = None
    """Steps that must not fall back, with commas: words, denoise, diarize, punctuate, sentiment; all. Empty: none."""

    redact: bool = False
    """Whether card and phone numbers, ids, codes and e-mail addresses are masked before anything is written."""

    non_talk_s: float = Field(default=3.0, ge=0)
    """Silences longer than this many seconds count as non-talk."""

    store: str = "callscope.db"
    """The database of results: a file (SQLite), or postgresql://USER@HOST/DATABASE (the extra `postgres`)."""

    cache: str | None = None
    """The folder of results to be used again, or off. Empty: batch has one in ~/.cache/callscope, other verbs none."""

    cache_max_bytes: int = Field(default=1 << 30, ge=0)
    """What kept results may take, in bytes. Those that were not used for the longest time go first."""

    cache_days: float = Field(default=30.0, gt=0)
    """How many days a result is kept."""

    log_level: LogLevel = "warning"
    """What is logged to stderr: debug, info, warning or error."""

    log_format: LogFormat = "auto"
    """How logs are written on stderr: text, json (and nothing else there), or auto: text on a terminal, else JSON."""

    log_file: Path | None = None
    """A log in JSON, from level info on, that begins anew each midnight. Empty: none."""

    log_days: int = Field(default=30, ge=1)
    """How many earlier days of `log_file` are kept, each as NAME.YYYY-MM-DD."""

    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Where Prometheus can ask a running command for its metrics; 0 takes any free port. Empty: nowhere."""

    metrics_host: str = "127.0.0.1"
    """The address that `metrics_port` is on; 0.0.0.0 is every one of this machine."""

    otlp_endpoint: str | None = None
    """Where OpenTelemetry spans are sent, as http://HOST:4318 (the extra `otel`). Empty: nowhere."""

    @field_validator("speakers")
    @classmethod
    def _speakers_is_a_count(cls, value: str | None) -> str | None:
        if value is not None:
            parse_speakers(value)
        return value

    @field_validator("require")
    @classmethod
    def _require_names_steps(cls, value: str | None) -> str | None:
        if unknown := set(_names(value)) - {*FALLING_STEPS, EVERY_STEP}:
            known = ", ".join(FALLING_STEPS)
            raise ValueError(f"there is no step {sorted(unknown)[0]} that can fall back; they are {known}, or all")
        return value

    def required_steps(self) -> frozenset[str]:
        """The steps of `require`."""
        names = _names(self.require)
        return frozenset(FALLING_STEPS if EVERY_STEP in names else names)

    @field_validator("server")
    @classmethod
    def _server_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not all(map(is_address, addresses(value) or ("",))):
            raise ValueError(f"must be {FORMS}")
        return value

    @field_validator("headers")
    @classmethod
    def _headers_have_names(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_headers(value.get_secret_value())
        return value

    @field_validator("otlp_endpoint")
    @classmethod
    def _collector_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not COLLECTOR.fullmatch(value):
            raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
        return value

    def header_fields(self) -> dict[str, str]:
        """The headers by name, for the transport alone: their values are secret."""
        return parse_headers(self.headers.get_secret_value()) if self.headers else {}

    @field_validator("raw")
    @classmethod
    def _raw_can_be_read(cls, value: str | None) -> str | None:
        return None if value is None else str(RawFormat.parse(value))


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and where each field's value came from: "flag", "environment", the file's name or "default"."""

    settings: Settings
    sources: Mapping[str, str]


def load_settings(flags: Mapping[str, Any] | None = None, *, config: Path | None = None) -> Loaded:
    """The settings in effect.

    Args:
        flags: field -> value from the command line; None means the flag was not given.
        config: the TOML file; without it `CALLSCOPE_CONFIG`, then `callscope.toml` if there is one.

    Raises:
        SettingsInvalid: the file cannot be read, has an unknown key, or a value makes no sense.
    """
    file = _config_file(config)
    layers: list[tuple[str, Mapping[str, Any]]] = [
        (str(file), _read_toml(file) if file else {}),
        (f"${SECRETS_VARIABLE}", _read_secrets()),
        ("environment", EnvSettingsSource(Settings)()),
        ("flag", {name: value for name, value in (flags or {}).items() if value is not None}),
    ]
    sources = dict.fromkeys(Settings.model_fields, "default")
    values: dict[str, Any] = {}
    for source, layer in layers:
        values |= layer
        sources |= dict.fromkeys(layer, source)
    try:
        return Loaded(Settings(**values), sources)
    except ValidationError as error:
        raise SettingsInvalid(_explain(error, sources)) from error


def _names(listed: str | None) -> list[str]:
    return [name.strip() for name in (listed or "").split(",") if name.strip()]


def _config_file(config: Path | None) -> Path | None:
    """The TOML file to read; one that was asked for by name is returned even if it does not exist."""
    named = config or (Path(text) if (text := os.environ.get(CONFIG_VARIABLE)) else None)
    if named:
        return named
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsInvalid(f"The settings file {file} cannot be read ({reason}). Correct --config.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"The settings file {file} is not TOML: {error}. Correct that line.") from error
    if unknown := sorted(set(values) - set(Settings.model_fields)):
        raise SettingsInvalid(
            f"The settings file {file} has a key that is no setting: {', '.join(unknown)}. "
            "`callscope config` lists the settings."
        )
    return values


def _read_secrets() -> dict[str, str]:
    """The settings in the folder of secrets, as containers are given them; files that are no settings are another's."""
    folder = os.environ.get(SECRETS_VARIABLE)
    if not folder:
        return {}
    try:
        files = {name: Path(folder) / name for name in Settings.model_fields}
        return {name: file.read_text(encoding="utf-8").strip() for name, file in files.items() if file.is_file()}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(
            f"The secrets in {folder} cannot be read ({type(error).__name__}). Correct {SECRETS_VARIABLE}, or let "
            "this user read the files there."
        ) from error


def _explain(error: ValidationError, sources: Mapping[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0])
    where = {"flag": f"--{name.replace('_', '-')}", "environment": f"{PREFIX}{name.upper()}"}.get(
        sources.get(name, ""), f"{name} in {sources.get(name, 'the settings')}"
    )
    reason = first["msg"].removeprefix("Value error, ").removesuffix(".")
    shown = "what it is" if name == "headers" or sources.get(name) == f"${SECRETS_VARIABLE}" else repr(first["input"])
    return f"{where} cannot be {shown}: {reason[0].lower()}{reason[1:]}. `callscope config` explains it."
