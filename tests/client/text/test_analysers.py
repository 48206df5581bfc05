from __future__ import annotations

import sys

import pytest

from callscope.errors import ExtraMissing
from callscope.text import analysers
from callscope.text.sentences import split_sentences


def test_kiwi_is_asked_for_by_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    analysers._kiwi.cache_clear()
    with pytest.raises(ExtraMissing, match=r"callscope\[korean\]"):
        split_sentences("네 감사합니다", "ko", model="kiwi")


def test_kiwi_cuts_korean_without_losing_a_character() -> None:
    pytest.importorskip("kiwipiepy", reason="Kiwi is not installed: pip install kiwipiepy")
    analysers._kiwi.cache_clear()
    text = " 네 확인했습니다 \n성함이 어떻게 되세요"
    assert split_sentences(text, "ko", model="kiwi") == (" 네 확인했습니다 \n", "성함이 어떻게 되세요")
    assert split_sentences("", "ko", model="kiwi") == ()


def test_other_languages_keep_the_rules() -> None:
    assert split_sentences("はい。そうです。", "ja", model="kiwi") == ("はい。", "そうです。")
