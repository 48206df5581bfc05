"""What a line of the log holds, where it goes, and what it never says."""

from __future__ import annotations

import asyncio
import json
import logging
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import soundfile
from pydantic import SecretStr

from callscope.errors import ResultUnwritable, ServerBusy
from callscope.pipeline import analyze
from callscope.settings import Settings
from callscope.telemetry import say
from callscope.telemetry.calls import name_call, whole_call
from callscope.telemetry.failures import note_failure
from callscope.telemetry.logs import configure_logging
from callscope.triton.transport import connect

if TYPE_CHECKING:
    from callscope_server.launcher import TritonServer

SHA256 = "0123456789abcdef" * 4
logger = logging.getLogger("callscope.somewhere")


def refuse(error: Exception) -> None:
    raise error


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_off_a_terminal_a_line_is_json_with_time_level_logger_event_and_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings(log_level="info"))
    logger.info("%d windows", 3, extra={"seconds": 1.5})
    (line,) = lines(capsys.readouterr().err)
    assert list(line) == ["timestamp", "level", "logger", "event", "seconds"]
    assert (line["level"], line["logger"], line["event"], line["seconds"]) == ("info", logger.name, "3 windows", 1.5)
    moment = datetime.fromisoformat(line["timestamp"])
    assert moment.tzinfo == UTC
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 3600


def test_text_is_for_people_and_names_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="info", log_format="text"))
    with whole_call():
        name_call(SHA256)
        logger.warning("it is slow")
    said = " ".join(capsys.readouterr().err.split())
    assert "WARNING" in said
    assert "callscope.somewhere: it is slow call=0123456789abcdef" in said


def test_lines_name_the_call_in_threads_too_and_no_longer_when_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="info"))

    async def work(sha256: str) -> None:
        with whole_call():
            name_call(sha256)
            await asyncio.sleep(0)
            await asyncio.to_thread(logger.info, sha256)

    async def both() -> None:
        await asyncio.gather(work("a" * 64), work("b" * 64))

    asyncio.run(both())
    logger.info("after")
    *during, after = lines(capsys.readouterr().err)
    assert {line["event"][:16] for line in during} == {"a" * 16, "b" * 16}
    assert all(line["call"] == line["event"][:16] for line in during)
    assert "call" not in after


def test_other_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="debug"))
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("trouble")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["trouble"]


def test_secrets_do_not_get_into_a_line_whatever_it_was_made_of(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="info", headers=SecretStr("Authorization: Bearer token-of-mine")))
    logger.info("sent token-of-mine to postgresql://me:hunter2@db/calls", extra={"headers": ["Bearer token-of-mine"]})
    logger.info(
        "s3://key:hunter2@bucket/a.wav?X-Amz-Signature=cafe&X-Amz-Date=1", extra={"at": {"url": "a://b:hunter2@c"}}
    )
    proxy = "http://me:hunter2@proxy"
    try:
        refuse(ValueError(proxy))
    except ValueError:
        logger.exception("failed")
    said = capsys.readouterr().err
    assert [word for word in ("token-of-mine", "hunter2", "cafe") if word in said] == []
    assert "postgresql://…@db/calls" in lines(said)[0]["event"]


def test_what_the_user_is_told_is_said_once_and_is_in_the_file_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    configure_logging(Settings(log_level="debug", log_file=tmp_path / "log"))
    say("3 analysed.")
    note_failure(ServerBusy("grpc://a:1", "transcribe", "full"))
    assert capsys.readouterr().err == "3 analysed.\n"
    told, failed = lines((tmp_path / "log").read_text(encoding="utf-8"))
    assert (told["event"], told["level"]) == ("3 analysed.", "info")
    assert (failed["error"], failed["level"]) == ("ServerBusy", "error")
    assert "told" not in told


def test_where_json_is_asked_for_stderr_is_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))
    say("3 analysed.")
    note_failure(ServerBusy("grpc://a:1", "transcribe", "full"))
    assert [line["event"][:5] for line in lines(capsys.readouterr().err)] == ["3 ana", "grpc:"]


def test_the_file_has_level_info_though_stderr_has_warnings_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    configure_logging(Settings(log_level="warning", log_file=tmp_path / "log"))
    logger.debug("detail")
    logger.info("news")
    logger.warning("trouble")
    assert [line["event"] for line in lines(capsys.readouterr().err)] == ["trouble"]
    assert [line["event"] for line in lines((tmp_path / "log").read_text("utf-8"))] == ["news", "trouble"]


def test_a_log_that_cannot_be_written_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ResultUnwritable, match=r"nowhere/log cannot be written \(No such file.*--log-file") as caught:
        configure_logging(Settings(log_file=tmp_path / "nowhere" / "log"))
    assert caught.value.exit_code == 3


def test_of_a_bug_the_place_is_logged_and_not_what_it_says(tmp_path: Path) -> None:
    configure_logging(Settings(log_file=tmp_path / "log"))
    try:
        refuse(KeyError("what the customer said"))
    except KeyError as error:
        note_failure(error)
    (line,) = lines((tmp_path / "log").read_text("utf-8"))
    assert line["error"] == "KeyError"
    assert line["event"].startswith("KeyError at test_logs.py:")


def _log_in_a_worker(number: int) -> None:
    logging.getLogger("callscope.worker").info("part %d", number)


def test_worker_processes_log_to_the_same_file(tmp_path: Path) -> None:
    settings = Settings(log_file=tmp_path / "log")
    with ProcessPoolExecutor(2, initializer=configure_logging, initargs=(settings,)) as workers:
        list(workers.map(_log_in_a_worker, range(20)))
    found = lines((tmp_path / "log").read_text("utf-8"))
    assert sorted(line["event"] for line in found) == sorted(f"part {number}" for number in range(20))


async def test_nothing_that_was_said_in_a_call_is_logged_at_any_level(
    triton: TritonServer, demo_calls: Path, tmp_path: Path
) -> None:
    settings = Settings(log_level="debug", log_file=tmp_path / "log")
    configure_logging(settings)
    sound, rate_hz = soundfile.read(demo_calls / "en.wav", dtype="int16")
    soundfile.write(tmp_path / "call.wav", sound[: 30 * rate_hz], rate_hz)
    transport = connect(f"grpc://{triton.endpoints.grpc}")
    try:
        call = await analyze(tmp_path / "call.wav", transport, settings)
    finally:
        await transport.close()
    text = (tmp_path / "log").read_text("utf-8")
    logged = lines(text)
    assert [line for line in logged if line.get("call") != call.recording.id and line.get("step") != "decode"] == []
    assert [line["segments"] for line in logged if line["event"] == "analysed"] == [len(call.segments)]
    values = " ".join(str(value) for line in logged for value in line.values())
    assert len(call.segments) > 5
    assert [one.text for one in call.segments if len(one.text) > 6 and one.text in values] == []
    assert [
        word.word for one in call.segments for word in one.words if len(word.word) > 5 and word.word in values
    ] == []
