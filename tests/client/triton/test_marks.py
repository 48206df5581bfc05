from __future__ import annotations

import pytest

from callscope.triton.marks import kind_of, kinds_of, mark_after, mark_before

COMMA, PERIOD, QUESTION, EXCLAMATION = "COMMA", "PERIOD", "QUESTION", "EXCLAMATION"


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (
            COMMA,
            ("COMMA", "comma", ",", "、", "，", "LOWER_COMMA", "COMMA_UPPER", "Upper_,", ",O", ",U", "B-COMMA", "S-，"),
        ),
        (
            PERIOD,
            (".", "。", "PERIOD", "PERIOD_UPPER", "TITLE_PERIOD", "Upper_.", "_.", ".U", "．", "FULL STOP"),
        ),
        (QUESTION, ("QUESTION", "QUESTION_MARK", "?", "？", "QMARK", "?O", "I-QUESTION", "؟", "question-mark")),
        (EXCLAMATION, ("EXCLAMATION", "!", "！", "EXCLAM", "!U", "exclamation point")),
        ("ACRONYM", ("ACRONYM", "<ACRONYM>")),
        (
            None,
            ("O", "0", "OU", "OO", "NONE", "_", "", "UPPER", "LABEL_0", "LABEL_3", "-", ":", "SPACE", "<NULL>"),
        ),
    ],
)
def test_a_label_is_known_by_any_of_its_names(kind: str | None, labels: tuple[str, ...]) -> None:
    assert {label: kind_of(label) for label in labels} == dict.fromkeys(labels, kind)


def test_the_marks_of_a_model_are_those_of_its_labels() -> None:
    assert kinds_of(("0", ".", ",", "?", "-", ":")) == {COMMA, PERIOD, QUESTION}
    assert kinds_of(("LABEL_0", "LABEL_1")) == frozenset()


@pytest.mark.parametrize(
    ("label", "language", "mark"),
    [
        (".", "ja", "。"),
        ("。", "en", "."),
        ("PERIOD", "ko", "."),
        ("?", "ja", "？"),
        ("！", "ko", "!"),
        ("PERIOD", "de", "."),
        ("。", "zh", "。"),
        ("؟", "ar", "؟"),
        ("・", "ja", ""),
        ("ACRONYM", "en", "."),
        ("ACRONYM", "ja", ""),
        ("O", "zh", ""),
        (":", "en", ""),
    ],
)
def test_a_language_writes_its_own_mark(label: str, language: str, mark: str) -> None:
    assert mark_after(label, language) == mark


def test_a_mark_before_a_word_is_written_where_the_language_has_one() -> None:
    assert [mark_before("¿", language) for language in ("es", "en", "ja", "ko")] == ["¿", "", "", ""]
    assert mark_before("O", "es") == ""
