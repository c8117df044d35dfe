"""`import calligan`: the examples of docs/library.md, and what they promise."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from conftest import HAN, TINY, build_font, save_inked
from PIL import Image

import calligan
from calligan.glyphs.placement import Placement
from calligan.inference.export import Job

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/library.md").read_text("utf-8"), re.S)
CHARS = "".join(dict.fromkeys("书法永和九年岁在癸丑" + HAN))
SMALLER = (  # what takes minutes or whole charsets, on tiny networks and fonts
    ('charset="gb2312")', f'charset="{CHARS}", size_px=32)'),
    ("minutes=30", "steps=2, settings=TINY"),
    ("minutes=10", 'steps=2, settings=TINY, model="runs/0001"'),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with fonts, data, a run and a written page; the catalog's cache holds a font."""
    folder = tmp_path_factory.mktemp("project")
    build_font(folder / "source.ttf", CHARS + "Ab1", family="Source")
    build_font(folder / "bold.ttf", CHARS, weight=110, family="Bold Hand")
    build_font(folder / "slanted.ttf", CHARS, slant=0.2, scale=0.8, family="Slanted Hand")
    build_font(folder / "Half.ttf", CHARS[:3] + HAN[:20], weight=90, family="Half")
    cached = folder / "cache/fonts/lxgw-wenkai/lxgw-wenkai.ttf"
    cached.parent.mkdir(parents=True)
    shutil.copy(folder / "source.ttf", cached)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CALLIGAN_CACHE", str(folder / "cache"))
        fonts = ["bold.ttf", "slanted.ttf"]
        calligan.render_pairs("source.ttf", fonts, "data", charset=CHARS, size_px=32)
        calligan.train("data", steps=8, settings=TINY)
        save_inked(Path("runs/0001/best.safetensors"), Path("runs/0001/best.safetensors"))
        yield folder


@pytest.fixture(scope="module")
def model(project):
    return calligan.load("runs/0001", check=False)


def test_import_is_light():
    code = "import sys, calligan\ndir(calligan)\nheavy = {'torch', 'numpy', 'PIL', 'typer'}\n"
    code += "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_what_is_offered_is_there_and_told():
    assert set(calligan.__all__) == {*calligan._WHERE, "__version__"}
    for name in calligan._WHERE:
        assert getattr(calligan, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        calligan.lode  # noqa: B018


def test_the_examples_of_the_docs_run_in_order(project, capsys):
    _written_page(project / "page1.png", project)
    names: dict = {"TINY": TINY}
    for block in BLOCKS:
        for whole, small in SMALLER:
            block = block.replace(whole, small)
        exec(compile(block, "docs/library.md", "exec"), names)
    assert Image.open("out.png").width > Image.open("out.png").height
    assert names["poem"].doubtful.keys() <= {"bold"}
    assert set("永和九年书法") == set(names["made"].drawn) and not names["made"].lacking
    assert set(names["whole"].drawn) == set("永和九年书法") - set(CHARS[:3])
    assert names["mine"].styles[0].name == "mine" and len(names["hand"].glyphs) > 5
    assert "drawing: " in capsys.readouterr().out and not Path("other.ttf").exists()


def test_pages_are_what_they_say(model):
    pages = model.write("永和九年", style="all", cell_px=32)
    assert list(pages.styles) == ["bold", "slanted"] and not pages.missing
    png = Image.open(BytesIO(pages.png(dpi=192)))
    half = Image.open(BytesIO(pages.png(dpi=96)))
    assert abs(png.width - 2 * half.width) <= 1 and pages._repr_png_() == pages.png()
    assert pages.svg().startswith(("<svg", "<?xml")) and pages.pdf()[:5] == b"%PDF-"
    assert Image.open(BytesIO(pages.gif(frame_ms=80))).n_frames > 1
    letter = model.write("永和九年" * 100, format="letter")
    assert len(letter) > 1 and len(letter[1]) == 1
    assert letter[1].svg() != letter.svg()


def test_glyphs_have_an_image_and_an_outline_that_agree(project):
    (glyph,) = calligan.load("runs/0001", check=False, fine=False).glyphs("永永", style=2)
    assert glyph.image.shape == (32, 32) and glyph.image.dtype == np.uint8
    assert glyph.score is None and not glyph.doubtful  # it was told not to look
    em_px = Placement.full_width(32).em_px
    rows, columns = np.nonzero(glyph.image < 128)
    for axis, at in ((0, columns), (1, rows)):
        size = np.ptp(glyph.outline.controls[..., axis]) * em_px / 1000
        assert size == pytest.approx(np.ptp(at) + 1, abs=2.5)


def test_verdicts_come_with_glyphs(project):
    glyphs = calligan.load("runs/0001").glyphs("永和", style=1)
    assert all(0 <= glyph.score <= 1 and glyph.way for glyph in glyphs)


def test_nothing_is_printed_and_progress_counts_up(model, capfd):
    told = []
    model.write("永和九年", progress=lambda *each: told.append(each))
    model.glyphs("永和", progress=lambda *each: told.append(each))
    calligan.export_font(model, "p.ttf", charset="永和", progress=lambda *each: told.append(each))
    writing = [("writing", done, 4) for done in range(5)]
    drawing = [("drawing", done, 2) for done in range(3)]
    assert told == [*writing, *drawing, *drawing]
    assert capfd.readouterr() == ("", "")


def test_errors_name_what_is_wrong(model):
    from calligan.library.fonts import make_font
    from calligan.requests.fonts import FontRequest

    whole = FontRequest(Path("x.ttf"), complete="source.ttf")
    for wrong, says in (
        (lambda: model.write("书", style="blod"), "did you mean bold"),
        (lambda: model.write("书", style=1.5), "style 1.5 is neither a number"),
        (lambda: model.write("书", vary=2.0), "out of range"),
        (lambda: model.glyphs("abc"), "no Chinese character|lacks"),
        (lambda: calligan.load("nowhere.safetensors"), "nowhere"),
        (lambda: model.write("书").save("x.bmp"), r"\.png"),
        (lambda: calligan.export_font(model, "x.ttf", fallback="pray"), "pray"),
        (lambda: make_font(model, whole, also=[Path("y.woff2")]), "as one kind"),
    ):
        with pytest.raises(calligan.CalliganError, match=says):
            wrong()


def test_training_is_cancelled_and_gone_on_with(project):
    with pytest.raises(calligan.Cancelled, match="can be resumed"):
        calligan.train("data", steps=40, settings=TINY, runs="others", cancel=lambda: True)
    rows = []
    settings = {"on_row": rows.append, "cancel": lambda: rows and rows[-1]["step"] >= 6}
    with pytest.raises(calligan.Cancelled):
        calligan.resume("others/0001", **settings)
    assert rows[0]["step"] == 2  # after the first step, a row every two


def test_an_export_that_was_cancelled_goes_on(model, monkeypatch):
    monkeypatch.setattr("calligan.inference.export._PART_CHARS", 2)
    told, parts = [], Path(".on.ttf.parts")
    with pytest.raises(calligan.Cancelled):
        calligan.export_font(model, "on.ttf", charset=CHARS, cancel=lambda: True)
    assert not parts.exists()  # nothing was finished
    with pytest.raises(calligan.Cancelled):
        cancel = lambda: any(parts.glob("*.npz"))  # noqa: E731
        calligan.export_font(model, "on.ttf", charset=CHARS, cancel=cancel)
    assert any(parts.glob("*.npz"))
    calligan.export_font(model, "on.ttf", charset=CHARS, progress=lambda *each: told.append(each))
    assert told[-1][1:] == (len(CHARS), len(CHARS)) and not Path(".on.ttf.parts").exists()


def test_the_resume_key_holds_all_that_decides_an_outline(project, monkeypatch, tmp_path):
    model = calligan.load("runs/0001")
    writer = model.writer
    job = Job(model.path, 0, "永", Placement.full_width(32), 1000)
    keys = [job.key(writer)]
    assert keys == [job.key(calligan.load("runs/0001").writer)]
    assert job.key(calligan.load("runs/0001", fine=False).writer) not in keys
    other = tmp_path / "upscaler.safetensors"
    other.write_bytes(b"other weights")
    keys.append(job.key(replace(writer, upscaler_path=other)))
    writer.proofreader.judge.name = "another reader"
    keys.append(job.key(writer))
    monkeypatch.setattr("calligan.inference.writer.__version__", "another version")
    keys.append(job.key(writer))
    keys.append(replace(job, upem=2000).key(writer))
    bolder = replace(writer.drawer, bolder_em=0.01)
    keys.append(replace(job, upem=2000).key(replace(writer, drawer=bolder)))
    assert len(set(keys)) == 6


def _written_page(path, project):
    pytest.importorskip("cv2", reason="the extra calligan[scan] is not installed")
    sys.path.append(str(ROOT / "benchmarks"))
    from scan import write_page

    from calligan.page.png import to_image
    from calligan.scan.template_page import font_letters, template_page
    from calligan.scan.template_sheet import make_sheets

    models, _ = font_letters(str(project / "source.ttf"), CHARS + "Ab1")
    hand, _ = font_letters(str(project / "bold.ttf"), CHARS)
    (sheet,) = make_sheets(CHARS[:40], "a4", 20)
    page = template_page(sheet, models, "A1", "mi")
    write_page(sheet, page, hand, np.random.default_rng(0))
    to_image(page, 200).save(path)


def test_mixtures_and_random_styles_leave_the_numbers_of_a_model_alone(project):
    model = calligan.load("runs/0001", check=False)
    before = [style.name for style in model.styles]
    for style in ("bold:0.7+slanted:0.3", "bold:0.7+slanted:0.3", "bold+slanted", "random"):
        (name,) = model.write(CHARS[:2], style=style).styles
        assert name not in before
    assert [style.name for style in model.styles] == before
    assert model.write(CHARS[:2], style="all").styles == before
    with pytest.raises(calligan.CalliganError, match="it has 1 to 2"):
        model.write(CHARS[:2], style=3)


def test_a_misspelt_layout_option_is_named(model):
    with pytest.raises(calligan.CalliganError, match="did you mean format"):
        model.write(CHARS[:2], fromat="scroll")


def test_a_misspelt_layout_option_is_named_by_a_type_case_too(model):
    with pytest.raises(calligan.CalliganError, match="did you mean format"):
        calligan.TypeCase(model).page(CHARS[:2], fromat="scroll")
