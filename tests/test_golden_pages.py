"""Golden pages: every format, and settings that none of them uses, give the same SVG as before.

Letters are made here, so that a checksum changes only with the layout. After an intended change,
look at the pages and take the new sums from `python tests/test_golden_pages.py`.
"""

import re

import pytest

from calligan.errors import DataError
from calligan.page.drawing import polygon
from calligan.page.flow import Letter
from calligan.page.formats import Fan, Format, Region, format_names, load_format
from calligan.page.layout import Setting, Words, lay_out
from calligan.page.svg import to_svg
from calligan.storage import sha256_bytes

HAN = "永和九年岁在癸丑暮春之初会于会稽山阴之兰亭修禊事也群贤毕至少长咸集此地有崇山峻岭茂林修竹"
MARKS = "，。（）"


class Letters(dict):
    """Every character is a flag without symmetry, which differs a little from the others."""

    def __missing__(self, char):
        left = 60 + ord(char) % 89
        flag = polygon([(left, -40), (left, 780), (left + 500, 560), (left + 90, 500)])
        turned = polygon([(left, 0), (left, 600), (left + 200, 500)]) if char in MARKS else None
        self[char] = Letter(char, flag, 0.55 if char.isascii() else 1.0, turned)
        return self[char]


LETTERS = Letters()
VERSE = "\n".join(HAN[i : i + 5] for i in range(0, 20, 5))
SEAL = [LETTERS[char].outline for char in HAN[:2]]
TEXTS = (
    Words(HAN[:2]),
    Words(HAN[:7], signature="某人书", seal=SEAL),
    Words(VERSE, signature="某人"),
    Words(VERSE, title="兰亭", seal=SEAL, seal_kind="red"),
    Words(f"{HAN[:9]}，{HAN[9:14]}（calligan 12）\n{HAN[14:]}。", signature="某", seal=SEAL),
    Words(HAN * 5, signature="某人书于此", seal=SEAL),
    Words(f"{HAN[:7]}\n{HAN[7:14]}\n{HAN[14:18]}", signature="某人书", seal=SEAL),
    Words(f"{HAN[:11]}\n{HAN[11:22]}"),
)


def form(width_mm: float, height_mm: float, *regions: Region, many: bool = False) -> Format:
    return Format("a test", width_mm, height_mm, regions, many=many)


FAN = Fan(280, 120, 148)
OWN = {
    "rows": form(300, 200, Region(20, 15, 260, 170, "horizontal", sign=True)),
    "rows, leftward": form(
        300, 200, Region(20, 15, 260, 170, "horizontal", rightward=False, padding_mm=7, spread=0.5)
    ),
    "rows, short": form(300, 200, Region(9, 15, 260, 170, "horizontal", short=0.6, size_mm=14)),
    "rows, many": form(
        90, 120, Region(8, 9, 70, 100, "horizontal", size_mm=9, sign=True), many=True
    ),
    "columns, many": form(
        300, 400, Region(25, 30, 250, 340, size_mm=22, line_gap=0.25, sign=True), many=True
    ),
    "columns, ruled": form(
        300, 400, Region(25, 30, 250, 340, rule="red", paper="#eee", padding_mm=12, sign=True)
    ),
    "columns, short": form(
        300, 400, Region(25, 30, 250, 340, short=0.7, centred=True, joined=True)
    ),
    "fan, full": form(560, 300, Region(10, 10, 540, 290, padding_mm=9, line_gap=0.4, fan=FAN)),
    "fan, of a size": form(
        560, 300, Region(10, 10, 540, 290, size_mm=20, short=0.8, sign=True, fan=FAN, centred=True)
    ),
    "fan, many": form(
        560, 300, Region(10, 10, 540, 290, size_mm=40, short=0.2, fan=FAN, sign=True), many=True
    ),
    "fan, one line": form(560, 300, Region(10, 10, 540, 290, text=2, fan=FAN, largest_mm=50)),
    "two strips": form(
        200, 300, Region(110, 9, 80, 280, text=1), Region(9, 9, 80, 280, text=2, size_mm=11)
    ),
    "tian": form(100, 150, Region(5, 5, 90, 140, size_mm=15, grid="tian"), many=True),
}
SUMS = {
    "banner": "62e1e85d8f861bb9",
    "couplet": "ec149444258d7cf4",
    "fan": "183fcf6f2e0d4680",
    "hall": "5f6f1d247da5ed15",
    "letter": "0c4fdf6f51954fc2",
    "practice": "10be2530cb43928b",
    "scroll": "b570790432acb11f",
    "square": "352d0bc6b0b30e43",
    "rows": "28e2c82aff9c04ea",
    "rows, leftward": "04700bb0834c741f",
    "rows, short": "6f7693e7c69d27ac",
    "rows, many": "77e322503841645f",
    "columns, many": "9e6b36eeb6946aed",
    "columns, ruled": "25f6399f7b0adf72",
    "columns, short": "0acfa24b4f5e6df0",
    "fan, full": "8d68c0e561211246",
    "fan, of a size": "d1a8611664a04a6c",
    "fan, many": "437ddf423723ef08",
    "fan, one line": "fc032e102ea4fa18",
    "two strips": "98dff2cf7aed1a0a",
    "tian": "4eff49a7199e8a13",
}


def drawn(shape: Format) -> str:
    """The sum of all texts' pages in a format, with and without variation."""
    pages: list[str] = []
    for words in TEXTS:
        for vary in (0.0, 0.6):
            setting = Setting(LETTERS, "#123", vary=vary, seed=5, trace=2)
            try:
                pages += [to_svg(page) for page in lay_out(words, shape, setting)]
            except DataError as error:
                pages.append(str(error))
    # The cosine of a right angle is not quite 0, and not the same on every machine.
    whole = re.sub(r"-?[0-9.]+e-1\d", "0", "\n".join(pages))
    return sha256_bytes(whole.encode())[:16]


def shapes() -> dict[str, Format]:
    return {name: load_format(name) for name in format_names()} | OWN


@pytest.mark.parametrize("name", shapes())
def test_pages_are_what_they_were(name):
    assert drawn(shapes()[name]) == SUMS[name]


def test_sums_notice_a_move():
    moved = form(300, 200, Region(20, 15.01, 260, 170, "horizontal", sign=True))
    assert drawn(moved) != SUMS["rows"]


if __name__ == "__main__":
    for name, shape in shapes().items():
        print(f'    "{name}": "{drawn(shape)}",')
