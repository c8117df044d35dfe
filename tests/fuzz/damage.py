"""Hypothesis strategies that damage good inputs: bytes by their format, JSON and tables by sense."""

import json
import struct
import zlib
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

_NUMBERS = [0, 1, 2, 3, 7, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1]
_TEXTS = ["", "../x", "/etc/passwd", "\0", "一", "[/b]", "‮", "\x1b[2J", "a" * 5000, "NaN", "1e999"]
_ODD: list[Any] = [None, True, False, -1, 0, 1, 2, 17, 10**6, 10**12, 2**63 - 1, 2**70, -0.5, 0.5]
_ODD += [1e-300, 1e300, *_TEXTS, [], [[]], {}, {"a": 1}, [0] * 300, ["x", "x"]]
odd_values = st.sampled_from(_ODD).map(deepcopy) | st.integers() | st.floats() | st.text(max_size=8)
_JSON_TEXTS = ['{"a": 1, "a": 2}', "NaN", "[" * 5000, "9" * 5000, '"\\ud800"', "", "{} {}", "[]"]


# Bytes


@st.composite
def changed_bytes(draw: st.DrawFn, good: bytes) -> bytes:
    """Some bytes replaced, removed, repeated or cut off."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(["byte", "byte", "number", "number", "cut", "drop", "repeat"]))
        if kind == "byte" and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == "number":
            _put(draw, data, at)
        elif kind == "cut":
            del data[at:]
        elif kind == "drop":
            del data[at : at + draw(st.integers(1, 64))]
        else:
            data[at:at] = data[at : at + draw(st.integers(1, 64))]
    return bytes(data)


def _put(draw: st.DrawFn, data: bytearray, at: int) -> None:
    """A telling number of one, two or four bytes, in either order."""
    size, order = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from(["big", "little"]))
    number = draw(st.sampled_from(_NUMBERS)) % 256**size
    data[at : at + size] = number.to_bytes(size, order)  # type: ignore[arg-type]


@st.composite
def changed_font(draw: st.DrawFn, good: bytes) -> bytes:
    """An sfnt with numbers changed inside a table or in its directory; else changed bytes."""
    if good[:4] in (b"wOFF", b"wOF2", b"ttcf") or draw(st.integers(0, 4)) == 0:
        return draw(changed_bytes(good))
    data = bytearray(good)
    (count,) = struct.unpack_from(">H", data, 4)
    for _ in range(draw(st.integers(1, 5))):
        entry = 12 + 16 * draw(st.integers(0, count - 1))
        _, _, start, length = struct.unpack_from(">4sLLL", data, entry)
        if draw(st.integers(0, 9)) == 0:
            _put(draw, data, entry + draw(st.sampled_from([0, 8, 12])))
        elif start < len(data):
            end = min(start + length, len(data)) - 1
            near = draw(st.booleans())  # headers are at the beginning
            at = draw(st.integers(start, max(start, min(end, start + 60) if near else end)))
            _put(draw, data, at)
    return bytes(data)


@st.composite
def changed_png(draw: st.DrawFn, good: bytes) -> bytes:
    """A PNG with a part changed and its checksum right; else changed bytes."""
    if draw(st.integers(0, 3)) == 0:
        return draw(changed_bytes(good))
    chunks, at = [], 8
    while at + 12 <= len(good):
        (length,) = struct.unpack_from(">L", good, at)
        chunks.append((good[at + 4 : at + 8], good[at + 8 : at + 8 + length]))
        at += 12 + length
    number = draw(st.integers(0, len(chunks) - 1))
    name, body = chunks[number]
    if name == b"IDAT" and draw(st.booleans()):
        body = zlib.compress(draw(changed_bytes(zlib.decompress(body)[:2000])))
    else:
        body = draw(changed_bytes(body))
    chunks[number] = (name, body)
    if draw(st.integers(0, 5)) == 0:
        chunks.insert(draw(st.integers(0, len(chunks))), draw(st.sampled_from(chunks)))
    made = good[:8]
    for name, body in chunks:
        made += struct.pack(">L", len(body)) + name + body
        made += struct.pack(">L", zlib.crc32(name + body))
    return made


# Values


def paths(value: Any, here: tuple = ()) -> Iterator[tuple]:
    """The places in nested JSON; of a list, its first three."""
    yield here
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*here, key))
    elif isinstance(value, list):
        for index, item in enumerate(value[:3]):
            yield from paths(item, (*here, index))


@st.composite
def changed_values(draw: st.DrawFn, good: Any) -> Any:
    """Nested values with one to three places replaced, dropped, added or swapped."""
    made = deepcopy(good)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(paths(made))))
        if not path:
            if draw(st.integers(0, 9)) == 0:
                return draw(odd_values)
            continue
        inner = made
        for key in path[:-1]:
            inner = inner[key]
        kind = draw(st.sampled_from(["odd", "odd", "odd", "drop", "add", "copy", "number"]))
        if kind == "drop":
            del inner[path[-1]]
        elif kind == "add" and isinstance(inner, dict):
            inner[draw(st.sampled_from(["unheard", "", "name", "steps"]))] = draw(odd_values)
        elif kind == "number" and isinstance(inner[path[-1]], int | float):
            inner[path[-1]] = inner[path[-1]] * draw(st.sampled_from([-1, 0, 2, 0.5, 1000]))
        elif kind == "copy":
            inner[path[-1]] = deepcopy(_at(made, draw(st.sampled_from(list(paths(made))))))
        else:
            inner[path[-1]] = draw(odd_values)
    return made


def _at(value: Any, path: tuple) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def changed_json(draw: st.DrawFn, good: bytes) -> bytes:
    """JSON of the right shape and the wrong sense; rarely no JSON, or what no writer makes."""
    if draw(st.integers(0, 9)) == 0:
        return draw(changed_bytes(good) | st.sampled_from(_JSON_TEXTS).map(str.encode))
    text = json.dumps(draw(changed_values(json.loads(good))))
    if draw(st.integers(0, 19)) == 0:
        text = text.replace("1", draw(st.sampled_from(_JSON_TEXTS)), 1)
    return text.encode()


def to_toml(values: Any) -> str:
    """Plain values as TOML with inline tables, without those that are None."""
    if not isinstance(values, dict):
        return f"a = {_inline(values)}\n"
    pairs = ((key, value) for key, value in values.items() if value is not None)
    return "".join(f"{json.dumps(str(key))} = {_inline(value)}\n" for key, value in pairs)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(to_toml(value).splitlines())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, float):
        return str(value)
    return json.dumps("" if value is None else value).replace("\\u0000", "\\u0001")


@st.composite
def changed_toml(draw: st.DrawFn, good: bytes) -> bytes:
    """TOML of the right shape and the wrong sense; rarely no TOML."""
    import tomllib

    if draw(st.integers(0, 9)) == 0:
        deep = "a = " + "[" * 3000
        return draw(changed_bytes(good) | st.just(deep.encode()))
    values = draw(changed_values(tomllib.loads(good.decode())))
    return to_toml(values).encode("utf-8", "replace")


@st.composite
def changed_table(draw: st.DrawFn, good: bytes) -> bytes:
    """A CSV with cells, rows and characters changed."""
    if draw(st.integers(0, 5)) == 0:
        return draw(changed_bytes(good))
    rows = [line.split(",") for line in good.decode().splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        names = ["contact-sheet.png", "labels.csv", ".lock", '"', 'a"b', "书.png", "书,", "一二"]
        cell = draw(st.sampled_from([*names, *_TEXTS]) | st.text(max_size=3))
        row[draw(st.integers(0, len(row) - 1))] = cell
        if draw(st.integers(0, 9)) == 0:
            row.append(cell)
    text = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(",".join(row) for row in rows)
    return text.encode(
        draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"])), "replace"
    )


@st.composite
def page_codes(draw: st.DrawFn, good: bytes) -> bytes:
    """What a QR code on a page may say."""
    papers = ["A4", "LETTER", "A4", "LETTER", "A3", "a4"]
    cells = ["12", "20", "25", "60", "500", "0", "-1", "61", "9" * 30, "٣"]
    odd = st.sampled_from(["0000", "ZZZZ", "001B", "0019", "1", "一二三四", "000A", "006H"])
    usual = st.sampled_from(["0FM8", "0FR3", "0GOE", "0J2A"])
    chars = draw(st.lists(usual, min_size=1, max_size=90))
    if draw(st.booleans()):
        chars += draw(st.lists(odd, max_size=2))
    parts = [draw(st.sampled_from(each)) for each in (["C1", "C1", "C2"], papers, cells)]
    text = ":".join([*parts, "".join(chars)])
    return draw(st.just(text.encode()) | changed_bytes(good))


def changed_text(good: bytes) -> st.SearchStrategy[bytes]:
    """A text with more characters, in some encoding; else changed bytes."""
    encodings = st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "gb18030"])
    more = st.text(max_size=40) | st.sampled_from(_TEXTS)
    texts = st.tuples(more, st.just(good.decode()) | more, more).map("".join)
    encoded = st.tuples(texts, encodings).map(lambda pair: pair[0].encode(pair[1], "surrogatepass"))
    return encoded | changed_bytes(good)
