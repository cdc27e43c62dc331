"""The 34 provinces, municipalities and regions of China, under the spellings that lists carry."""

_MUNICIPALITIES = "北京 Beijing,天津 Tianjin,上海 Shanghai,重庆|重慶 Chongqing"
_PROVINCES = (
    "河北 Hebei,山西 Shanxi,辽宁|遼寧 Liaoning,吉林 Jilin,黑龙江|黑龍江 Heilongjiang,江苏|江蘇 Jiangsu,"
    "浙江 Zhejiang,安徽 Anhui,福建 Fujian,江西 Jiangxi,山东|山東 Shandong,河南 Henan,湖北 Hubei,湖南 Hunan,"
    "广东|廣東 Guangdong|Canton,海南 Hainan,四川 Sichuan|Szechuan,贵州|貴州 Guizhou,云南|雲南 Yunnan,"
    "陕西|陝西 Shaanxi,甘肃|甘肅 Gansu,青海 Qinghai,台湾|臺灣|台灣 Taiwan"
)
_AUTONOMOUS = (
    "内蒙古|內蒙古|内蒙 InnerMongolia|NeiMongol|Neimenggu,广西|廣西 Guangxi,西藏 Tibet|Xizang,"
    "宁夏|寧夏 Ningxia,新疆 Xinjiang"
)
_SPECIAL = "香港 HongKong,澳门|澳門 Macau|Macao"

# A town may bear the name of its province (吉林市 is one of several in 吉林省), so that only a municipality
# loses 市 and "City".
_KINDS = (
    (_MUNICIPALITIES, ("市", "直辖市", "直轄市"), ("city", "municipality", "shi")),
    (_PROVINCES, ("省",), ("province", "sheng")),
    (
        _AUTONOMOUS,
        (
            "自治区",
            "自治區",
            "壮族自治区",
            "壯族自治區",
            "回族自治区",
            "回族自治區",
            "维吾尔自治区",
            "維吾爾自治區",
        ),
        ("autonomousregion", "zhuangautonomousregion", "huiautonomousregion", "uygurautonomousregion"),
    ),
    (_SPECIAL, ("特别行政区", "特別行政區"), ("sar", "specialadministrativeregion")),
)


def _spellings() -> dict[str, str]:
    known: dict[str, str] = {}
    for places, endings, english_endings in _KINDS:
        for place in places.split(","):
            chinese, english = (names.split("|") for names in place.split(" "))
            for name in chinese:
                known.update({name + ending: chinese[0] for ending in ("", *endings)})
            for name in english:
                known.update({name.lower() + ending: chinese[0] for ending in ("", *english_endings)})
    return known


REGIONS = _spellings()
"""The short Chinese name under each spelling: lower case, without spaces, dashes or apostrophes."""
