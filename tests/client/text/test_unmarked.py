"""Sentences that nothing shows but their words. A "|" in a case is where it is cut."""

from __future__ import annotations

import pytest

from callscope.text.sentences import split_sentences

KOREAN = (
    "확인해 주셔서 감사합니다 고객님|바로 처리해 드리겠습니다",
    "나 어제 그거 봤어|진짜 재밌었어|너도 꼭 봐",
    "벌써 다 왔네|생각보다 가깝더라|걸어올 걸 그랬어",
    "배송 빨리 왔음|상자가 조금 찢어졌음|그래도 만족함",
    "집에 있어 봐야 할 일도 없다|같이 나가자",
    "네 고객센터입니다|무엇을 도와드릴까요|인터넷이 어제부터 안 되는데 확인 좀 해 주세요",
    "안녕하십니까|행복을 드리는 상담원 이수진입니다|어떤 점이 불편하셨습니까",
    "제가 어제 주문을 했는데요|아직도 안 왔어요|언제쯤 도착하나요",
    "잠시만 기다려 주십시오|확인해 보겠습니다|네 확인됐습니다",
    "그건 제가 잘 모르겠는데 다른 분한테 물어볼게요|아 그리고 하나 더 있어요",
    "환불이 가능하다고 들었는데 맞습니까|네 가능합니다|카드로 결제하셨죠",
    "이번 달 요금이 지난달보다 훨씬 많이 나왔어요|왜 그런지 알려 주세요",
    "해지하면 위약금이 나온다는 말씀이세요|그런 설명은 못 들었어요",
    "비밀번호를 바꾸다가 오류가 났어요|어떻게 해야 되죠",
    "고객님께서는 필요 없다고 하셨지만 저희는 필요하다고 생각합니다|다시 검토해 주시겠습니까",
    "기사님이 오신다고 했는데 안 오셨어요|다시 예약할까요",
    "제가 지금 운전 중이라서 나중에 다시 전화드릴게요|네 알겠습니다",
    "확인해 주셔서 감사합니다 고객님",
    "더 궁금하신 점 있으세요|아니요 없어요|네 좋은 하루 되세요",
    "지금 바로 처리해 드릴까 하는데 괜찮으세요|네 그렇게 해 주세요",
    "설명을 들으니까 이해가 되네요|고맙습니다|수고하세요",
    "회의는 두 시에 시작한다|늦은 사람은 뒷문으로 들어온다|자리는 넉넉하다",
    "그는 바다를 보러 갔다|날이 흐려서 아무것도 보이지 않았다",
    "전문가가 여러 명 왔다|누군가 문을 열었다|안에는 아무도 없었다",
    "눈이 많이 내렸다고 한다|그래서 길이 막혔다",
    "누가 그 일을 맡을 것인가|아직 정해지지 않았다",
    "저는요 그냥 환불만 받고 싶어요|다른 건 필요 없어요",
    "주요 기능이 세 가지예요|첫 번째는 예약이에요|두 번째는 알림이고요|마지막이 결제예요",
    "어떤 상품을 찾으세요|중요 공지는 홈페이지에 있습니다",
    "문자가 왔다가 바로 지워졌어요|다시 보내 주실 수 있나요",
    "신청하셨던 상품이랑 달라서요|교환하고 싶습니다",
    "죄송하지만 그건 어렵습니다|양해 부탁드립니다",
    "아까 말씀드렸잖아요|왜 자꾸 물어보세요",
    "먹어 보니 맛있었다|값도 쌌다|다시 가고 싶다",
    "이게 뭐예요|제가 산 게 아니에요",
)

JAPANESE = (
    "在庫がありませんでしたが予約はできました",
    "いつ届きますかと聞かれました|来週ですと答えました",
    "新しい私の車は速い",
    "もう届いたよ|明日使ってみるね|じゃあまた連絡する",
    "いつ頼んだっけ|全然覚えてないよ",
    "お電話ありがとうございます|山田です|今日はどうされましたか",
    "お電話ありがとうございます|サポート窓口の山本でございます|本日はどのようなご用件でしょうか",
    "昨日注文したんですがまだ届いていないんです",
    "少々お待ちくださいませ|ただいま確認いたします",
    "かしこまりました|お名前をお伺いしてもよろしいですか|鈴木です",
    "そうなんですね|ご不便をおかけして申し訳ございませんでした",
    "料金が先月より高いのですがなぜでしょうか|確認していただけますか",
    "はい承知いたしました|では住所をお願いします",
    "解約したいんですけど違約金はかかりますか|いいえかかりません",
    "担当者から折り返しお電話いたしますのでお待ちいただけますでしょうか|はいお願いします",
    "届いた商品が壊れていました|返品できますか",
    "できますよ|伝票はお持ちですか",
    "わかりました|ありがとうございました|失礼いたします",
    "お客様の番号を教えていただけますか|四七二三です",
    "確認しましたところ在庫がございませんでした|大変申し訳ございません",
    "それは困ります|なぜもっと早く教えてくれなかったんですか",
    "昨日買った本はとても面白い|しかし値段が高かった",
    "彼は駅へ行った|そこで友人に会った",
    "この町には古い寺が多い|その中でも東の寺は有名だ|毎年多くの人が訪れる",
    "雨が降っていたので試合は中止になった|選手たちは残念そうに帰った",
    "会議は三時に始まる予定だ|資料は明日までに送る",
    "会社は新しい工場を建てると発表した|工場では二百人が働く",
    "母が作った料理を食べた|とてもおいしかった",
    "今すぐ来てください|お待ちしています",
    "ますます忙しくなります|どうしましょうか",
    "そう言われましても困ります|責任者の方をお願いできますか",
    "明日なら行けますよね|何時がいいですか",
    "修理にはどのくらいかかりますか|一週間ほどかかります",
    "ご登録の電話番号をお願いいたします|念のためお名前もお聞かせください",
    "先週そちらで買った掃除機が動かないんです|もう二回も電話しました",
    "いつ届くか教えてもらえますか|急いでいるんです",
)

ENGLISH = (
    "thank you for calling customer care|my name is dana|how can i help you today",
    "yes i ordered a lamp last week and it has not arrived",
    "i understand|can you give me your order number please",
    "The lamp was broken|When I opened the box the glass fell out|We would like our money back",
    "I told them that the bill was wrong|They said it would be fixed|Nothing happened",
)


@pytest.mark.parametrize("case", KOREAN)
def test_korean_ends_with_its_verb(case: str) -> None:
    assert split_sentences(case.replace("|", " "), "ko") == _cut_with_spaces(case)


@pytest.mark.parametrize("case", JAPANESE)
def test_japanese_ends_with_a_predicate_that_describes_nothing(case: str) -> None:
    assert split_sentences(case.replace("|", ""), "ja") == tuple(case.split("|"))


@pytest.mark.parametrize("case", ENGLISH)
def test_english_ends_before_a_capital_or_a_phrase_of_calls(case: str) -> None:
    assert split_sentences(case.replace("|", " "), "en") == _cut_with_spaces(case)


@pytest.mark.parametrize(
    "text", ["The Name Of The Song Is The Best Of All", "I think that The Hague is far and I know it"]
)
def test_capitals_say_nothing_where_many_words_have_them_or_behind_an_open_word(text: str) -> None:
    assert split_sentences(text, "en") == (text,)


@pytest.mark.parametrize("language", ["fr", "zh", ""])
def test_a_language_without_rules_is_cut_at_marks_only(language: str) -> None:
    assert split_sentences("감사합니다 네 그렇습니다 안녕히 계세요", language) == (
        "감사합니다 네 그렇습니다 안녕히 계세요",
    )


def _cut_with_spaces(case: str) -> tuple[str, ...]:
    *others, last = case.split("|")
    return (*(part + " " for part in others), last)
