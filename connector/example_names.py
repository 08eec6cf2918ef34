"""Names of the made-up company's customers and people: any number of them, all different, in Chinese and English.

The n-th name is computed, not drawn: a number is mixed once through (city, brand, trade), so that 100,000 names need no
list of those already given. Codes are valid by GB 32100-2015, and invented like the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]

_CITIES = """
苏州 Suzhou 320500|上海 Shanghai 310115|深圳 Shenzhen 440300|宁波 Ningbo 330200|杭州 Hangzhou 330100|
青岛 Qingdao 370200|无锡 Wuxi 320200|东莞 Dongguan 441900|佛山 Foshan 440600|成都 Chengdu 510100|
武汉 Wuhan 420100|重庆 Chongqing 500100|天津 Tianjin 120100|大连 Dalian 210200|厦门 Xiamen 350200|
长沙 Changsha 430100|合肥 Hefei 340100|郑州 Zhengzhou 410100|济南 Jinan 370100|温州 Wenzhou 330300|
南京 Nanjing 320100|常州 Changzhou 320400|昆明 Kunming 530100|沈阳 Shenyang 210100
"""
_FIRST = """
恒 Heng|华 Hua|金 Jin|瑞 Rui|宏 Hong|德 De|新 Xin|凯 Kai|博 Bo|永 Yong|嘉 Jia|万 Wan|中 Zhong|天 Tian|百 Bai|通 Tong
"""
_SECOND = """
泰 Tai|盛 Sheng|源 Yuan|达 Da|丰 Feng|诺 Nuo|科 Ke|隆 Long|安 An|航 Hang|利 Li|顺 Shun|邦 Bang|特 Te|朗 Lang|乐 Le
"""
_TRADES = """
精密机械 Precision Machinery|电子科技 Electronics|包装材料 Packaging|化工 Chemicals|医疗器械 Medical Devices|
建筑材料 Building Materials|汽车零部件 Auto Parts|纺织品 Textiles|食品 Foods|照明 Lighting|物流 Logistics|
五金制品 Hardware|新能源 New Energy|家具 Furniture|塑胶制品 Plastics|仪器仪表 Instruments|
国际贸易 International Trading|自动化设备 Automation|环保科技 Environmental Technology|印刷 Printing
"""
_ABROAD = """
Northgate Ashford Brightwater Calder Dunmore Eastfield Fairmont Glenrock Harrow Ironbridge Kestrel Lindqvist Marlow
Norwood Oakhurst Pemberton Quayside Redmire Stanhope Thornbury Upton Vantage Westlake Yarrow Brandt Keller Vogel
Lehmann Moreau Duval
"""
_FORMS = "Ltd GB|GmbH DE|S.A. FR|B.V. NL|Inc. US|K.K. JP|Pte. Ltd. SG|AB SE"
_SURNAMES = "王 Wang|李 Li|张 Zhang|刘 Liu|陈 Chen|杨 Yang|赵 Zhao|黄 Huang|周 Zhou|吴 Wu|徐 Xu|孙 Sun"
_GIVEN = "伟 Wei|芳 Fang|敏 Min|静 Jing|磊 Lei|洋 Yang|艳 Yan|勇 Yong|杰 Jie|娟 Juan|涛 Tao|明 Ming"


def _rows(text: str) -> list[list[str]]:
    return [row.strip().split(" ", 1) for row in text.split("|")]


CITIES = [(zh, *rest.split(" ")) for zh, rest in _rows(_CITIES)]
_FIRSTS, _SECONDS, _TRADE = _rows(_FIRST), _rows(_SECOND), _rows(_TRADES)
_FORM = [row.rsplit(" ", 1) for row in _FORMS.split("|")]
_WORDS = _ABROAD.split()
_BRANDS = len(_FIRSTS) * len(_SECONDS)
_AT_HOME = len(CITIES) * _BRANDS * len(_TRADE)
_SPREAD = 7_368_787  # prime, larger than any of the counts: multiplication by it permutes them


@dataclass(frozen=True, slots=True)
class Name:
    """One company's name in both languages, where it sits, and its parts for a relative's or a shortened name."""

    zh: str
    en: str
    country: str
    region: str  # six digits of the division where it is registered
    short_zh: str
    short_en: str

    def say(self, language: Language) -> str:
        """The name in one language; a foreign company's is the same in both."""
        return self.zh if language == "zh" else self.en


def at_home(number: int, seed: int, city: int | None = None, *, group: bool = False) -> Name:
    """The n-th Chinese company. Another `city` makes a relative of the same brand; `group` makes it the holding."""
    mixed = (number * _SPREAD + seed * 104_729) % _AT_HOME
    mixed, own_city = divmod(mixed, len(CITIES))
    brand, trade = divmod(mixed, len(_TRADE))
    (first_zh, first_en), (second_zh, second_en) = _FIRSTS[brand // len(_SECONDS)], _SECONDS[brand % len(_SECONDS)]
    trade_zh, trade_en = _TRADE[trade]
    brand_zh, brand_en = first_zh + second_zh, first_en + second_en.lower()
    if city is not None:
        city_zh, city_en, region = CITIES[(own_city + city) % len(CITIES)]
        short_zh, short_en = f"{brand_zh}{trade_zh}（{city_zh}）", f"{brand_en} {trade_en} ({city_en})"
    else:
        city_zh, city_en, region = CITIES[own_city]
        short_zh, short_en = f"{city_zh}{brand_zh}{trade_zh}", f"{city_en} {brand_en} {trade_en}"
    if group:
        short = (f"{brand_zh}集团", f"{brand_en} Group")
        return Name(f"{short_zh}集团有限公司", f"{short_en} Group Co., Ltd.", "CN", region, *short)
    return Name(f"{short_zh}有限公司", f"{short_en} Co., Ltd.", "CN", region, short_zh, short_en)


def abroad(number: int, seed: int) -> Name:
    """The n-th foreign company."""
    count = len(_WORDS) * len(_WORDS) * len(_TRADE) * len(_FORM)
    mixed = (number * _SPREAD + seed * 104_729) % count
    mixed, form = divmod(mixed, len(_FORM))
    mixed, trade = divmod(mixed, len(_TRADE))
    first, second = divmod(mixed, len(_WORDS))
    short = (
        f"{_WORDS[first]} {_TRADE[trade][1]}"
        if first == second
        else f"{_WORDS[first]} {_WORDS[second]} {_TRADE[trade][1]}"
    )
    ending, country = _FORM[form]
    name = f"{short} {ending}"
    return Name(name, name, country, "", short, short)


def person(number: int, language: Language) -> tuple[str, str]:
    """Name and e-mail address of the n-th person."""
    surnames, given_names = _rows(_SURNAMES), _rows(_GIVEN)
    surname_zh, surname_en = surnames[number % len(surnames)]
    given_zh, given_en = given_names[(number + number // len(surnames)) % len(given_names)]
    again = number // (len(surnames) * len(given_names))
    email = f"{given_en}.{surname_en}{again or ''}@example.com".lower()
    return (surname_zh + given_zh) if language == "zh" else f"{given_en} {surname_en}", email


# --- 统一社会信用代码 --------------------------------------------------------------------------------------------
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I O S V Z (GB 32100-2015)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714


def credit_code(region: str, number: int) -> str:
    """A valid unified social credit code of an enterprise (91) of that division; the number makes it one of its own.

    Both check characters are right: the organisation code's (GB 11714) and the whole's (GB 32100-2015).
    """
    body = f"{number * 7_368_787 % 100_000_000:08d}"
    remainder = 11 - sum(int(c) * w for c, w in zip(body, _ORG_WEIGHTS, strict=True)) % 11
    head = f"91{region}{body}" + {10: "X", 11: "0"}.get(remainder, str(remainder))
    total = sum(_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(head))
    return head + _ALPHABET[-total % 31]
