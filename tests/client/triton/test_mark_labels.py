from __future__ import annotations

import pytest

from callscope.triton.mark_labels import marks


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["O", "COMMA", "PERIOD", "QUESTION"], ("NONE", "COMMA", "PERIOD", "QUESTION")),
        (["0", ".", ",", "?", "-", ":"], ("NONE", "PERIOD", "COMMA", "QUESTION", "NONE", "NONE")),
        (
            ["OU", "OO", ".O", "!O", ",O", ".U", "?U"],
            ("NONE", "NONE", "PERIOD", "EXCLAMATION", "COMMA", "PERIOD", "QUESTION"),
        ),
        (["<NULL>", "、", "。", "？"], ("NONE", "COMMA", "PERIOD", "QUESTION")),
        (["LOWER_O", "TITLE_COMMA", "PERIOD_UPPER", "UPPER"], ("NONE", "COMMA", "PERIOD", "NONE")),
        (["_", "Upper_.", "_,", "Upper", "lower_?"], ("NONE", "PERIOD", "COMMA", "NONE", "QUESTION")),
        (["O", "S-，", "B-PERIOD", "I-QUESTION_MARK"], ("NONE", "COMMA", "PERIOD", "QUESTION")),
        (
            ["O", "ACRONYM", "<ACRONYM>", "؟", "፣", "。", "・"],
            ("NONE", "ACRONYM", "ACRONYM", "QUESTION", "COMMA", "PERIOD", "NONE"),
        ),
        (["none", "Full_Stop", "question-mark", "comma"], ("NONE", "PERIOD", "QUESTION", "COMMA")),
    ],
)
def test_labels_of_published_models_are_known(labels: list[str], wanted: tuple[str, ...]) -> None:
    assert marks(labels) == wanted


@pytest.mark.parametrize(
    "labels", [["LABEL_0", "LABEL_1"], ["O", "PER", "LOC"], ["O", "B-PER"], ["comma", "period", "?!x"]]
)
def test_other_labels_are_not_guessed(labels: list[str]) -> None:
    assert marks(labels) is None
