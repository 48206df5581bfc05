"""Sentences whose ends marks show. A "|" in a case is where it is cut."""

from __future__ import annotations

import pytest

from callscope.text.sentences import split_sentences

KOREAN = (
    "네, 맞습니다. |언제 오시나요? |내일이요!",
    "안녕하세요.|무엇을 도와드릴까요?|네.",
    '요금은 3.5만 원입니다. |"네."라고 하셨습니다. |감사합니다.',
    "2024. 3. 5. 접수되었습니다. |담당자는 J. 스미스입니다.",
    "1. 전원을 끕니다. |2. 다시 켭니다.",
    "저... 혹시 환불되나요? |글쎄요... |확인해 볼게요.",
    "그는 “지금 갑니다. 기다려 주세요.”라고 말했다. |나는 웃었다.",
    "“괜찮아요?” 그가 물었다.",
    "네 알겠습니다 |고객님 성함이 어떻게 되세요?",
    "확인해 보니 저희 직원의 잘못입니다, 죄송합니다.",
    "Dr. 김이 왔다. |B.C. 300년의 일이다.",
    "비용은 1,200.50달러다. |비싸다!",
    "주소는 www.example.com입니다. |감사합니다.",
    "정말요?! |네…",
    "갔다고 했지만, 가지 않았다고 한다. |왜일까?",
    "회사(주식회사 한빛. 옛 이름은 새빛)는 서울에 있다. |크다.",
)

JAPANESE = (
    "はい、そうです。|少々お待ちください。|よろしいですか？|はい！",
    "「すぐ行きます。」|そう言いました。",
    "「すぐ行きます。待っていてください。」と言われました。|本当ですか？！|はい。",
    "料金は3.5円です。 |以上です",
    "彼は「もう帰る。」が口癖だ。|おかしい。",
    "えっと…注文番号は二番です。|わからない…|困りました。",
    "商品は届きました．|箱が壊れていました．",
    "はい。|（笑。）|そうです。",
    "J. スミスさんです。|お待ちください。",
    "承知しました |確認いたします。",
    "見たと思います。|ですが、違います。",
    "そうです｡|はい｡",
    "『行くぞ！』と叫んだ。|誰もいない。",
    "会社名はYahoo!です。",
    "これはいくらですか？とお客様が聞きました。",
)

ENGLISH = (
    "Hello there. |How are you? |Fine!",
    "It costs 3.50 a month. |Is that all?",
    "Mr. Smith and Dr. J. R. Jones are here. |Good.",
    "Call before 5 p.m. tomorrow. |Or at 9 a.m. |We open then.",
    "No. |I did not order No. 5, e.g. the blue one.",
    "Well... maybe later. |So do I. |Really?! |Yes...",
    '"Are you sure?" she asked. |"I am." |Then he left.',
    '"Stop!" John Miller said. |Nobody did.',
    "See example.com for more. |Thanks.",
    "She works for Acme Inc. in Boston. |He works for Acme Inc. |They are happy.",
    "The U.S. Senate met. |It was in the U.S. |Then it rained.",
    "Meet on Jan. 5 at St. Mary's. |Bring I.D. cards, pens, etc. |We will wait.",
    "The order is nos. 3 and 4. |Right?",
    "1. Open the lid. |2. Close it.",
    "I paid $5. |You paid nothing.",
    "Visit https://example.com/a.b?c=d. |Then call us.",
    "Is it vs. or versus? |It is both (see fig. 3). |Fine.",
    "one sentence without marks",
)

OTHERS = (("fr", "Bonjour. |Ça va ?"), ("", "ok. |はい。|네."))
CASES = (
    *(("ko", case) for case in KOREAN),
    *(("ja", case) for case in JAPANESE),
    *(("en", case) for case in ENGLISH),
    *OTHERS,
)


@pytest.mark.parametrize(("language", "case"), CASES)
def test_sentences_end_where_a_reader_would_end_them(language: str, case: str) -> None:
    parts = tuple(case.split("|"))
    assert split_sentences("".join(parts), language) == parts


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", "그는 집에 갔다 그리고 잤다고 말했다."),
        ("ja", "彼は帰った彼女は残ったと聞いた。"),
        ("en", "The end of The Hague story is known to all."),
    ],
)
def test_in_a_text_with_marks_plain_words_end_nothing(language: str, text: str) -> None:
    assert split_sentences(text, language) == (text,)
