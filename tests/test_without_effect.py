"""Options that would have no effect beside others are refused, with a cure; nothing is written."""

import shlex

import pytest
from conftest import HAN

TEXT = HAN[:2]
REFUSED = [  # command, what the line names, and a word of its cure
    ("infer {text} -o a.svg --dpi 300", "--dpi", "outlines"),
    ("infer {text} -o - --as pdf --dpi 300", "--dpi", "outlines"),
    ("infer {text} -o a.png --trace 5", "--trace", "--format practice"),
    ("infer {text} -o a.png --format scroll --trace 5", "--trace", "--format practice"),
    ("infer {text} -o a.png --format practice --vary 0.5", "--vary", "alike"),
    ("infer {text} -o a.png --format scroll --seal-kind red", "--seal-kind", "--seal"),
    ("infer {text} -o a.png --transparent --paper ivory", "--paper", "--transparent"),
    ("infer {text} -o a.png --seed 7", "--seed", "--vary"),
    ("infer {text} -o a.png --vary 0 --seed 7", "--seed", "--vary"),
    ("infer {text} -o a.pdf --format practice --seed 7", "--seed", "--vary"),
    ("styles --text {text}", "--text", "-o"),
    ("styles --source {font}", "--source", "-o"),
    ("export --complete {font} --latin {font} -o a.ttf", "--latin", "--complete"),
    ("scan page.png --columns ltr -o hand", "--columns", "--text"),
    ("learn mine --from hand -o my.pdf", "--output", "--plan"),
    ("learn mine --from hand --paper letter", "--paper", "--plan"),
    ("learn mine --plan 5 --from hand", "--from", "--plan"),
    ("learn mine --plan 5 --minutes 3 --no-even", "--minutes, --no-even", "--plan"),
    ("check {fonts} --charset gb2312", "--charset", "folder"),
    ("train --dry-run --tensorboard", "--tensorboard", "--dry-run"),
    ("morph {text} -o a.png --fps 9 --no-loop", "--no-loop, --fps", ".gif"),
    (
        "animate {run} -o a.png --styles bold --chars 1 --fps 9",
        "--styles, --chars, --fps",
        "curves",
    ),
]


@pytest.mark.parametrize(("command", "named", "cure"), REFUSED, ids=[row[0] for row in REFUSED])
def test_is_refused(command, named, cure, calligan, font_folder, run_folder, inked_model, tmp_path):
    given = {"text": TEXT, "font": font_folder / "source.ttf", "fonts": font_folder}
    line = command.format(**given, run=run_folder)
    model = ["--model", inked_model] if line.split()[0] in ("infer", "styles", "export") else []
    done = calligan(*shlex.split(line), *model, cwd=tmp_path)
    (said,) = done.stderr.splitlines()
    assert done.returncode == 2 and not list(tmp_path.iterdir()), said
    assert said.startswith(f"calligan: no effect here: {named}; ") and cure in said


@pytest.mark.parametrize(
    "options",
    [
        "-o a.png --dpi 40 --vary 0.5 --seed 7",
        "-o a.png --style random --seed 7",
        "-o a.svg --format practice --trace 1",
        "-o a.svg --format letter --seed 7",
        "-o a.svg --format scroll --seal {text} --seal-kind red",
    ],
)
def test_is_taken_where_it_has_an_effect(options, calligan, font_folder, inked_model, tmp_path):
    given = [*shlex.split(options.format(text=TEXT)), "--source", font_folder / "source.ttf"]
    done = calligan("infer", TEXT, "--model", inked_model, *given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_sheet_has_as_many_steps_as_are_asked_for(calligan, font_folder, inked_model, tmp_path):
    from PIL import Image

    model = ("--model", inked_model, "--source", font_folder / "source.ttf")
    for name, steps in (("a", ()), ("b", ("--steps", 3))):
        done = calligan("morph", TEXT, *model, *steps, "-o", f"{name}.png", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "b.png").width < Image.open(tmp_path / "a.png").width
