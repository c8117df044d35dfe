"""Templates, photographed by simulation, to labelled glyphs."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import conftest
import numpy as np
import pypdfium2
import pytest
from conftest import HAN
from PIL import Image

pytest.importorskip("cv2", reason="the extra calligan[scan] is not installed")
sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from photograph import Camera, photograph
from scan import same_status, write_page

from calligan.errors import DataError
from calligan.library.scanning import page_text as _words
from calligan.page.drawing import Mark, line, rectangle
from calligan.page.formats import Format, Region
from calligan.page.layout import Setting, Words, lay_out
from calligan.page.png import to_image
from calligan.scan.cells import cut_cells
from calligan.scan.copybook import (
    crop,
    find_characters,
    find_doubts,
    given_columns,
    remove_rules,
)
from calligan.scan.folder import ScannedGlyph, read_hand, save_hand
from calligan.scan.photo import extract_ink, extract_sheet_ink, flatten_page, open_photo, read_sheet
from calligan.scan.template_page import font_letters, template_page
from calligan.scan.template_sheet import TemplateSheet, make_sheets


@pytest.fixture(scope="module")
def page(font_folder):
    """A written page, what was written, and the sheet."""
    models, _ = font_letters(str(font_folder / "source.ttf"), HAN + "Ab1")
    hand, _ = font_letters(str(font_folder / "bold.ttf"), HAN)
    (sheet,) = make_sheets(HAN[:40], "a4", 20)
    page = template_page(sheet, models, "A1", "mi")
    statuses = write_page(sheet, page, hand, np.random.default_rng(0))
    return np.asarray(to_image(page, 200)), statuses, sheet


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_a_photograph_is_read_whichever_way_up(page, turned):
    picture, statuses, sheet = page
    camera = Camera(turned=turned, shadow=0.5, width_px=2000)
    read = read_sheet(photograph(picture, camera, np.random.default_rng(turned)))
    assert read[1] == sheet
    cells = cut_cells(extract_sheet_ink(read[0], sheet), sheet, 64)
    assert all(map(same_status, cells, statuses))
    assert "".join(cell.char for cell in cells) == sheet.chars


def test_the_printed_guides_leave_no_ink(page):
    picture, statuses, sheet = page
    cells = cut_cells(extract_sheet_ink(read_sheet(picture)[0], sheet), sheet, 64)
    for cell, status in zip(cells, statuses, strict=True):
        if status == "empty":
            assert cell.image.min() == 255


def test_strokes_keep_their_weight_in_a_blurred_photograph(page):
    picture, statuses, sheet = page
    straight, _ = read_sheet(photograph(picture, Camera(blur_px=2.5), np.random.default_rng(0)))
    shares = []
    for index, cell in enumerate(cut_cells(extract_sheet_ink(straight, sheet), sheet, 128)):
        if statuses[index] == "written":
            x, y, side = (
                round(mm * 200 / 25.4) for mm in (*sheet.cell_origin_mm(index), sheet.cell_mm)
            )
            printed = picture[y : y + side, x : x + side, 0] < 128  # in red, no guide is dark
            shares.append((cell.image < 128).mean() / printed.mean())
    assert np.mean(shares) == pytest.approx(1, abs=0.03)


def test_a_code_says_all_of_a_page():
    for chars in ("书法", HAN, "\U00020000永"):
        for sheet in make_sheets(chars, "letter", 25):
            assert TemplateSheet.from_code(sheet.code()) == sheet
    assert (
        TemplateSheet.from_code("https://example.org") is None
        and TemplateSheet.from_code("C1:A9:20:04E0") is None
    )


def test_pages_that_are_not_ours(page):
    picture, _, _ = page
    corner = picture.copy()
    corner[-300:, -300:] = 255
    blank = np.full((800, 600, 3), 255, np.uint8)
    code = picture.copy()
    code[-300:, 400:-400] = 255
    for photo, says in (
        (
            picture[: len(picture) // 2],
            "corner marks at the page's bottom right, bottom left cannot",
        ),
        (corner, "corner mark at the page's bottom right cannot"),
        (picture[:, ::-1], "mirrored"),
        (blank, "not a template page"),
        (code, "QR code on the page"),
    ):
        with pytest.raises(DataError, match=says):
            read_sheet(photo)


def test_commands_from_template_to_folder(page, calligan, font_folder, tmp_path):
    font = ("--font", font_folder / "source.ttf")
    out = tmp_path / "t.pdf"
    done = calligan("template", "--charset", HAN, "--count", 90, "-o", out, *font)
    assert done.returncode == 0, done.stderr
    assert len(pypdfium2.PdfDocument(out)) == 2
    Image.fromarray(page[0]).save(tmp_path / "p.jpg", quality=80)
    hand = tmp_path / "hand"
    number = page[1].count("written")
    Image.fromarray(page[0][:, ::-1]).save(tmp_path / "mirror.jpg")
    Image.fromarray(page[0][900:]).save(tmp_path / "half.jpg")
    photos = [tmp_path / name for name in ("mirror.jpg", "p.jpg", "half.jpg")]
    done = calligan("scan", *photos, "-o", hand, *font)
    assert done.returncode == 2 and not hand.exists() and "3 pages" in done.stderr
    assert "mirror.jpg" in done.stderr and "half.jpg" in done.stderr
    for variants in ("", f"{number} of them are kept as variants"):
        done = calligan("scan", tmp_path / "p.jpg", "-o", hand, *font)
        assert done.returncode == 0, done.stderr
        assert variants in done.stderr and ("variants" in done.stderr) == bool(variants)
    found = list(read_hand(hand))
    assert len(found) == 2 * number and {image.shape for _, image in found} == {(256, 256)}
    assert (hand / f"{found[0][0]}-2.png").exists() and (hand / "contact-sheet.png").exists()


@pytest.mark.parametrize("kind", ["plain", "rubbing", "photographed rubbing", "ruled"])
def test_a_free_page_is_cut_by_its_text(font_folder, kind):
    rubbing = "rubbing" in kind
    desk = (225, 215, 200) if rubbing else (96, 80, 66)
    text = "".join(np.random.default_rng(1).permutation(list(HAN[:60])))
    hand, _ = font_letters(str(font_folder / "bold.ttf"), text)
    region = Region(15, 15, 120, 170, size_mm=15, gap=0.05, line_gap=0.4)
    form = Format("page", 150, 200, (region,))
    colours = ("white", "#202020") if rubbing else ("#201a18", "white")
    (page,) = lay_out(Words(text), form, Setting(hand, colours[0]))
    page.paper = colours[1]
    if kind == "ruled":
        rules = [((117 - 21 * k, 8), (117 - 21 * k, 192)) for k in range(-1, 6)]
        rules += [((9, y), (138, y)) for y in (8, 192)]
        page.marks += [Mark(line(*ends, 0.6), np.eye(2, 3), "#201a18") for ends in rules]
    picture = np.asarray(to_image(page, 120))
    if kind != "rubbing":
        camera = Camera(tilt=0.02, width_px=1100, blur_px=0.8, desk=desk)
        picture = photograph(picture, camera, np.random.default_rng(0))
    ink = remove_rules(extract_ink(flatten_page(picture)))
    boxes = find_characters(ink, text, "rtl", hand)
    assert "".join(box.char for box in boxes) == text
    wanted = {
        mark.text: mark.outline.transform(mark.matrix).controls.reshape(-1, 2).mean(axis=0)
        for mark in page.marks
        if mark.text
    }
    middle = {s.char: ((s.left + s.right) / 2, (s.top + s.bottom) / 2) for s in boxes}
    scale = np.array([ink.shape[1] / 150, ink.shape[0] / 200])
    gaps = [np.abs(np.array(middle[c]) / scale - wanted[c]).max() for c in text]
    assert np.mean(np.array(gaps) < 6) > 0.97
    assert crop(ink, boxes[0], 64).min() < 100
    given = find_characters(ink, text, "rtl", hand, given_columns(boxes, "rtl"))
    assert given == [replace(box, cost=None) for box in boxes] and not any(find_doubts(given))


def test_labels_are_corrected_by_list_or_by_name(tmp_path):
    image = np.full((32, 32), 255, np.uint8)
    save_hand(tmp_path, [ScannedGlyph(char, image, "p") for char in "书法永"], lambda char: image)
    labels = tmp_path / "labels.csv"
    labels.write_text(
        labels.read_text("utf-8").replace("书.png,书", "书.png,画").replace("法.png,法", "法.png,"),
        "utf-8",
    )
    assert [char for char, _ in read_hand(tmp_path)] == ["画", "永"] or [
        c for c, _ in read_hand(tmp_path)
    ] == ["永", "画"]
    (tmp_path / "永.png").rename(tmp_path / "九.png")
    assert {char for char, _ in read_hand(tmp_path)} == {"画", "九"}
    (tmp_path / "page one.png").write_bytes((tmp_path / "九.png").read_bytes())
    with pytest.raises(DataError, match="one character"):
        list(read_hand(tmp_path))


@pytest.mark.parametrize("paper", ["white", "#202020"])
def test_a_red_seal_leaves_no_ink(font_folder, paper):
    ink = "#201a18" if paper == "white" else "white"
    hand, _ = font_letters(str(font_folder / "bold.ttf"), HAN[:12])
    form = Format("page", 150, 200, (Region(15, 15, 120, 170, size_mm=20, line_gap=0.4),))
    (page,) = lay_out(Words(HAN[:12]), form, Setting(hand, ink))
    page.paper = paper
    without = extract_ink(flatten_page(np.asarray(to_image(page, 100))))
    page.marks.append(Mark(rectangle(20, 150, 20, 20), np.eye(2, 3), "#c8321e"))
    sealed = extract_ink(flatten_page(np.asarray(to_image(page, 100))))
    assert without.mean() > 0.01 and np.abs(sealed - without).max() < 0.3


def test_transparent_paper_is_paper_and_white_on_black_is_turned_over(tmp_path):
    ink = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), (10, 10, 20, 30))
    ink.save(tmp_path / "书.png")
    black = Image.new("L", (40, 40), 0)
    black.paste(255, (10, 10, 20, 30))
    black.save(tmp_path / "法.PNG")
    (tmp_path / "._书.png").write_bytes(b"a system's own")
    found = dict(read_hand(tmp_path))
    assert set(found) == {"书", "法"}
    for image in found.values():
        assert image[0, 0] == 255 and image[15, 15] == 0


def test_a_list_that_cannot_be_read_stops_before_anything_is_written(tmp_path):
    image = np.full((32, 32), 255, np.uint8)
    save_hand(tmp_path, [ScannedGlyph("书", image, "p")], lambda char: image)
    labels = tmp_path / "labels.csv"
    labels.write_text(labels.read_text("utf-8") + "\n\n", "utf-8")  # blank lines are nothing
    save_hand(tmp_path, [ScannedGlyph("法", image, "p")], lambda char: image)
    labels.write_bytes("file,char,page,note\n画.png,画,p,\n".encode("gbk"))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match="UTF-8"):
        save_hand(tmp_path, [ScannedGlyph("永", image, "p")], lambda char: image)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_contact_sheet_shows_every_page(tmp_path):
    image = np.full((32, 32), 255, np.uint8)
    heights = []
    for char in HAN[:13]:
        save_hand(tmp_path, [ScannedGlyph(char, image, "p")], lambda char: image)
        heights.append(Image.open(tmp_path / "contact-sheet.png").height)
    assert heights[0] == heights[11] < heights[12]


def test_the_contact_sheet_shows_what_was_renamed_and_a_damaged_picture_stops_it(tmp_path):
    image = np.full((32, 32), 255, np.uint8)
    shown = []

    def model(char):
        shown.append(char)
        return image

    save_hand(tmp_path, [ScannedGlyph(char, image, "p") for char in "书法"], model)
    (tmp_path / "书.png").rename(tmp_path / "画.png")
    shown.clear()
    save_hand(tmp_path, [ScannedGlyph("永", image, "p")], model)
    assert sorted(shown) == sorted("法画永")
    assert "书" not in (tmp_path / "labels.csv").read_text("utf-8")
    (tmp_path / "画.png").write_bytes(b"")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DataError, match=r"画\.png"):
        save_hand(tmp_path, [ScannedGlyph("九", image, "p")], model)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_wrong_label_is_blamed_on_the_list(tmp_path):
    image = np.full((32, 32), 255, np.uint8)
    save_hand(tmp_path, [ScannedGlyph("书", image, "p")], lambda char: image)
    rows = (tmp_path / "labels.csv").read_text("utf-8")
    (tmp_path / "labels.csv").write_text(rows.replace("书.png,书", "书.png,no"), "utf-8")
    with pytest.raises(DataError, match=r"labels\.csv labels 书\.png 'no'"):
        list(read_hand(tmp_path))


def test_pencil_is_ink_too(page):
    picture, statuses, sheet = page
    pale = np.where(picture < 60, picture, 255).astype(float)  # ink and codes
    rows = slice(*(round(mm / 297 * len(picture)) for mm in sheet.cells_span_mm))
    pale[rows] = 255 - (255 - pale[rows]) * 0.42
    pale = np.uint8(np.where(picture < 60, pale, picture))
    found, _ = read_sheet(pale)
    cells = cut_cells(extract_sheet_ink(found, sheet), sheet, 64)
    assert all(map(same_status, cells, statuses))


def test_a_text_may_be_a_file(tmp_path, calligan, font_folder):
    hand, _ = font_letters(str(font_folder / "bold.ttf"), HAN[:6])
    region = Region(10, 10, 20, 130, size_mm=18, gap=0.1, line_gap=0.4)
    (page,) = lay_out(Words(HAN[:6]), Format("page", 40, 150, (region,)), Setting(hand, "black"))
    page.paper = "white"
    Image.fromarray(np.asarray(to_image(page, 150))).save(tmp_path / "p.png")
    (tmp_path / "words.txt").write_text(HAN[:6], "utf-8")
    font = ("--font", font_folder / "source.ttf")
    assert _words(HAN * 4) == HAN * 4  # longer than a file's name may be
    for text in ("words.txt", "@words.txt"):
        done = calligan("scan", "p.png", "--text", text, *font, "-o", "h", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "6 glyphs" in done.stderr
    done = calligan("scan", "p.png", "--text", "no.txt", *font, cwd=tmp_path)
    assert done.returncode == 2 and "no.txt" in done.stderr


@pytest.mark.parametrize("change", [0, -1, 1])
def test_a_text_of_another_length_than_the_page_is_told(tmp_path, calligan, change, monkeypatch):
    frame = [(100, 100, 800, 180), (100, 700, 800, 780), (100, 100, 180, 780), (720, 100, 800, 780)]
    monkeypatch.setattr(conftest, "_character", lambda *how: frame)
    made = conftest.build_font(tmp_path / "frames.ttf")
    hand, _ = font_letters(str(made), HAN[10:18])
    region = Region(10, 10, 20, 170, size_mm=18, gap=0.1, line_gap=0.4)
    page_of = Format("page", 40, 190, (region,)), Setting(hand, "black")
    (page,) = lay_out(Words(HAN[10:18]), *page_of)
    page.paper = "white"
    Image.fromarray(np.asarray(to_image(page, 150))).save(tmp_path / "p.png")
    font = ("--font", made, "-o", "h")
    done = calligan("scan", "p.png", "--text", HAN[10 : 18 + change], *font, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = f"p.png seems to have 8 characters, and --text has {8 + change}"
    assert (said in done.stderr) == bool(change), done.stderr


def test_a_pdf_is_named(tmp_path, calligan, font_folder):
    (tmp_path / "page.jpg").write_bytes(b"%PDF-1.4\n1 0 obj")
    done = calligan("scan", "page.jpg", "--font", font_folder / "source.ttf", cwd=tmp_path)
    assert done.returncode == 2 and "is a PDF, and only pictures are read" in done.stderr
    assert "JPEG again" not in done.stderr and not (tmp_path / "hand").exists()


def test_bad_pictures_and_folders(tmp_path, calligan, font_folder):
    for name, data in (
        ("empty.png", b""),
        ("text.jpg", b"hello"),
        ("cut.png", b"\x89PNG\r\n\x1a\n123"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=name):
            open_photo(tmp_path / name)
    Image.new("L", (4, 4)).save(tmp_path / "tiny.png")
    for name, says in (("tiny.png", "too small"), ("none-such.png", "no picture"), ("", "folder")):
        with pytest.raises(DataError, match=says):
            open_photo(tmp_path / name)
    pages = [Image.new("L", (80, 80), shade) for shade in (0, 255)]
    pages[0].save(tmp_path / "two.tiff", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match="2 pages"):
        open_photo(tmp_path / "two.tiff")
    phone = [Image.new("RGB", (90, 80), shade) for shade in ("white", "black")]
    phone[0].save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=phone[1:])
    assert open_photo(tmp_path / "phone.jpg").min() > 250  # the picture, not its preview
    Image.new("1", (15_000, 15_000)).save(tmp_path / "huge.png")
    with pytest.raises(DataError, match="megapixels"):
        open_photo(tmp_path / "huge.png")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="no PNG"):
        list(read_hand(tmp_path / "none"))
    Image.new("RGB", (300, 400), "white").save(tmp_path / "blank.png")
    done = calligan("scan", tmp_path / "blank.png", "-o", tmp_path / "h")
    assert done.returncode == 2 and "corner marks" in done.stderr and not (tmp_path / "h").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "a.png"], ".pdf"),
        (["-o", "a.pdf", "--paper", "a3"], "a4, letter"),
        (["-o", "a.pdf", "--cell", "3"], "12 to 60"),
        (["-o", "a.pdf", "--grid", "no"], "mi, tian"),
        (["-o", "a.pdf", "--count", "0"], "--count"),
    ],
)
def test_bad_templates(options, says, calligan, font_folder, tmp_path):
    done = calligan(
        "template", *options, "--font", font_folder / "source.ttf", "--charset", HAN, cwd=tmp_path
    )
    assert done.returncode == 2 and says in done.stderr and not list(tmp_path.iterdir())


def code_of(cell: int, text: str, paper: str = "A4") -> str:
    """A code as anybody could print it."""
    return TemplateSheet(paper.lower(), cell, text).code()


@pytest.mark.parametrize(
    "code",
    [
        code_of(500, "永"),  # larger than the paper: no column at all
        code_of(0, "永"),
        code_of(20, "/"),
        code_of(20, "永.."),
        code_of(20, "永\0"),
        code_of(20, "\ud800"),
        code_of(20, "\u202e"),  # turns what a terminal shows
        code_of(60, "永" * 60),  # more than there are cells
        "C1:A4:20:ZZZZ",
        "C1:A4:" + "9" * 5000 + ":0LDK",
    ],
)
def test_codes_that_calligan_does_not_print_are_none_of_its(code):
    assert TemplateSheet.from_code(code) is None


def test_labels_never_name_a_place_outside_the_folder(tmp_path):
    image = np.full((32, 32), 255, np.uint8)
    for char in ("/", "\0", ".", "a/b", "\n"):
        with pytest.raises(DataError, match="labels a glyph"):
            save_hand(tmp_path / "hand", [ScannedGlyph(char, image, "p.jpg")], lambda char: image)
    assert not list(tmp_path.iterdir())
    with pytest.raises(DataError, match="cannot be in file names"):
        make_sheets("永/.", "a4", 20)


HEAD = "file,char,page,note\n"


@pytest.mark.parametrize(
    "row",
    ["contact-sheet.png,永,p,\n", "../out.png,永,p,\n", "/etc/hostname,永,p,\n", "no.png,永,p,\n"],
)
def test_rows_of_other_files_than_the_hands_pictures_are_dropped(tmp_path, row):
    image = np.full((32, 32), 255, np.uint8)
    hand = tmp_path / "hand"
    Image.fromarray(image).save(tmp_path / "out.png")
    save_hand(hand, [ScannedGlyph("书", image, "p")], lambda char: image)
    labels = hand / "labels.csv"
    labels.write_text(labels.read_text("utf-8") + row, "utf-8")
    save_hand(hand, [ScannedGlyph("法", image, "p")], lambda char: image)
    assert labels.read_text("utf-8") == HEAD + "书.png,书,p,\n法.png,法,p,\n"
    assert [char for char, _ in read_hand(hand)] == ["书", "法"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + '书.png,书,p,"a quote too many\n法.png,法,p,\n', "labels.csv"),
        (HEAD + "书.png,书,p,a\0b\n", "labels.csv"),
        (HEAD + "书.png,书\n", "columns"),
        (HEAD + "书.png,/,p,\n", "one character"),
        (HEAD + "书.png,书法,p,\n", "one character"),
        ("", "columns"),
        ("\ufeffFILE,CHAR\n", "columns"),
    ],
)
def test_lists_with_faults_are_named(tmp_path, text, says):
    image = np.full((32, 32), 255, np.uint8)
    save_hand(tmp_path, [ScannedGlyph(char, image, "p") for char in "书法"], lambda char: image)
    (tmp_path / "labels.csv").write_text(text, "utf-8")
    with pytest.raises(DataError, match=says):
        list(read_hand(tmp_path))


def test_printed_markers_are_those_that_opencv_finds():
    import cv2

    from calligan.scan.template_page import _MARKERS

    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for number, bits in enumerate(_MARKERS):
        wanted = cv2.aruco.generateImageMarker(dictionary, number, 6)[1:5, 1:5] == 0
        assert [bit == "#" for bit in bits] == wanted.ravel().tolist()


def test_sheets_are_printed_without_opencv(font_folder, tmp_path):
    (tmp_path / "cv2.py").write_text("raise ImportError('not installed')")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent}"}
    command = [sys.executable, "-m", "calligan", "template", "--count", "9", "--charset", HAN]
    command += ["--font", font_folder / "source.ttf", "-o", tmp_path / "t.pdf"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
