"""What calligan says is so: fonts tell whose parts they hold, counts count, texts stay whole."""

import re
import shutil
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pypdfium2
import pytest
import torch
from conftest import HAN, build_font, save_inked
from fontTools.ttLib import TTFont
from PIL import Image
from torch.nn import functional as F

import calligan
from calligan.errors import DataError, ModelError
from calligan.evaluation.interval import estimate
from calligan.evaluation.metrics import clean
from calligan.evaluation.scores import METRICS
from calligan.glyphs.charset import check_text, load_charset, load_text
from calligan.glyphs.face import Face, FontSpec
from calligan.inference import fontmaker
from calligan.inference.content import PLAIN
from calligan.inference.proofread import Attempt, Proofreader
from calligan.inference.writer import Looks, Writer
from calligan.library import judging
from calligan.page import labels
from calligan.page.sheet import Row, contact_sheet
from calligan.pairs.store import PairStore
from calligan.vector.base_font import BaseFont
from calligan.vector.font import NotdefBox
from calligan.vector.name_table import Naming
from calligan.vector.ufo import write_ufo

ASKED = HAN[:4]


@pytest.fixture(scope="module")
def common(inked_model, font_folder):
    return ("--model", inked_model, "--source", font_folder / "source.ttf")


def named_font(path, chars, names: dict[int, str], **options):
    build_font(path, chars, **options)
    font = TTFont(path)
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font.save(path)
    return path


@pytest.fixture
def export(monkeypatch, capsys, common):
    """Run `calligan export` in this process: what it said."""
    from calligan.cli import main

    def run(*options) -> str:
        line = [
            "calligan",
            "export",
            *map(str, [*common, "--charset", ASKED, "--no-fine", *options]),
        ]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 0, said
        return said

    return run


def test_a_font_names_whose_letters_it_holds(tmp_path, export):
    names = {0: "Copyright 2020 Letter Cutter", 13: "Under the terms of Cutter\x07\u2028 1.1"}
    latin = named_font(tmp_path / "latin.ttf", "ABab1", names, family="Cut Letters")
    export("--latin", latin, "--no-verdict", "-o", tmp_path / "a.ttf")
    font = TTFont(tmp_path / "a.ttf")
    licence = font["name"].getDebugName(13)
    assert font["name"].getDebugName(0) == "Copyright 2020 Letter Cutter"
    assert "Cut Letters: Under the terms of Cutter 1.1" in licence and "Made after" in licence
    assert font["OS/2"].getCodePageRanges() == {18}  # Chinese; letters enough for no other


def test_a_reserved_name_of_a_font_of_letters_is_refused(tmp_path):
    said = {0: 'Copyright 2020 Cutter, with Reserved Font Name "Cut"'}
    faces = [
        Face(FontSpec(named_font(tmp_path / f"{n}.ttf", "AB", names, family="Cut Letters")))
        for n, names in enumerate(({}, said, {13: said[0]}))
    ]
    assert [fontmaker.reserved_by(face) for face in faces] == [
        set(),
        {"cutletters"},
        {"cutletters"},
    ]


def test_a_font_that_says_nothing_is_named_all_the_same(tmp_path):
    face = Face(FontSpec(build_font(tmp_path / "a.ttf", "AB", family="Mute")))
    naming = fontmaker.with_letters(Naming("F", "字", "origin", "Made of this.", "1"), face)
    assert naming.licence == "Made of this. Letters, digits and marks are those of Mute."
    assert "copyright" not in naming.english()


def test_a_ufo_keeps_the_copyright(tmp_path):
    write_ufo(tmp_path / "a.ufo", [], Naming("F", "字", "origin", "licence", "1", "Copyright X"))
    assert "Copyright X" in (tmp_path / "a.ufo" / "fontinfo.plist").read_text()


@pytest.mark.parametrize(("claimed", "after"), [({20}, {20}), (set(), set()), ({0, 18}, {0, 18})])
def test_completing_claims_no_code_page_that_is_not_there(tmp_path, claimed, after):
    base = BaseFont.open(build_font(tmp_path / "hand.ttf", ASKED))
    base.font["OS/2"].setCodePageRanges(claimed)
    base.add({HAN[5]: NotdefBox()}, Naming("F", "字", "origin", "licence", "1"))
    assert base.font["OS/2"].getCodePageRanges() == after


def test_borrowed_glyphs_are_not_counted_as_drawn(tmp_path, export, monkeypatch):
    """Two of four are doubted and taken from the source font: two are drawn."""
    from calligan.library import fonts as module

    fall_back = module.fall_back

    def two(found, writer, job, how):
        doubted = [SimpleNamespace(char=char, faults=("melted",)) for char in ASKED[:2]]
        monkeypatch.setattr(writer.proofreader, "doubtful", lambda style: doubted)
        return fall_back(found, writer, job, how)

    monkeypatch.setattr(module, "fall_back", two)
    said = export("--fallback", "source", "-o", tmp_path / "a.ttf")
    assert ": 2 characters drawn" in said, said
    assert f"taken from the source font: {ASKED[0]} {ASKED[1]}" in said
    origin = TTFont(tmp_path / "a.ttf")["name"].getDebugName(10)
    assert origin.startswith("2 of 4 characters (2 of the others are as the source font has them)")


def test_lines_that_begin_with_a_hash_are_text(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("# 一\r\n丁\n", encoding="utf-8")
    assert load_text(str(path)) == "# 一\n丁"
    assert load_charset(str(path)) == "丁"  # a charset says in such lines what it is
    assert load_text("jingyesi").startswith("床前明月光")


def test_what_shows_nothing_is_left_out_of_a_text(inked_model, font_folder):
    assert check_text("か\u3099ハ\u309ae\u0301\uf900") == "がパe\u0301\uf900"
    assert check_text("一\u200b丁\ufe00七\U000e0100\ufeff\u00ad\u2069\n") == "一丁七\n"
    writer = Writer.open(inked_model, str(font_folder / "source.ttf"))
    assert writer.read("一\u200b丁\ufe00\n七\U000e0100").text == "一丁\n七"


EARLY = """
import sys
from calligan.cli import main
for line in sys.argv[1:]:
    sys.argv = ["calligan", *line.split()]
    try:
        main()
    except SystemExit as error:
        assert error.code == 2 and "torch" not in sys.modules, line
"""


def test_wrong_arguments_are_told_before_torch_is_imported(font_folder):
    good = font_folder / "source.ttf"
    wrong = {
        "infer 书 -o a.bmp": "a.bmp",
        "infer 书 --format scrol": "did you mean scroll",
        "infer 书 --ink mauvish": "mauvish",
        "infer 书 --missing never": "never",
        "infer 书 --report a.txt": "a.txt",
        "infer 书 --size 1": "--size 1",
        "infer @nosuchtext": "nosuchtext",
        "infer 书 法": "put a text that has spaces in quotes",
        "infer 书 --style mine": "`calligan learn mine --from FOLDER`",
        "infer 书 --style half": "there is no hands/half in this folder",
        "infer 书 --style 1:0.7+": "'' is not a part of a mixture; write 1:0.7+4:0.3",
        "infer 书 --style 1,": "the name of a style is empty",
        "infer 书 --style 1:0.7": "a mixture has two or more parts",
        "infer 书 --format couplet --seal 印": "couplet has no place for a --sign or a --seal",
        "infer 书 --format practice --sign 某": "practice has no place for a --sign",
        "infer 书 --format couplet --title 题": "couplet has no place for a --title",
        "infer 书 --dry .8 -o a.svg": "--grain and --dry are for .png, .jpg",
        "infer 书 --grain -o a.pdf": "--grain and --dry are for .png, .jpg",
        "infer 书 --grain --transparent": "--grain is of the paper",
        "infer 书 -o a.png --as pdf": "the ending of a.png names its kind, not pdf",
        "infer ab --candidates 3": "no Chinese character",
        "infer 书 --candidates 0": "--candidates",
        "morph Hello": "no Chinese character",
        "morph 书 --styles 1": "--styles needs two or more",
        "morph 书 --styles 1,99": "no style '99'",
        "morph 书 -o a.svg": "name the kind of film",
        "check a.ttf --script foo": "'foo' is not one of 楷, 行楷, 行, 草, pen, display",
        "infer 书 --format scroll --labels": "--labels is for plain pages",
        "export -o a.pdf": "a.pdf",
        "export -o a.ttf --charset gb2321": "did you mean gb2312",
        "export -o a.ttf --fallback never": "never",
        f"render-pairs {good} nosuch.ttf --charset 永": "no font file nosuch.ttf",
        f"render-pairs nosuch.ttf {good} --charset 永": "no font file nosuch.ttf",
        f"render-pairs nosuch.ttf {good} --charset gb2321": "no font file nosuch.ttf",
    }
    done = subprocess.run([sys.executable, "-c", EARLY, *wrong], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    lines = [line for line in lines if not line.endswith("working …")]  # said on a busy machine
    assert len(lines) == len(wrong)
    for line, said in zip(lines, wrong.values(), strict=True):
        assert said in line


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command in this process: its exit code, and what it said and printed."""
    from calligan.cli import main

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["calligan", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main()
        done = capsys.readouterr()
        return ended.value.code, done.err, done.out

    return run


def test_candidates_do_not_change_the_picture(common, run, tmp_path):
    """Nor the numbers of the sheet, of which the first is what the picture shows."""
    assert run("infer", HAN[:6], *common, "-o", "plain.png")[0] == 0
    assert run("infer", HAN[:6], *common, "--candidates", 3, "-o", "a.png")[0] == 0
    plain, chosen = (Image.open(tmp_path / name) for name in ("plain.png", "a.png"))
    assert plain.tobytes() == chosen.tobytes()
    picks = ",".join(f"{char}=1" for char in HAN[:6])
    assert run("infer", HAN[:6], *common, "--pick", picks, "-o", "b.png")[0] == 0
    assert Image.open(tmp_path / "b.png").tobytes() == plain.tobytes()


def test_the_first_way_that_is_good_enough_is_drawn_though_candidates_score_higher(
    inked_model, font_folder, monkeypatch
):
    def attempts(self, chars, images, style_index, way=PLAIN.name):
        return [Attempt(way, image, 0.9 if way == PLAIN.name else 0.99) for image in images]

    def judged(*looks):
        writer = Writer.open(inked_model, str(font_folder / "source.ttf"), looks=Looks(*looks))
        return writer.proofreader.judged("一", 0)[0]

    monkeypatch.setattr(Proofreader, "attempts", attempts)
    monkeypatch.setattr(Proofreader, "least_score", lambda self, style_index: 0.5)
    for looks in (({},), ({}, True), ({"一": 1},), ({"一": 1}, True)):
        assert judged(*looks).best.way == PLAIN.name, looks
    second = judged({}, True).attempts[1].way
    assert second != PLAIN.name and judged({"一": 2}).best.way == second


def test_a_picture_names_its_source_font(common, run, tmp_path, font_folder):
    code, said, _ = run("infer", ASKED, *common[:2], "-o", "a.png", "--no-verdict")
    assert code == 0 and said == "source font: source.ttf\n"
    about = Image.open(tmp_path / "a.png").text
    digest = Face(FontSpec(font_folder / "source.ttf")).sha256
    assert about["Source"] == f"Source, sha256 {digest}" and about["Styles"] == "1 bold"
    assert run("infer", ASKED, *common, "-o", "a.svg", "--no-verdict")[:2] == (0, "")
    assert digest in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert run("infer", ASKED, *common, "-o", "a.pdf", "--no-verdict")[0] == 0
    told = pypdfium2.PdfDocument(tmp_path / "a.pdf").get_metadata_dict()
    assert digest in told["Subject"]


def test_the_run_that_was_found_is_said_and_a_blank_page_is_not_written(
    common, run, run_folder, tmp_path
):
    shutil.copytree(run_folder, tmp_path / "runs" / "0001")
    best = tmp_path / "runs" / "0001" / "best.safetensors"
    shutil.copy(common[1], best)
    code, said, _ = run("infer", ASKED, "-o", "a.png", "--no-verdict")
    assert code == 0
    assert said == "model: runs/0001/best.safetensors (8 steps); source font: source.ttf\n"
    save_inked(best, tmp_path / "blank.safetensors", share=-1)
    for also in ([], ["--no-verdict"]):
        command = ["infer", ASKED, "--model", "blank.safetensors", "-o", "b.png", *also]
        code, said, _ = run(*command)
        assert code == 2 and "draws only blank glyphs in bold; train it longer" in said
        assert not (tmp_path / "b.png").exists()


def test_a_random_style_says_what_it_mixes(common, run):
    said = run("infer", "一", *common, "--style", "random", "--seed", 2, "-o", "a.png")[1]
    assert re.search(r"random-2 mixes (bold|slanted):[01]\.\d\d", said), said


def test_all_styles_are_labelled_unless_told_otherwise(common, run, tmp_path):
    for name, also in (("labels", []), ("bare", ["--no-labels"])):
        options = ["--style", "all", "--no-verdict", *also, "-o", f"{name}.svg"]
        assert run("infer", "一", *common, *options)[0] == 0
    labels, bare = ((tmp_path / f"{n}.svg").read_text("utf-8") for n in ("labels", "bare"))
    title = "<title>一一</title>"  # labels are no part of the text
    assert title in labels and title in bare
    assert labels.count("#808080") == len("1bold2slanted") and "#808080" not in bare


def test_tables_are_whole_in_a_narrow_terminal(inked_model, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    printed = run("styles", "--model", inked_model)[2]
    assert "slanted" in printed and "Slanted Hand" in printed and "…" not in printed
    assert "aoyagi-kouzan-t " in run("fonts")[2]


def test_what_is_given_to_check_and_load_is_named(run, tmp_path):
    Image.new("L", (9, 9)).save(tmp_path / "page.png")
    code, said, _ = run("check", "page.png")
    assert code == 2 and "page.png is a picture; give a font, or a folder of PNGs" in said
    with pytest.raises(ModelError, match="give a file, a run folder, a hand, or bundle"):
        calligan.load("nope")


def test_evaluate_names_the_styles_that_the_data_has(inked_model, data_folder, monkeypatch):
    monkeypatch.setattr(judging, "style_names", lambda model: ["bold", "other"])
    with pytest.raises(DataError, match=r"lacks styles of the model: other; .*--styles bold"):
        judging._selection(inked_model, data_folder, None, None)


def test_fog_specks_and_haloes_lower_a_figure_beside_content(data_folder):
    store = PairStore.open(data_folder)
    glyphs = np.array(store.images(store.manifest.named("bold"))).repeat(4, 1).repeat(4, 2)
    before = clean(glyphs)
    assert before.min() > 0.95
    fog = np.minimum(glyphs, 220)
    dots = glyphs.copy()
    dots[:, ::8, ::8] = np.minimum(dots[:, ::8, ::8], 90)
    wide = F.avg_pool2d(torch.from_numpy(255.0 - glyphs)[:, None], 25, 1, 12)[:, 0].numpy()
    halo = np.minimum(glyphs, 255 - wide).astype(np.uint8)
    for spoiled in (fog, dots, halo):
        assert (clean(spoiled) < before - 0.02).mean() > 0.9
    assert next(m for m in METRICS if m.name == "clean").better == "as real"


def test_intervals_of_few_glyphs_warn_of_nothing():
    values = np.full((3, 40), np.nan)
    values[0, 0], values[1, :2] = 1.0, (0.0, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate(values)
    assert found.n == 3 and found.mean == 0.75 and found.low <= 0.75 <= found.high


def test_candidates_say_how_many_there_are_and_refuse_what_cannot_be_chosen(common, run, tmp_path):
    code, said, _ = run("infer", HAN[:2], *common, "--candidates", 500, "-o", "a.png")
    found = re.search(r"there are (\d) candidates of a character, not 500", said)
    assert code == 0 and found and "is framed; choose another by its number" in said
    code, said, _ = run("infer", HAN[:2], *common, "--candidates", int(found[1]), "-o", "a.png")
    assert code == 0 and "there are" not in said


def column(sheet, width: int):
    return np.asarray(sheet)[:, :width]


def test_rows_are_labelled_with_their_characters(monkeypatch):
    """Drawn by the source font, else by a font of this machine, else named by their codepoint."""
    cell, dark = np.full((32, 32), 255, np.uint8), np.zeros((64, 64), np.uint8)
    monkeypatch.setattr(labels, "_local_pictures", lambda: lambda char: None)
    width = labels.label_px("1 书")
    code = contact_sheet([Row("1 书", [cell])], 32)
    assert width == labels.label_px("1 U+4E66")
    drawn = contact_sheet([Row("1 书", [cell])], 32, pictures=lambda char: dark)
    assert (column(drawn, 60) == labels.GREY).sum() >= 30 * 30 > (column(code, 60) < 128).sum()
    monkeypatch.setattr(labels, "_local_pictures", lambda: lambda char: dark)
    assert contact_sheet([Row("1 书", [cell])], 32).tobytes() == drawn.tobytes()
    plain, framed = (contact_sheet([Row("a", [cell] * 2, f)], 32) for f in (None, 1))
    assert np.asarray(plain).min() > 50 and (np.asarray(framed) == 0).sum() == 4 * 2 * 34
    assert (np.asarray(framed)[:, : plain.width - 40] == np.asarray(plain)[:, :-40]).all()


def test_a_pdf_names_no_author_and_is_titled_by_its_first_line(common, run, tmp_path):
    page = ["--format", "scroll", "--sign", HAN[6:8], "--seal", HAN[8], "--no-verdict"]
    for title, wanted in (([], HAN[:3]), (["--title", HAN[9]], HAN[9])):
        text = f"{HAN[:3]}\\n{HAN[3:6]}"
        assert run("infer", text, *common, *page, *title, "-o", "a.pdf")[0] == 0
        told = pypdfium2.PdfDocument(tmp_path / "a.pdf").get_metadata_dict()
        assert told["Title"] == wanted and told["Author"] == ""


def test_learn_names_its_own_option(run, font_folder):
    code, said, _ = run("learn", "x", "--from", font_folder / "bold.ttf", "--chars", "鹭鸶")
    assert code == 2 and "another --chars" in said and "--charset" not in said
