"""Where results go."""

from pathlib import Path

import pytest

from callscope.analysis.talk import measure
from callscope.call import Call, Processing, Recording
from callscope.commands.output import Format, plan_files, write_file
from callscope.errors import ResultUnwritable, SettingsInvalid


@pytest.fixture
def call() -> Call:
    recording = Recording("x", "x.wav", "0" * 64, 3.0, 8000, 1)
    processing = Processing("2026-01-01T00:00:00+00:00", "0", 1.0, 0.3, {})
    return Call(recording, processing, (), (), measure((), (), 3.0))


def names(sources: list[str], output: str, form: Format = Format.JSON) -> list[str]:
    plan = plan_files([Path(source) for source in sources], output, form)
    return [str(plan[Path(source)]) for source in sources]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_one_call_goes_into_the_named_file() -> None:
    assert names(["a.wav"], "out.txt") == ["out.txt"]
    assert not Path("out.txt").exists()


def test_a_final_slash_makes_it_a_folder_and_the_folder_is_made() -> None:
    assert names(["a.wav"], "new/deep/") == ["new/deep/a.json"]
    assert Path("new/deep").is_dir()


def test_standard_input_is_called_stdin_beside_any_file() -> None:
    assert names(["-"], "out/") == ["out/stdin.json"]
    assert names(["-", "stdin.wav", "a/stdin"], "out/") == ["out/stdin.json", "out/stdin.wav.json", "out/stdin-2.json"]


def test_a_folder_that_exists_needs_no_slash_and_the_suffix_follows_the_format() -> None:
    Path("out").mkdir()
    assert names(["x/a.wav"], "out", Format.TXT) == ["out/a.txt"]


def test_calls_that_share_a_name_never_overwrite_each_other() -> None:
    found = names(["a.wav", "a.mp3", "b.wav", "old/b.wav"], "out")
    assert found == ["out/a.wav.json", "out/a.mp3.json", "out/b.wav.json", "out/b.wav-2.json"]


def test_a_page_has_a_player_where_it_is_given_sound_and_other_formats_do_not_mind(call: Call) -> None:
    for form in Format:
        write_file(call, form, Path(f"a.{form}"), audio="./a.wav")
        assert ('src="./a.wav"' in Path(f"a.{form}").read_text("utf-8")) == (form is Format.HTML)


def test_several_calls_and_a_file_is_an_error() -> None:
    Path("out").touch()
    with pytest.raises(SettingsInvalid, match="out is a file, which cannot hold 2 results"):
        names(["a.wav", "b.wav"], "out")


def test_a_file_is_replaced_as_a_whole_and_nothing_else_is_left(call: Call) -> None:
    Path("out.json").write_text("old")
    before = Path("out.json").stat().st_ino
    write_file(call, Format.JSON, Path("out.json"))
    assert Path("out.json").read_text().startswith("{")
    assert Path("out.json").stat().st_ino != before
    assert list(Path().iterdir()) == [Path("out.json")]


def test_a_link_stays_a_link_and_its_target_is_replaced(call: Call) -> None:
    Path("target.json").write_text("old")
    Path("link.json").symlink_to("target.json")
    write_file(call, Format.JSON, Path("link.json"))
    assert Path("link.json").is_symlink()
    assert Path("target.json").read_text().startswith("{")


def test_a_device_is_written_to_and_not_replaced(call: Call) -> None:
    write_file(call, Format.JSON, Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_a_folder_that_is_not_there_is_an_error_that_names_the_file(call: Call) -> None:
    with pytest.raises(ResultUnwritable, match=r"nowhere/out\.json cannot be written \(No such file"):
        write_file(call, Format.JSON, Path("nowhere/out.json"))
