"""JSON of the right shape and the wrong meaning: one line that names the file, never a traceback.

Each leaf of a good file is replaced by values of other types and sizes, each key is dropped, and
what the commands would do next with the file is done.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from calligan.cli.show import note, print_table
from calligan.errors import CalliganError, ConfigError, DataError, ModelError
from calligan.evaluation.evaluate import Glyphs
from calligan.evaluation.report import write_report
from calligan.evaluation.scores import REAL, Scores
from calligan.models.card import FontCard
from calligan.models.file import read_weights, write_weights
from calligan.models.weights import load_model, read_card, save_model
from calligan.pairs.batches import Pairs
from calligan.pairs.store import PairStore
from calligan.project.source import trained_sources
from calligan.storage import parse_json, read_json
from calligan.training.animation import read_curves
from calligan.training.new_run import Run

ODD: list[Any] = [None, True, -1, 0, 10**12, -3.5, "", "../x", "\0", [], [[]], {}, {"a": 1}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "NaN"),
        ("[-Infinity]", "Infinity"),
        ("[1e999]", "1e999"),
        (f"[{2**63}]", "number"),
        ("9" * 5000, "number"),
        ("[" * 100_000, "nested"),
        ('{"a": ' * 50_000, "nested"),
        ('["\\ud800"]', "surrogate"),
        (b"\xff{}", "decode"),
        ("", "Expecting"),
        ("{} {}", "Extra"),
        ("[" + "[]," * 250_001 + "1]", "500,000 entries"),
        ("[" * 34 + "]" * 34, "nested"),
    ],
)
def test_json_that_no_writer_of_ours_makes(text, says):
    with pytest.raises(ValueError, match=says):
        parse_json(text)


def test_json_that_our_writers_make():
    text = '{"a": [1, -2.5, 1e-7, "书", true, null, {"b": {}}], "n": 9223372036854775807}'
    assert parse_json(text) == json.loads(text) == parse_json(text.encode())


def test_a_file_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(2**30)  # a hole: it takes no room
    with pytest.raises(ValueError, match="64 MB"):
        read_json(path)


def changed(value: Any) -> Iterator[Any]:
    """Copies of nested JSON with one leaf or branch replaced or dropped."""
    for path in _paths(value):
        for odd in ODD:
            yield _with(value, path, odd)
        if path and isinstance(path[-1], str):
            yield _without(value, path)
    if isinstance(value, dict):
        yield {**value, "unheard": 1}


def _paths(value: Any, here: tuple = ()) -> Iterator[tuple]:
    yield here
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(key, str) or key == 0:  # of a list, its first is enough
                yield from _paths(item, (*here, key))


def _with(value: Any, path: tuple, odd: Any) -> Any:
    if not path:
        return deepcopy(odd)
    made = deepcopy(value)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = deepcopy(odd)
    return made


def _without(value: Any, path: tuple) -> Any:
    made = deepcopy(value)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return made


def refuses(path: Path, act: Callable[[], object]) -> int:
    """How many changes of a JSON file end in an error that names it; none may end otherwise."""
    good, refused = json.loads(path.read_text(encoding="utf-8")), 0
    for odd in changed(good):
        path.write_text(json.dumps(odd), encoding="utf-8")
        try:
            act()
        except (ConfigError, DataError, ModelError):
            refused += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error} from {odd}") from error
    return refused


@pytest.fixture
def data(tmp_path, data_folder) -> Path:
    return shutil.copytree(data_folder, tmp_path / "data")


@pytest.fixture
def run(tmp_path, run_folder) -> Path:
    return shutil.copytree(run_folder, tmp_path / "run")


def test_manifests(data):
    def act() -> None:
        store = PairStore.open(data)
        store.verify()
        selection = store.select(["bold", "slanted"])
        assert selection.data_hash
        pairs = Pairs(selection, "train")
        assert pairs.random(2, 2, 0, 0).target.dtype == np.uint8

    act()
    assert refuses(data / "manifest.json", act) > 300


def test_runs(run):
    def act() -> None:
        opened = Run.open(run)
        assert opened.finished in (True, False)
        assert opened.selection().data_hash

    act()
    assert refuses(run / "run.json", act) > 40


def test_settings_of_runs(run):
    assert refuses(run / "config.json", lambda: Run.open(run)) > 500


def test_logs_with_odd_lines_are_drawn_all_the_same(run):
    log = run / "log.jsonl"
    before = read_curves(Run.open(run))
    with log.open("a") as file:
        file.write('[]\n3\nnull\n{"l1": 1}\n{"step": "x"}\n{"step": NaN, "l1": 1}\n{"step"')
    assert read_curves(Run.open(run)) == before


def test_a_font_that_a_model_names_is_compared_before_it_is_opened(
    tmp_path, run_folder, monkeypatch
):
    """A model from a stranger may name any file of this machine."""
    card = read_card(run_folder / "best.safetensors")
    ((face, font),) = trained_sources(card)
    assert face.sha256 == font.font_sha256
    other = tmp_path / "other.ttf"
    other.write_bytes(b"not a font at all")
    opened = []
    monkeypatch.setattr("calligan.project.source.Face", lambda spec: opened.append(spec))
    stranger = replace(font, path=str(other), font_sha256="0" * 64)
    named = replace(card, sources=(stranger,))
    assert list(trained_sources(named)) == [] and opened == []


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "\ud800", "/dev/zero", "/", "sparse.ttf"])
def test_a_path_in_a_card_that_is_no_font_is_passed_over(tmp_path, run_folder, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("calligan.project.source.sha256_file", lambda path: pytest.fail("read"))
    with Path("sparse.ttf").open("wb") as file:
        file.truncate(2**40)  # hours to read
    card = read_card(run_folder / "best.safetensors")
    odd = replace(card.sources[0], path=path, font_sha256="0" * 64)
    assert list(trained_sources(replace(card, sources=(odd,)))) == []


@pytest.mark.parametrize(
    "placement",
    [{}, {"size_px": 32}, {"em_px": 1e12}, {"em_px": -1}, {"baseline_y_px": 1e9}, {"size_px": 0}],
)
def test_a_placement_out_of_reach_is_refused(run_folder, placement):
    card = read_card(run_folder / "best.safetensors")
    source: FontCard = card.sources[0]
    odd = {**source.placement, **placement} if len(placement) else {}
    if odd == source.placement:
        odd.pop("em_px")
    with pytest.raises(CalliganError, match=r"card is damaged .*; copy it again"):
        list(trained_sources(replace(card, sources=(replace(source, placement=odd),))))


EVIL = "</title><script>alert(1)</script>[/b]\u202e&"


def test_a_report_shows_markup_in_names_and_obeys_none(tmp_path):
    """A font's names, and what a model says of it, come from anywhere."""
    pytest.importorskip("jinja2")
    font = SimpleNamespace(name=EVIL, chinese=EVIL, script=EVIL, family=EVIL)
    scores = Scores((font,), "一永", ("model", REAL), unmeasured={EVIL: EVIL})
    images = [np.full((2, 16, 16), 255, np.uint8)]
    for system in scores.systems:
        for metric in ("l1", "ssim", "content"):
            scores.put(system, metric, 0, "一永", np.array([0.5, 1.0]))
    glyphs = Glyphs((font,), ["一永"], images, {"model": images, REAL: images})
    write_report(tmp_path / "r.html", EVIL, EVIL, scores, glyphs)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<script" not in page and page.count("&lt;script&gt;") >= 6
    assert page.count("<table>") == 4 and "&lt;table" not in page


def test_styles_with_markup_for_names_are_listed_as_they_are(tmp_path, run_folder, calligan):
    generator, card = load_model(run_folder / "best.safetensors")
    odd = replace(card.styles[0], name="[/b]", chinese="[link=x]楷\x1b[31m", licence="[/]\u202e")
    save_model(tmp_path / "odd.safetensors", generator, replace(card, styles=(odd, card.styles[1])))
    done = calligan("styles", "--model", tmp_path / "odd.safetensors")
    assert done.returncode == 0, done.stderr
    assert "[/b]" in done.stdout and "[link=x]楷" in done.stdout
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
    wrong = calligan("infer", "一", "--model", tmp_path / "odd.safetensors", "--style", "\x1b[2J")
    assert wrong.returncode == 2 and "\x1b" not in wrong.stderr and "[/b]" in wrong.stderr


def test_a_name_with_a_line_break_adds_no_line(capsys):
    note("doubtful in a\ncalligan: done\u2028b")
    assert capsys.readouterr().err == "doubtful in a\\ncalligan: done\\u2028b\n"
    print_table(["[/b]\x1b"], [["a\nb"]])
    assert capsys.readouterr().out.split() == ["[/b]\\x1b", "a\\nb"]


def test_cards_of_models(tmp_path, run_folder):
    """Whole files with a checksum that holds, and a card that makes no sense."""
    path = tmp_path / "m.safetensors"
    state, told = read_weights(run_folder / "best.safetensors", "calligan", "model", "cure")
    refused = 0
    for odd in changed(json.loads(told)):
        write_weights(path, state, "calligan", json.dumps(odd))
        try:
            card = read_card(path)
            assert card.style_index(card.styles[0].name) == 0
            card.check_unseen("")
            list(trained_sources(card))
        except CalliganError:
            refused += 1
    assert refused > 500
