"""Real commands, end to end, as a user types them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import HAN
from PIL import Image

PLAIN = HAN[:4]


@pytest.fixture(scope="module")
def infer(calligan, inked_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")

    def run(text, *options):
        path = folder / f"{len(list(folder.iterdir()))}.png"
        done = calligan("infer", text, "--model", inked_model, "-o", path, *options)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == str(path)
        return Image.open(path), done.stderr

    return run


def test_help_is_quick_to_load_and_imports_no_torch():
    code = (
        "import sys\nsys.argv = ['calligan', '--help']\n"
        "import calligan.cli\n"
        "try:\n    calligan.cli.main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "heavy = {'torch', 'numpy', 'PIL', 'fontTools', 'freetype'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "render-pairs" in done.stdout


def test_styles_are_listed_without_torch(run_folder):
    code = (
        f"import sys\nsys.argv = ['calligan', 'styles', '--model', {str(run_folder)!r}]\n"
        "import calligan.cli\n"
        "try:\n    calligan.cli.main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bold" in done.stdout


def test_a_page_is_written_without_the_compiler_of_torch(inked_model, font_folder, tmp_path):
    """It takes longer to import than torch itself."""
    argv = ["calligan", "infer", HAN[:2], "--model", inked_model, "-o", tmp_path / "out.png"]
    argv += ["--source", font_folder / "source.ttf"]
    code = (
        f"import sys\nsys.argv = {[*map(str, argv)]!r}\n"
        "import calligan.cli\n"
        "try:\n    calligan.cli.main()\nexcept SystemExit as e:\n    assert not e.code\n"
        "compiler = {'torch._dynamo', 'torch._inductor', 'sympy'} & set(sys.modules)\n"
        "assert 'torch' in sys.modules and not compiler, compiler\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_and_option_has_help_with_an_example():
    import typer.main

    from calligan.cli import app

    group = typer.main.get_command(app)
    commands = {"": group, **group.commands}
    commands |= {f"fonts {name}": c for name, c in group.commands["fonts"].commands.items()}
    for name, command in commands.items():
        assert command.help, name
        assert not name or "Example: calligan " in command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_options_are_made_of_requests():
    """In the order of their fields; those of a layout between a source font and a resolution."""
    import typer.main

    from calligan.cli import app
    from calligan.described import values
    from calligan.requests.drawing import ChoiceRequest, DrawingRequest
    from calligan.requests.pages import PageRequest

    command = typer.main.get_command(app).commands["infer"]
    names = [parameter.name for parameter in command.params]
    assert names[:2] == ["style", "output"] and names[-2:] == ["json_path", "quiet"]
    page = [name for name in values(PageRequest("一"))]
    at = names.index("source") + 1
    assert names[at : at + len(page)] == page and names[at + len(page)] == "dpi"
    assert names[names.index("strict") :][:4] == ["strict", "candidates", "pick", "device"]
    by_name = {parameter.name: parameter for parameter in command.params}
    for request in (PageRequest("一"), DrawingRequest(), ChoiceRequest()):
        for name, default in values(request, "text").items():
            assert by_name[name].default == default, name


def test_picks_are_read():
    from calligan.errors import ConfigError
    from calligan.requests.drawing import ChoiceRequest

    assert ChoiceRequest(pick="书=2, 法=3,").picked() == {"书": 2, "法": 3}
    assert ChoiceRequest().picked() == {}
    for wrong in ("书", "书法=2", "书=x", "书=-1", "书=0", "书=" + "9" * 5000):
        with pytest.raises(ConfigError, match="--pick"):
            ChoiceRequest(pick=wrong).picked()


def test_infer_draws_every_style_differently(infer):
    first, second = infer(PLAIN, "--style", "1")[0], infer(PLAIN, "--style", "slanted")[0]
    both = infer(PLAIN, "--style", "all", "--no-labels")[0]
    assert first.size == second.size and first.tobytes() != second.tobytes()
    assert both.width == first.width and abs(both.height - 2 * first.height) <= 1
    ink = [255.0 - np.asarray(image.convert("L")) for image in (first, second, both)]
    assert ink[2].sum() == pytest.approx(ink[0].sum() + ink[1].sum(), rel=0.02)


def test_infer_is_deterministic(infer):
    assert infer(PLAIN)[0].tobytes() == infer(PLAIN)[0].tobytes()


def test_infer_mixed_text_says_what_was_borrowed(infer):
    image, said = infer(f"{PLAIN}A1\\n{PLAIN[:2]}")
    assert "taken from the source font: A 1" in said
    one_line, said = infer(PLAIN)
    assert "borrowed" not in said
    assert image.height > one_line.height


def test_infer_vertical_size_wrap_and_colours(infer):
    flat, upright = infer(PLAIN)[0], infer(PLAIN, "--vertical")[0]
    assert upright.size == flat.size[::-1]
    assert infer(PLAIN, "--size", "64")[0].width > 1.8 * flat.width
    assert infer(PLAIN, "--wrap", "1")[0].height > 3 * flat.height
    red = np.asarray(infer(PLAIN, "--ink", "#c00000", "--paper", "ivory")[0])
    assert tuple(red[0, 0]) == (255, 255, 240)
    clear = infer(PLAIN, "--transparent")[0]
    assert clear.mode == "RGBA" and clear.getpixel((0, 0))[3] == 0
    assert clear.getextrema()[3][1] > 0


def test_infer_missing_characters_are_named_skipped_or_boxed(calligan, infer, run_folder, tmp_path):
    out = tmp_path / "x.png"
    done = calligan("infer", PLAIN + "龍", "--model", run_folder, "-o", out)
    assert done.returncode == 2 and "龍" in done.stderr and not out.exists()
    skipped, said = infer(PLAIN + "龍", "--missing", "skip")
    assert "龍" in said
    assert skipped.size == infer(PLAIN)[0].size
    assert infer(PLAIN + "龍", "--missing", "box")[0].width > skipped.width


def test_infer_takes_the_newest_run_and_another_source(
    calligan, run_folder, inked_model, font_folder, tmp_path
):
    shutil.copytree(run_folder, tmp_path / "runs" / "0001")
    shutil.copy(inked_model, tmp_path / "runs" / "0001" / "best.safetensors")
    out = tmp_path / "x.png"
    done = calligan("infer", PLAIN, "-o", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    other = tmp_path / "y.png"
    source = ["--source", font_folder / "bold.ttf"]
    done = calligan("infer", PLAIN, "-o", other, *source, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Image.open(out).tobytes() != Image.open(other).tobytes()


def test_a_random_style_is_new_and_the_same_by_its_seed(infer):
    seven = infer(PLAIN, "--style", "random", "--seed", "7")[0]
    assert seven.tobytes() == infer(PLAIN, "--style", "random", "--seed", "7")[0].tobytes()
    others = [infer(PLAIN, "--style", "random", "--seed", "8")[0], infer(PLAIN)[0]]
    assert all(other.tobytes() != seven.tobytes() for other in others)


def test_the_installed_command_reads_standard_input(inked_model, tmp_path):
    out = tmp_path / "x.png"
    script = Path(sys.executable).with_name("calligan")
    command = [script, "infer", "-", "--model", inked_model, "-o", out]
    done = subprocess.run(command, input=PLAIN.encode(), capture_output=True)
    assert done.returncode == 0 and out.is_file()


def test_infer_reads_files_and_shipped_texts(infer, tmp_path, calligan, run_folder):
    path = tmp_path / "poem.txt"
    path.write_text(f"{PLAIN}\n", encoding="utf-8")
    assert infer(f"@{path}")[0].tobytes() == infer(PLAIN)[0].tobytes()
    shipped, said = infer("@jingyesi", "--missing", "box")
    assert "床 前 明" in said and shipped.height > 100


def test_styles_are_listed_in_order_with_a_picture(calligan, run_folder, tmp_path):
    out = tmp_path / "styles.png"
    done = calligan("styles", "--model", run_folder, "-o", out, "--text", PLAIN)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split()[:2] == ["1", "bold"] and lines[2].split()[:2] == ["2", "slanted"]
    assert Image.open(out).height > 64


def test_evaluate_reports_test_characters_beside_both_baselines(
    calligan, run_folder, data_folder, tmp_path
):
    sheet, figures, page = tmp_path / "s.png", tmp_path / "f.json", tmp_path / "r.html"
    written = ("--json", figures, "--sheet", sheet, "--report", page)
    done = calligan("evaluate", run_folder, *written, "--against", f"again={run_folder}")
    assert done.returncode == 0, done.stderr
    means = json.loads(figures.read_text())["means"]
    held = json.loads((data_folder / "manifest.json").read_text())["held_out"]
    systems = ["model", "again", "copy the source", "nearest training glyph", "real"]
    assert list(means["all"]) == systems and means["all"]["model"] == means["all"]["again"]
    for style in ("bold", "slanted"):
        assert means[f"style {style}"]["model"]["l1"]["n"] == len(held["test"])
    l1 = means["all"]["model"]["l1"]
    assert 0 < l1["low"] <= l1["mean"] <= l1["high"] < 1
    assert means["all"]["real"]["style"]["mean"] > 0.9  # the classifier knows real hands
    assert Image.open(sheet).width > 64
    html = page.read_text()
    assert html.count("<img") == 3 * 2 and "slanted" in html


def test_evaluate_judges_outlines_where_it_is_asked(calligan, inked_model, data_folder, tmp_path):
    figures, page = tmp_path / "f.json", tmp_path / "r.html"
    asked = ("--line", "--styles", "bold", "--against", f"again={inked_model}")
    written = ("--json", figures, "--report", page)
    done = calligan("evaluate", inked_model, "-d", data_folder, *asked, *written)
    assert done.returncode == 0, done.stderr
    outlines = json.loads(figures.read_text())["outlines"]
    assert outlines["model"] == outlines["again"] and list(outlines["model"]) == ["bold"]
    line = outlines["model"]["bold"]["line"]
    assert line["pieces"]["low"] <= line["pieces"]["mean"] <= line["pieces"]["high"]
    assert (
        0
        < line["bends"]["n"]
        <= len(json.loads((data_folder / "manifest.json").read_text())["held_out"]["test"])
    )
    assert "told_apart" not in outlines["model"]["bold"]
    assert "bends" in done.stdout and "<h2>The line</h2>" in page.read_text()


def test_evaluate_refuses_characters_the_model_was_trained_on(
    calligan, run_folder, font_folder, tmp_path
):
    fonts = [font_folder / f"{name}.ttf" for name in ("source", "bold", "slanted")]
    charset = ("--size", "32", "--seed", "5", "--charset", HAN)
    assert calligan("render-pairs", *fonts, *charset, "-d", tmp_path / "other").returncode == 0
    done = calligan("evaluate", run_folder, "--data", tmp_path / "other")
    assert done.returncode == 2 and "was trained on" in done.stderr and "seed" in done.stderr


def test_dry_run_prints_the_settings_and_makes_nothing(calligan, data_folder, tmp_path):
    runs = tmp_path / "runs"
    toml = tmp_path / "mine.toml"
    toml.write_text("batch_size = 8\nseed = 3\n[loss]\nl1 = 2\n")
    command = ["train", "--data", data_folder, "--runs", runs, "--config", toml, "--dry-run"]
    done = calligan(*command, "--seed", "4", "--set", "loss.bce=0.25")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["batch_size"], told["seed"]) == (8, 4)
    assert (told["loss"]["l1"], told["loss"]["bce"]) == (2.0, 0.25)
    assert told["device"] != "auto" and told["precision"] != "auto"
    assert not runs.exists()


def test_styles_can_be_counted_or_named(calligan, data_folder, tmp_path, tiny_settings):
    command = ["train", "--data", data_folder, "--runs", tmp_path, "--steps", 2, *tiny_settings]
    assert calligan(*command, "--styles", "slanted").returncode == 0
    assert calligan(*command, "--styles", "1").returncode == 0
    for name, expected in (("0001", "slanted"), ("0002", "bold")):
        assert json.loads((tmp_path / name / "run.json").read_text())["styles"] == [expected]
