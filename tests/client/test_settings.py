"""Settings: where they come from, which wins, and what is said about a wrong one."""

from pathlib import Path

import pytest

from callscope.errors import SettingsInvalid
from callscope.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", *Settings.model_fields):
        monkeypatch.delenv(f"CALLSCOPE_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "callscope.toml") -> Path:
    file = Path(name)
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_every_value_is_the_default() -> None:
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}


def test_a_flag_wins_over_the_environment_the_environment_over_the_file_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write("concurrency = 2\nvad_mode = 0\nnon_talk_s = 5\n")
    monkeypatch.setenv("CALLSCOPE_CONCURRENCY", "3")
    monkeypatch.setenv("CALLSCOPE_VAD_MODE", "1")
    loaded = load_settings({"concurrency": 4, "language": None})
    chosen = loaded.settings
    assert (chosen.concurrency, chosen.vad_mode, chosen.non_talk_s, chosen.max_gap_s) == (4, 1, 5.0, 0.5)
    sources = [loaded.sources[name] for name in ("concurrency", "vad_mode", "non_talk_s", "max_gap_s", "language")]
    assert sources == ["flag", "environment", "callscope.toml", "default", "default"]


def test_a_file_can_be_named_by_flag_or_by_environment_and_the_flag_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    by_flag, by_environment = write("concurrency = 5", "a.toml"), write("concurrency = 6", "b.toml")
    write("concurrency = 7")
    monkeypatch.setenv("CALLSCOPE_CONFIG", str(by_environment))
    assert load_settings().settings.concurrency == 6
    assert load_settings(config=by_flag).settings.concurrency == 5


def test_an_empty_environment_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSCOPE_SERVER", "")
    assert load_settings().settings.server is None


def test_an_unknown_key_in_the_file_is_named_and_an_error_of_usage() -> None:
    write("concurency = 3")
    with pytest.raises(SettingsInvalid, match=r"callscope\.toml has a key that is no setting: concurency") as caught:
        load_settings()
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["concurrency = ", "concurrency 3", "\udcff"])
def test_a_file_that_is_not_toml_is_an_error_that_names_it(text: str) -> None:
    Path("callscope.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsInvalid, match=r"callscope\.toml is not TOML"):
        load_settings()


def test_a_named_file_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(SettingsInvalid, match=r"nowhere\.toml cannot be read \(No such file"):
        load_settings(config=Path("nowhere.toml"))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("vad_mode", 4, "less than or equal to 3"),
        ("agent_channel", -1, "greater than or equal to 0"),
        ("concurrency", 0, "greater than or equal to 1"),
        ("timeout_s", 0, "greater than 0"),
        ("log_level", "loud", "'debug', 'info'"),
        ("max_bytes", 0, "greater than or equal to 1"),
        ("max_channels", 1025, "less than or equal to 1024"),
        ("raw", "mulaw", "Write ENCODING:RATE:CHANNELS"),
        ("raw", "mp3:8000:1", "Choose one of mulaw"),
        ("server", "localhost:8001", "grpc://HOST:PORT"),
        ("server", "grpc://localhost", "grpc://HOST:PORT"),
        ("server", "ftp://localhost:8001", "grpc://HOST:PORT"),
    ],
)
def test_a_value_out_of_range_names_the_flag_the_value_and_the_range(name: str, value: object, reason: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings({name: value})
    assert f"--{name.replace('_', '-')} cannot be {value!r}" in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("scheme", ["grpc", "grpcs", "http", "https"])
def test_a_server_may_be_reached_by_either_protocol_with_or_without_tls(scheme: str) -> None:
    assert load_settings({"server": f"{scheme}://triton:1"}).settings.server == f"{scheme}://triton:1"


@pytest.mark.parametrize("text", ["mulaw:8000:1", "ULAW:8000:1", " pcmu:08000:1"])
def test_raw_sound_is_kept_by_its_usual_name(text: str) -> None:
    assert load_settings({"raw": text}).settings.raw == "mulaw:8000:1"


def test_a_wrong_value_is_blamed_on_where_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    write("vad_mode = 9")
    with pytest.raises(SettingsInvalid, match=r"vad_mode in callscope\.toml cannot be 9"):
        load_settings()
    monkeypatch.setenv("CALLSCOPE_VAD_MODE", "often")
    with pytest.raises(SettingsInvalid, match="CALLSCOPE_VAD_MODE cannot be 'often'"):
        load_settings()


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_several_servers_share_the_work_when_commas_stand_between_them() -> None:
    both = "grpc://a:8001, http://b:8000"
    assert load_settings({"server": both}).settings.server == both


def test_headers_are_read_by_name_and_shown_to_nobody() -> None:
    settings = load_settings({"headers": "Authorization: Bearer x:y\n\nX-Team:calls\n"}).settings
    assert settings.header_fields() == {"Authorization": "Bearer x:y", "X-Team": "calls"}
    assert "Bearer" not in f"{settings!r} {settings.model_dump_json()}"
    assert load_settings({}).settings.header_fields() == {}
