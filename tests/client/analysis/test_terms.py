from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscope.analysis.inflection import english_adjective, english_verb, japanese_verb, korean_b, korean_stem
from callscope.analysis.lexicon import read_lexicon
from callscope.analysis.terms import Term, find_terms, score_terms

GOOD, BAD, NOTHING = 1, -1, 0

CASES = {
    "ko": [
        ("정말 만족합니다.", GOOD),
        ("친절하게 알려 주셔서 좋았어요.", GOOD),
        ("고마워요.", GOOD),
        ("고맙습니다.", GOOD),
        ("고마웠어요.", GOOD),
        ("빨라서 좋네요.", GOOD),
        ("생각보다 쉬웠어요.", GOOD),
        ("문제없이 해결됐어요.", GOOD),
        ("배송이 너무 늦어요.", BAD),
        ("답변이 느렸어요.", BAD),
        ("느린 인터넷.", BAD),
        ("전화가 자꾸 끊겨요.", BAD),
        ("만족하지 않아요.", BAD),
        ("만족스럽지 못했습니다.", BAD),
        ("안 좋아요.", BAD),
        ("별로 좋지 않네요.", BAD),
        ("아직도 해결이 안 됐어요.", BAD),
        ("해결하지 못했어요.", BAD),
        ("아쉬운 서비스예요.", BAD),
        ("아쉽네요.", BAD),
        ("품질이 나빠요.", BAD),
        ("나쁘지 않아요.", GOOD),
        ("문제 없어요.", GOOD),
        ("불만은 없습니다.", GOOD),
        ("서비스가 최악이에요.", BAD),
        ("화가 나네요.", BAD),
        ("이거 사기 아니에요?", BAD),
        ("사기 전에 물어보려고요.", NOTHING),
        ("전화번호가 어떻게 되세요?", NOTHING),
        ("좋은 하루 되세요.", NOTHING),
        ("불편하셨겠습니다.", NOTHING),
        ("예약하려고요.", NOTHING),
        ("상하이로 보내 주세요.", NOTHING),
        ("나쁘진 않았어요.", GOOD),
        ("만족하지 않는 건 아니에요.", GOOD),
        ("문제가 없지 않아요.", BAD),
        ("불편한 점은 없었습니다.", GOOD),
        ("설명이 친절하지가 않아요.", BAD),
        ("좋을 리가 없죠.", BAD),
        ("믿을 수가 없네요.", BAD),
        ("만족스러운 답변이 아니었어요.", BAD),
        ("친절하다고 할 수 없어요.", BAD),
        ("서비스가 마음에 안 들어요.", BAD),
        ("문제가 해결됐어요.", GOOD),
        ("문제를 해결하지 못했어요.", BAD),
        ("이 문제는 해결된 것이 없어요.", BAD),
        ("고장 신고는 1번을 눌러 주세요.", NOTHING),
        ("기다려 주셔서 감사합니다.", NOTHING),
        ("매달 칠 일에 빠져나갑니다.", NOTHING),
        ("대기업에 다녀요.", NOTHING),
    ],
    "ja": [
        ("とても助かりました。", GOOD),
        ("親切にしていただいて嬉しかったです。", GOOD),
        ("対応が丁寧でした。", GOOD),
        ("よかったです。", GOOD),
        ("問題ありません。", GOOD),
        ("遅くないです。", GOOD),
        ("配送が遅いです。", BAD),
        ("遅すぎます。", BAD),
        ("困っています。", BAD),
        ("壊れてしまいました。", BAD),
        ("全然つながらないんです。", BAD),
        ("満足していません。", BAD),
        ("満足できませんでした。", BAD),
        ("美味しくなかった。", BAD),
        ("嬉しくないです。", BAD),
        ("解決していません。", BAD),
        ("納得がいかない。", BAD),
        ("本当にひどい対応ですね。", BAD),
        ("腹が立ちます。", BAD),
        ("怒っています。", BAD),
        ("二度と利用しません。", BAD),
        ("話が違います。", BAD),
        ("まだ届いていません。", BAD),
        ("ご迷惑をおかけしております。", NOTHING),
        ("まず、お名前をお願いします。", NOTHING),
        ("音楽を聴いています。", NOTHING),
        ("お問い合わせ番号をお願いします。", NOTHING),
        ("ご理解のほどお願いします。", NOTHING),
        ("お早めにご連絡ください。", NOTHING),
        ("悪いところは何もありません。", GOOD),
        ("問題がないとは言えません。", BAD),
        ("問題がないわけではありません。", BAD),
        ("遅くないわけではない。", BAD),
        ("壊れたことがありません。", GOOD),
        ("料金が高すぎると思います。", BAD),
        ("約束を守ってくれませんでした。", BAD),
        ("満足とは言えません。", BAD),
        ("割引はできかねます。", BAD),
        ("うれしくも何ともありません。", BAD),
        ("安心して使えません。", BAD),
        ("ドライヤーを買いました。", NOTHING),
        ("失礼ですが、お名前をお願いいたします。", NOTHING),
        ("よろしくお願いします。", NOTHING),
    ],
    "en": [
        ("I'm very happy with the service.", GOOD),
        ("That was easily solved.", GOOD),
        ("You have been great.", GOOD),
        ("I could not be happier.", GOOD),
        ("There is no issue now.", GOOD),
        ("It is not a bad plan.", GOOD),
        ("It works now, without errors.", GOOD),
        ("This is not good at all.", BAD),
        ("I am not happy.", BAD),
        ("They refused twice.", BAD),
        ("It hasn't arrived and I'm frustrated.", BAD),
        ("The slowest response ever.", BAD),
        ("You keep dropping my calls, it drops every day.", BAD),
        ("I was overcharged.", BAD),
        ("They lied to me.", BAD),
        ("Never again.", BAD),
        ("I want to speak to a manager.", BAD),
        ("No problem.", NOTHING),
        ("Have a good day.", NOTHING),
        ("How can I help you today?", NOTHING),
        ("I can issue a new card.", NOTHING),
        ("The phone is on the table.", NOTHING),
        ("I'm sorry for the inconvenience.", NOTHING),
        ("I have never been so happy with a company.", GOOD),
        ("I have never been so angry.", BAD),
        ("I'm not saying it isn't good.", GOOD),
        ("It was not without problems.", BAD),
        ("It's not so good.", BAD),
        ("It was not only fast but also cheap.", GOOD),
        ("The connection was neither fast nor reliable.", BAD),
        ("It couldn't have been easier.", GOOD),
        ("Nobody in the repair team wants to help me.", BAD),
        ("That solves my problem.", GOOD),
        ("The agent was friendlier than last time.", GOOD),
        ("It is slow, but not expensive.", BAD),
        ("Your complaint number is six three eight.", NOTHING),
        ("Thank you so much for waiting.", NOTHING),
    ],
}


@pytest.mark.parametrize(
    ("language", "text", "sign"), [(code, *case) for code, cases in CASES.items() for case in cases]
)
def test_what_is_said_sounds_as_it_does_to_a_reader(language: str, text: str, sign: int) -> None:
    score = score_terms(find_terms(text, language))
    assert (score > 0) - (score < 0) == sign


@pytest.mark.parametrize("language", ["ko", "ja", "en"])
def test_the_lexicon_has_at_least_150_entries_of_both_signs(language: str) -> None:
    entries = {entry.name: entry.weight for entry in read_lexicon(language).forms.values()}
    assert sum(weight != 0 for weight in entries.values()) >= 150
    assert min(entries.values()) == -2
    assert max(entries.values()) == 2


@pytest.mark.parametrize(
    ("language", "plain", "strong", "weak"),
    [
        ("ko", "늦어요.", "너무 늦어요.", "조금 늦어요."),
        ("ja", "遅いです。", "とても遅いです。", "少し遅いです。"),
        ("en", "It is slow.", "It is very slow.", "It is slightly slow."),
    ],
)
def test_intensity_and_questions_change_the_weight(language: str, plain: str, strong: str, weak: str) -> None:
    weight = [find_terms(text, language)[0].weight for text in (strong, plain, weak, plain.rstrip(".。") + "?")]
    assert weight[0] < weight[1] < weight[2] < 0
    assert weight[1] < weight[3] < 0


@pytest.mark.parametrize(
    ("language", "said", "excused"),
    [
        ("ko", "상품이 깨져서 왔어요.", "상품이 깨져서 죄송합니다."),
        ("ko", "정말 답답해요.", "정말 답답하셨을 것 같아요."),
        ("ja", "配送が遅れています。", "配送が遅れて申し訳ございません。"),
        ("en", "There is a delay.", "I apologise for the delay."),
        ("en", "I am upset.", "I can see why you are upset."),
    ],
)
def test_who_apologises_or_feels_for_the_other_complains_less(language: str, said: str, excused: str) -> None:
    own, other = (find_terms(text, language) for text in (said, excused))
    assert 0 > other[0].weight > own[0].weight


@pytest.mark.parametrize(
    ("language", "asked", "refused"),
    [
        ("ko", "환불하고 싶어요.", "환불을 못 받았어요."),
        ("ja", "返金をお願いします。", "返金してもらえません。"),
        ("en", "I want a refund.", "I did not get a refund."),
    ],
)
def test_a_refund_that_is_refused_is_worse_than_one_that_is_asked_for(language: str, asked: str, refused: str) -> None:
    assert find_terms(refused, language)[0].weight <= 2 * find_terms(asked, language)[0].weight < 0


def test_a_term_tells_its_place() -> None:
    assert find_terms("정말 고마웠어요.", "ko") == (Term(3, 6, "고마웠", 1.95, "고맙"),)


def test_other_languages_have_no_terms() -> None:
    assert find_terms("C'est terrible", "fr") == ()


@given(st.text(), st.sampled_from(["ko", "ja", "en"]))
def test_terms_lie_in_the_text_and_apart(text: str, language: str) -> None:
    last = 0
    for term in find_terms(text, language):
        assert last <= term.start < term.end <= len(text)
        assert term.text == text[term.start : term.end]
        assert -2 <= term.weight <= 2
        last = term.end
    assert -1 < score_terms(find_terms(text, language)) < 1


def test_forms_are_those_of_the_grammars() -> None:
    assert {"느려", "느렸", "느린", "느립"} <= set(korean_stem("느리"))
    assert {"빨라", "빨랐"} <= set(korean_stem("빠르"))
    assert {"나빠", "나빴", "나쁜"} <= set(korean_stem("나쁘"))
    assert {"뛰어나", "뛰어난", "뛰어났"} <= set(korean_stem("뛰어나"))
    assert set(korean_stem("늦")) == {"늦"}
    assert {"고마워", "고마운", "고맙"} <= set(korean_b("고맙"))
    assert {"困り", "困っ", "困ら"} <= set(japanese_verb("困る"))
    assert {"怒ら", "怒っ"} <= set(japanese_verb("怒る"))
    assert set(english_verb("drop")) == {"drop", "drops", "dropped", "dropping"}
    assert set(english_verb("deny")) == {"deny", "denies", "denied", "denying"}
    assert set(english_verb("refuse")) == {"refuse", "refuses", "refused", "refusing"}
    assert set(english_adjective("easy")) == {"easy", "easily", "easier", "easiest"}
