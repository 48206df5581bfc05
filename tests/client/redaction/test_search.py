import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.redaction.search import find_personal_data, mask_text

CASES = tomllib.loads(Path(__file__).with_name("cases.toml").read_text("utf-8"))
MASKED = [
    (language, kind, text) for language, row in CASES.items() for kind in row if kind != "keep" for text in row[kind]
]
KEPT = [(language, text) for language, row in CASES.items() for text in row["keep"]]


@pytest.mark.parametrize(("language", "kind", "text"), MASKED)
def test_what_is_somebodys_is_masked_whole(language: str, kind: str, text: str) -> None:
    masked = mask_text(text, language)
    assert f"[{kind}]" in masked
    assert not any(character.isdigit() for character in masked)


@pytest.mark.parametrize(("language", "text"), KEPT)
def test_what_is_nobodys_secret_stays(language: str, text: str) -> None:
    assert mask_text(text, language) == text


@pytest.mark.parametrize(("language", "kind", "text"), MASKED)
def test_a_masked_text_holds_nothing_to_mask(language: str, kind: str, text: str) -> None:
    once = mask_text(text, language)
    assert mask_text(once, language) == once


@pytest.mark.parametrize(("language", "kind", "text"), MASKED)
def test_an_unknown_language_is_searched_in_all_three(language: str, kind: str, text: str) -> None:
    assert f"[{kind}]" in mask_text(text, None)


def test_what_others_said_before_tells_what_a_number_is() -> None:
    text = "1234 5678 9012 34"
    assert mask_text(text, "en") == text
    assert [found.kind for found in find_personal_data(text, "en", lambda _: "And the card number, please?")] == [
        "card"
    ]
    assert not find_personal_data("4111 1111 1111 1111", "en", lambda _: "What is the order number?")


def test_the_nearest_words_decide() -> None:
    assert mask_text("주문번호 말고 카드 번호는 4111 1111 1111 1112", "ko") == "주문번호 말고 카드 번호는 [card]"
    assert mask_text("카드 번호 말고 주문번호는 4111 1111 1111 1111", "ko").endswith("4111 1111 1111 1111")


@given(st.text(), st.sampled_from(["en", "ko", "ja", "fr", None]))
def test_any_text_can_be_searched(text: str, language: str | None) -> None:
    last = 0
    for found in find_personal_data(text, language):
        assert last <= found.start < found.end <= len(text)
        last = found.end


@given(st.text(alphabet=st.characters(categories=["Lo", "Ll", "Zs"])), st.sampled_from(["en", "ko", "ja"]))
def test_a_card_is_found_in_any_company(around: str, language: str) -> None:
    masked = mask_text(f"{around} 4111-1111-1111-1111 {around}", language)
    assert "1111" not in masked
