"""The verdict on drawn glyphs: scored, retried, reported; with a judge that obeys the test."""

import json
import re

import numpy as np
import pytest
import torch
from conftest import HAN
from PIL import Image

from calligan.errors import DataError, ModelError
from calligan.glyphs.placement import Placement
from calligan.inference import report_page
from calligan.inference.drawer import Drawer
from calligan.inference.export import Job, Parts, fall_back, outlines
from calligan.inference.proofread import WAYS, Proofreader
from calligan.inference.report import Findings
from calligan.inference.writer import Writer
from calligan.models.layers import fused
from calligan.reader.calibration import share_passed
from calligan.reader.faults import MEASURES
from calligan.reader.judge import Judge, ReaderCard, least_of, load_reader, save_reader
from calligan.reader.network import Reader

CHARS = HAN[:4]


class Obedient:
    """Gives the scores that a test asks for, by character and attempt; remembers what it saw."""

    network = None  # no network to open

    def __init__(self, writer_chars, scores, least=0.5):
        self.chars, self.script, self.least, self.calls = writer_chars, scores, least, []
        self.asked = dict.fromkeys(writer_chars, 0)
        self.name = "this one"

    def scores(self, glyphs, references):
        assert glyphs.shape == references.shape and glyphs.dtype == np.uint8
        self.calls.append(len(glyphs))
        found = []
        for reference in references:
            char = self.of[reference.tobytes()]
            row = self.script.get(char, [1.0])
            found.append(row[min(self.asked[char], len(row) - 1)])
            self.asked[char] += 1
        return np.array(found)

    def least_score(self, script, font=""):
        return self.least


@pytest.fixture
def proofreader(inked_model):
    def make(scores, **options):
        judge = Obedient(CHARS, scores)
        drawer = Drawer.open(inked_model)
        for style in drawer.card.styles:  # what their real glyphs score by the reader that ships
            style.__dict__["least_score"] = None
        judge.of = {drawer.source.images(char)[0].tobytes(): char for char in CHARS}
        return Proofreader(drawer, judge, **options), judge

    return make


def test_only_doubtful_glyphs_are_drawn_again_and_the_best_is_kept(proofreader):
    reading, judge = proofreader({CHARS[1]: [0.1, 0.3, 0.9], CHARS[2]: [0.1, 0.4, 0.2]})
    drawn = reading.judged(CHARS, 0)
    assert judge.calls[:3] == [4, 2, 2] and set(judge.calls[3:]) == {1}
    found = reading.verdicts[0]
    assert [found[c].best.score for c in CHARS] == [1.0, 0.9, 0.4, 1.0]
    assert [v.char for v in reading.doubtful(0)] == [CHARS[2]]
    assert found[CHARS[0]].best.way == "as it is" and found[CHARS[1]].best.way != "as it is"
    assert drawn == [found[char] for char in CHARS]
    reading.judged(CHARS, 0)
    assert sum(judge.calls) == sum(judge.asked.values())  # nothing is judged twice


def test_of_a_dense_character_the_best_retry_is_kept(proofreader, monkeypatch):
    """Of others the first that is not weak: their retries cost more, and readable is not true."""
    scores = {char: [0.1, 0.6, 0.9, 0.7] for char in CHARS[:2]} | {CHARS[2]: [0.6, 0.9]}
    reading, _ = proofreader(scores)
    monkeypatch.setattr(type(reading.reach), "is_dense", lambda self, char: char != CHARS[1])
    found = reading.judged(CHARS[:3], 0)
    assert [verdict.best.score for verdict in found] == [0.9, 0.6, 0.6]
    assert [verdict.count for verdict in found] == [len(reading._ways()) + 1, 2, 1]
    reading, _ = proofreader(scores)
    best = [reading.every_attempt(char, 0).best.score for char in CHARS[:3]]
    assert best == [0.9, 0.6, 0.6]  # as the dialog of candidates shows them


def test_what_somebody_wrote_is_looked_at_and_never_drawn_again(proofreader):
    reading, judge = proofreader({CHARS[1]: [0.1]})
    written = {char: np.roll(reading.drawer.source.images(char)[0], 3, 0) for char in CHARS}
    assert reading.look_at(written, 0) == CHARS[1]
    assert judge.calls == [len(CHARS)]
    assert reading.doubtful(0)[0].best.way == "as written"
    assert (reading.judged(CHARS[1], 0)[0].best.image == written[CHARS[1]]).all()
    assert reading.look_at({"\u4dff": written[CHARS[0]]}, 0) == ""  # the source font lacks it


def test_every_way_draws_something_else(proofreader):
    reading, _ = proofreader({}, every_way=True)
    reading.judged(CHARS[:1], 0)
    attempts = reading.verdicts[0][CHARS[0]].attempts
    assert len(attempts) == 1 + len([way for way in WAYS if way.source == 0])
    assert len({attempt.image.tobytes() for attempt in attempts}) == len(attempts)


def test_a_candidate_can_be_picked_by_eye(proofreader):
    reading, _ = proofreader({CHARS[0]: [0.1, 0.3, 0.2]}, picked={CHARS[0]: 2})
    reading.judged(CHARS, 0)
    verdict = reading.verdicts[0][CHARS[0]]
    assert verdict.best.score == 0.2 and not verdict.doubtful
    assert Findings(reading, [0]).overruled() == CHARS[0]
    reading, _ = proofreader({}, picked={CHARS[0]: 99})
    with pytest.raises(DataError, match="there is no number 99"):
        reading.judged(CHARS, 0)


def test_a_style_of_its_own_least_score_wins_over_its_script(proofreader):
    reading, _ = proofreader({CHARS[0]: [0.4]})
    assert reading.least_score(0) == 0.5
    reading.drawer.card.styles[0].__dict__["least_score"] = 0.3
    reading.drawer.card.provenance["reader"] = "another"
    assert reading.least_score(0) == 0.5  # measured by another reader
    reading.drawer.card.provenance["reader"] = "this one"
    reading.judged(CHARS, 0)
    assert reading.doubtful(0) == []


def test_reports_say_and_show_what_is_doubtful(proofreader, tmp_path, monkeypatch):
    reading, _ = proofreader({CHARS[2]: [0.1]})
    reading.judged(CHARS, 0)
    findings = Findings(reading, [0])
    findings.save(tmp_path / "r.json")
    told = json.loads((tmp_path / "r.json").read_text())["bold"]
    assert told["least_score"] == 0.5
    assert [g["char"] for g in told["glyphs"] if g["doubtful"]] == [CHARS[2]]
    assert told["glyphs"][0]["char"] == CHARS[2]  # the worst first
    findings.save(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count("<img") == 8 and page.count('class="doubtful"') == 1
    monkeypatch.setattr("calligan.inference.report_page._MAX_SHOWN", 0)
    findings.save(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert page.count("<img") == 2 and "1 are shown" in page
    assert findings.doubtful() == {"bold": CHARS[2]}
    findings.save_candidates(tmp_path / "c.png", 3, CHARS)
    assert (tmp_path / "c.png").stat().st_size > 500
    with pytest.raises(DataError, match="name the kind"):
        findings.save(tmp_path / "r.txt")


@pytest.mark.parametrize("how", ["keep", "skip", "source"])
def test_export_falls_back_and_remembers_verdicts(proofreader, tmp_path, how):
    job_of = Job(None, 0, CHARS, Placement.full_width(32), 1000)
    reading, _ = proofreader({CHARS[2]: [0.1]})
    parts = Parts(tmp_path / "parts", "key")
    found = outlines(Writer(reading.drawer, reading), job_of, parts, {})
    again, judge = proofreader({})
    resumed = outlines(Writer(again.drawer, again), job_of, Parts(tmp_path / "parts", "key"), {})
    assert judge.calls == [] and [v.char for v in again.doubtful(0)] == [CHARS[2]]
    before = resumed[CHARS[2]]
    doubtful = fall_back(resumed, Writer(again.drawer, again), job_of, how)
    assert doubtful == ("" if how == "keep" else CHARS[2])
    assert set(resumed) == set(CHARS) - ({CHARS[2]} if how == "skip" else set())
    if how == "source":
        assert resumed[CHARS[2]].controls.shape != before.controls.shape
    assert found.keys() == set(CHARS)


def test_a_reader_is_saved_and_read_back_and_refused_where_damaged(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "reader.safetensors"
    card = ReaderCard({"": 0.5, "草": 0.1, "long-cang": 0.2}, {"minutes": "1"})
    save_reader(path, Reader().state_dict(), card)
    judge = Judge.load(path=path)
    assert judge.least_score("草") == 0.1 and judge.least_score("楷") == 0.5
    assert judge.least_score("草", "long-cang") == 0.2 and judge.least_score("草", "mine") == 0.1
    glyphs = np.random.default_rng(0).integers(0, 256, (3, 128, 128)).astype(np.uint8)
    scores = judge.scores(glyphs, glyphs)
    assert scores.shape == (3,) and ((scores > 0) & (scores < 1)).all()
    assert judge.scores(glyphs[:0], glyphs[:0]).shape == (0,)
    known = judge.embeddings(glyphs)
    assert np.linalg.norm(known, axis=1) == pytest.approx([1, 1, 1], abs=1e-3)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="checksum"):
        load_reader(path)
    with pytest.raises(ModelError, match="no reader"):
        load_reader(tmp_path / "none")


def test_a_fused_reader_reads_as_before():
    torch.manual_seed(0)
    reader = Reader()
    for module in reader.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
            torch.nn.init.normal_(module.running_mean)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    pair = torch.rand(2, 4, 1, 64, 64) * 2 - 1
    with torch.no_grad():
        before = reader.eval()(*pair)
        after = fused(reader)(*pair)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in reader.modules())
    assert torch.allclose(before, after, atol=1e-4) and before.std() > 1e-3


def test_low_limits_keep_their_digits():
    assert least_of(np.full(20, 1.23456e-7)) == 1.235e-7


def test_95_in_100_pass():
    scores = np.arange(1000) / 1000
    assert (scores >= least_of(scores)).mean() == pytest.approx(0.95, abs=0.002)


def test_the_share_that_passes_is_told_by_style(tmp_path, monkeypatch):
    glyphs = np.full((4, 32, 32), 255, np.uint8)
    drawn = {"one": (glyphs, glyphs), "two": (glyphs, glyphs), "unknown": (glyphs, glyphs)}
    monkeypatch.setattr("calligan.reader.calibration.reader_model", lambda: None)
    assert share_passed(drawn, {"one": 0.0}) == {}
    path = tmp_path / "reader.safetensors"
    save_reader(path, Reader().state_dict(), ReaderCard({"": 0.5}, {}))
    monkeypatch.setattr("calligan.reader.calibration.reader_model", lambda: path)
    monkeypatch.setattr("calligan.reader.judge.reader_model", lambda: path)
    assert share_passed(drawn, {}) == {}
    assert share_passed(drawn, {"one": 0.0, "two": 1.1}) == {"one": 1.0, "two": 0.0}


def test_a_glyph_without_ink_is_blank(proofreader):
    reading, _ = proofreader({})
    blank = np.full((1, 32, 32), 200, np.uint8)
    (attempt,) = reading.attempts(CHARS[:1], blank, 0)
    assert attempt.faults == ("blank",)


def test_a_report_explains_itself(proofreader, tmp_path):
    reading, _ = proofreader({CHARS[0]: [7.5e-5], CHARS[1]: [0.1, 0.4]}, picked={CHARS[2]: 1})
    reading.__dict__["least_score"] = lambda style: 0.5  # what is redrawn
    reading.__dict__["doubted_score"] = lambda style: 0.3  # what is doubtful
    reading.judged(CHARS, 0)
    Findings(reading, [0, 1]).save(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    rows = dict(zip(re.findall(r"<big>(.)</big>", page), page.split("<tr")[2:], strict=False))
    assert "&lt; 0.1 %" in rows[CHARS[0]] and "limit 30 %" in rows[CHARS[0]]
    assert "40 %" in rows[CHARS[1]] and "low score, but not doubtful" in rows[CHARS[1]]
    assert "not doubtful, as you picked it" in rows[CHARS[2]]
    assert "<dt>unlike<dd>does not read as its character" in page and "<dt>speck" not in page
    assert f"<dt>{WAYS[1].name}<dd>" in page
    assert "<h2>Style 1: bold" in page and "<h2>Style 2: slanted" in page
    assert page.count("<html") == 1 and "width: 128px" in page and "img:hover" in page


def test_every_fault_and_way_is_explained():
    named = {*MEASURES.values(), "unlike", "misdrawn", "blank", "dense", "unlearned"}
    assert set(report_page._FAULTS) == named
    assert {way.name for way in WAYS} < set(report_page._WAYS)


def test_candidates_are_in_the_order_of_the_text_and_keep_their_numbers(proofreader, tmp_path):
    reading, _ = proofreader({CHARS[0]: [0.1, 0.3, 0.2]}, picked={CHARS[0]: 2}, every_way=True)
    reading.judged(CHARS[:2], 0)
    findings = Findings(reading, [0])
    for name in (CHARS[:2], CHARS[1::-1]):
        findings.save_candidates(tmp_path / f"{name}.png", 3, name)
    there, back = (
        np.asarray(Image.open(tmp_path / f"{name}.png"))[28:]  # without the numbers
        for name in (CHARS[:2], CHARS[1::-1])
    )
    half = len(there) // 2
    assert np.array_equal(there[2 : half - 2], back[half : half + half - 4])
    assert not np.array_equal(there, back)
    picked = reading.verdicts[0][CHARS[0]]
    assert [round(a.score, 1) for a in picked.candidates][:3] == [0.3, 0.2, 0.2]
    assert picked.best is picked.candidates[1]
    framed = np.argwhere(there[:half] == 0)[:, 1]
    cell = 36
    left = there.shape[1] - 4 * cell
    columns = np.flatnonzero((there[:half] == 0).sum(0) >= 34) - left
    assert len(framed) and set(columns // cell) <= {1, 2} and columns.min() >= 2 * cell - 4
