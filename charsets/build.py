"""Rebuild the character sets beside this file.

    python charsets/build.py                    the sets that need only Python's codecs
    python charsets/build.py --unihan FILE      also tongyong-8105.txt
    python charsets/build.py --strokes FILE     also strokes.tsv
    python charsets/build.py --decomp FILE      also components-500.txt
    python charsets/build.py --check            write nothing: count what is there

FILE is Unihan_OtherMappings.txt (plain or .bz2) for --unihan,
Unihan_IRGSources.txt for --strokes, and
cjk-decomp.txt for --decomp; README.md says which packages carry them.
"""

import argparse
import bz2
import re
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH = 50  # characters a line


# Reading and writing sets


def write_set(name, title, source, chars):
    """Write one set with its comment header."""
    if len(set(chars)) != len(chars):
        raise ValueError(f"{name}: a character occurs twice")
    lines = [f"# {title}", f"# {len(chars):,} characters", f"# Source: {source}"]
    lines += ["".join(chars[i : i + WIDTH]) for i in range(0, len(chars), WIDTH)]
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{name}: {len(chars):,} characters")


def read_lines(path):
    """The lines of a set or a text, without comments and blank lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [s for s in map(str.strip, lines) if s and not s.startswith("#")]


# The national standards, from Python's codecs


def codec_rows(codec, leads, trails):
    """The characters of a two-byte code, row by row, skipping unassigned cells."""
    chars = []
    for lead in leads:
        for trail in trails:
            try:
                chars.append(bytes([lead, trail]).decode(codec))
            except UnicodeDecodeError:
                pass
    return chars


def gb2312():
    """Level 1 (rows 16-55) and level 2 (rows 56-87)."""
    trails = range(0xA1, 0xFF)
    level1 = codec_rows("gb2312", range(0xA0 + 16, 0xA0 + 56), trails)
    level2 = codec_rows("gb2312", range(0xA0 + 56, 0xA0 + 88), trails)
    return level1, level2


def big5_level1():
    """Lead bytes A4 to C6; the level ends at C67E."""
    return codec_rows("big5", range(0xA4, 0xC7), [*range(0x40, 0x7F), *range(0xA1, 0xFF)])[:5401]


def jis_level1():
    """JIS X 0208 rows 16-47, reached through EUC-JP."""
    return codec_rows("euc_jp", range(0xA0 + 16, 0xA0 + 48), range(0xA1, 0xFF))


def jis_kana():
    """JIS X 0208 rows 4 and 5, and the repetition and sound marks of row 1."""
    return [*codec_rows("euc_jp", (0xA4, 0xA5), range(0xA1, 0xFF)), *"ゝゞヽヾー"]


def build_codec_sets():
    level1, level2 = gb2312()
    source = "Python's gb2312 codec"
    write_set("gb2312-1.txt", "GB 2312-80 level 1", f"{source}, rows 16-55", level1)
    write_set("gb2312-2.txt", "GB 2312-80 level 2", f"{source}, rows 56-87", level2)
    write_set("gb2312.txt", "GB 2312-80, level 1 then level 2", source, level1 + level2)
    write_set("big5-1.txt", "Big5 level 1", "Python's big5 codec, A440-C67E", big5_level1())
    write_set("jis-1.txt", "JIS X 0208 level 1", "Python's euc_jp codec, rows 16-47", jis_level1())
    rows = "Python's euc_jp codec, rows 4 and 5, and five signs of row 1"
    write_set("kana.txt", "Hiragana and katakana of JIS X 0208", rows, jis_kana())


# 通用规范汉字表, from Unihan


def build_tongyong(path):
    """Put the characters in the order of their kTGH index, 1 to 8105."""
    opener = bz2.open if path.suffix == ".bz2" else open
    version, order = "unknown", {}
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if found := re.match(r"# Unicode version: (\S+)", line):
                version = found[1]
            elif found := re.match(r"U\+(\w+)\tkTGH\t2013:(\d+)$", line):
                order[int(found[2])] = chr(int(found[1], 16))
    if sorted(order) != list(range(1, 8106)):
        raise ValueError(f"{path}: kTGH does not run from 1 to 8105")
    write_set(
        "tongyong-8105.txt",
        "通用规范汉字表 (2013): level 1 is 1-3500, level 2 is 3501-6500, level 3 is 6501-8105",
        f"property kTGH of Unihan {version}, Unicode licence",
        [order[i] for i in sorted(order)],
    )


# Strokes of each character, from Unihan


def build_strokes(path):
    """Group U+4E00-9FFF by kTotalStrokes (the first count, where Unihan gives two)."""
    opener = bz2.open if path.suffix == ".bz2" else open
    version, groups = "unknown", defaultdict(list)
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if found := re.match(r"# Unicode version: (\S+)", line):
                version = found[1]
            found = re.match(r"U\+([4-9][0-9A-F]{3})\tkTotalStrokes\t(\d+)", line)
            if found and 0x4E00 <= int(found[1], 16) <= 0x9FFF:
                groups[int(found[2])].append(chr(int(found[1], 16)))
    count = sum(map(len, groups.values()))
    lines = [f"# strokes, a tab, characters: property kTotalStrokes of Unihan {version}"]
    lines += [f"# {count:,} characters; Unicode licence"]
    lines += [f"{strokes}\t{''.join(groups[strokes])}" for strokes in sorted(groups)]
    (HERE / "strokes.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"strokes.tsv: {count:,} characters")


# A set to learn a hand from: few characters, many components


# Never split: the 214 Kangxi radicals, and the forms they take today or at a side.
RADICALS = {unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
RADICALS |= set(
    "亻冫刂讠阝忄扌氵犭丬纟辶灬礻钅衤饣攵罒艹⺮覀贝见车长门风飞马鸟鱼页韦齐齿龙龟麦黾卤"
)

FRAMES = set("行衣辡㗊")  # what opens in the middle to take another part in


class Components:
    """The components of a character and where they sit, from cjk-decomp.

    A record reads `CHARACTER:LAYOUT(PART,PART)`. A character is split while
    its layout is a plain one and no part is a bare stroke, so that 想 is
    木 目 心. A radical is never split.
    """

    # Plain layouts: across, down, enclosed, repeated. A slash in a layout says
    # that the parts touch or overlap: these are not plain.
    PLAIN = re.compile(r"a|d|w|s[a-z]*|ra|rd|r3tr|r4sq")

    def __init__(self, path):
        self.records = {}
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if found := re.match(r"([^:]+):([^(]+)\((.*)\)\s*$", line):
                    self.records[found[1]] = found[2], found[3].split(",")

    def split(self, name):
        """The (part, position) pairs that `name` is built of; none if it is whole."""
        layout, parts = self.records.get(name, ("c", []))
        if name.isdigit() and layout.startswith("m"):
            return [(parts[0], "")]  # an unnamed variant of a named part
        if name in RADICALS or not self.PLAIN.fullmatch(layout) or any(map(is_stroke, parts)):
            return []
        if layout == "w" and parts[0] not in FRAMES:
            return []  # crossing strokes, such as 夹
        if layout in ("ra", "rd"):
            parts, layout = parts * 2, layout[1]
        if layout in ("a", "d"):
            first, last = ("left", "right") if layout == "a" else ("top", "bottom")
            return list(zip(parts, [first, *["middle"] * (len(parts) - 2), last]))
        if layout.startswith("r"):
            return [(parts[0], "repeated")]
        return list(zip(parts, [f"around {layout}", "inside"]))

    def of(self, name, position=""):
        """All (component, position) pairs; the position is the outermost one."""
        parts = self.split(name)
        if not parts:
            return {(name, position or "whole")}
        return set().union(*(self.of(p, position or side) for p, side in parts))


def is_stroke(name):
    return "\u31c0" <= name[0] <= "\u31ef"


def choose(units, worth, favour, count):
    """Greedy cover: each time the character whose unseen units are worth most."""
    seen, chosen = set(), []
    left = list(units)
    while len(chosen) < count:
        best = max(left, key=lambda c: favour[c] * sum(worth[u] for u in units[c] - seen))
        chosen.append(best)
        left.remove(best)
        seen |= units[best]
    return chosen


def build_components(path, count=500):
    level1, level2 = gb2312()
    table = Components(path)
    weight = dict.fromkeys(level1, 2) | dict.fromkeys(level2, 1)

    # A unit is a component, or a component in its position. Each character's
    # weight is shared out over its units; a unit is worth the sum of its shares.
    placed = {c: table.of(c) for c in weight}
    parts = {c: {name for name, _ in placed[c]} for c in weight}
    units = {c: parts[c] | placed[c] for c in weight}
    worth = defaultdict(int)  # whole numbers: a sum of floats would hang on its order
    for c, mine in units.items():
        for unit in mine:
            worth[unit] += 10_000 * weight[c] // len(mine)

    # Seen by itself and at full size, a component is worth a little more, so
    # that 口 and 木 come early; the bare side forms of level 2 (氵) never come.
    favour = dict(weight)
    for c in weight:
        if (c, "whole") in worth:
            worth[c, "whole"] += worth[c] // 5
            if weight[c] == 1:
                favour[c] = 0

    chosen = choose(units, worth, favour, count)
    write_set(
        "components-500.txt",
        "Characters that cover the components of GB 2312 early: every prefix is usable",
        "chosen by build.py (greedy cover) with the decompositions of cjk-decomp",
        chosen,
    )
    print(f"{len(set().union(*parts.values())):,} components in GB 2312")
    print("first  level 1  all     (characters all of whose components are seen)")
    for n in (50, 100, 200, 500):
        seen = set().union(*(parts[c] for c in chosen[:n]))
        shares = [sum(parts[c] <= seen for c in s) / len(s) for s in (level1, level1 + level2)]
        print("{:5}  {:7.1%}  {:.1%}".format(n, *shares))


# Counting


def check():
    """Compare every set with its header, and the texts with their known lengths."""
    wrong = 0
    for path in sorted(HERE.glob("*.txt")):
        chars = "".join(read_lines(path))
        says = re.search(r"^# ([\d,]+) characters$", path.read_text(encoding="utf-8"), re.M)
        good = len(chars) == len(set(chars)) == int(says[1].replace(",", ""))
        wrong += not good
        print(f"{'ok ' if good else 'BAD'} {path.name}: {len(chars):,}")
    known = {"qianziwen.txt": 1000, "xinjing.txt": 260, "jingyesi.txt": 20}
    known |= {"lanting.txt": 324, "shuidiao.txt": 95, "loushiming.txt": 81}
    for path in sorted((HERE / "texts").glob("*.txt")):
        chars = re.findall(r"[\u4e00-\u9fff]", "".join(read_lines(path)))
        good = len(chars) == known[path.name]
        wrong += not good
        mark, different = "ok " if good else "BAD", len(set(chars))
        print(f"{mark} texts/{path.name}: {len(chars):,}, {different} different")
    return wrong


def main():
    parser = argparse.ArgumentParser(description="Rebuild the character sets.")
    parser.add_argument("--unihan", type=Path, metavar="FILE", help="Unihan_OtherMappings.txt")
    parser.add_argument("--strokes", type=Path, metavar="FILE", help="Unihan_IRGSources.txt")
    parser.add_argument("--decomp", type=Path, metavar="FILE", help="cjk-decomp.txt")
    parser.add_argument("--check", action="store_true", help="only count what is there")
    args = parser.parse_args()
    if args.check:
        sys.exit(1 if check() else 0)
    build_codec_sets()
    if args.unihan:
        build_tongyong(args.unihan)
    if args.strokes:
        build_strokes(args.strokes)
    if args.decomp:
        build_components(args.decomp)


if __name__ == "__main__":
    main()
