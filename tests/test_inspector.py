"""The inspector: a network that finds misdrawn glyphs, its file, and its part in the verdict."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from calligan.errors import ModelError
from calligan.inference.proofread import Proofreader
from calligan.inference.writer import Looks, Writer
from calligan.models.layers import fused
from calligan.models.pixels import to_tensor
from calligan.reader.inspection import CELLS, KINDS, SIZE_PX, Inspection, to_ink
from calligan.reader.inspector import (
    MISDRAWN,
    Inspector,
    InspectorCard,
    load_inspection,
    save_inspector,
)
from calligan.resources import inspector_model


def bar_and_box() -> np.ndarray:
    """Two glyphs, uint8 (2, 128, 128)."""
    glyphs = np.full((2, SIZE_PX, SIZE_PX), 255, np.uint8)
    glyphs[0, 60:68, 16:112] = 0
    glyphs[1, 24:104, 24:104] = 0
    glyphs[1, 32:96, 32:96] = 255
    return glyphs


class Counting(torch.nn.Module):
    """Stands in for the network: says that every cell with ink of the glyph differs."""

    def forward(self, ink):
        cells = torch.nn.functional.avg_pool2d(ink[:, :1], SIZE_PX // CELLS)
        return torch.where(cells > 0, 9.0, -99.0)


def test_logits_say_something_of_every_cell():
    network = Inspection().eval()
    with torch.no_grad():
        logits = network(torch.rand(3, 2, SIZE_PX, SIZE_PX))
    assert logits.shape == (3, len(KINDS), CELLS, CELLS) and logits.dtype == torch.float32


def test_fusing_changes_nothing():
    network = Inspection()
    ink = torch.rand(8, 2, SIZE_PX, SIZE_PX)
    for _ in range(3):
        network(ink)  # statistics that are not the defaults
    for block in network.modules():
        if isinstance(block, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(block.weight, 0.5, 1.5)
    network.eval()
    with torch.no_grad():
        before = network(ink)
        assert torch.allclose(fused(network)(ink), before, atol=1e-3)
    assert not any(isinstance(each, torch.nn.BatchNorm2d) for each in network.modules())


@pytest.mark.parametrize("size", [128, 256, 512, 192, 96])
def test_ink_of_any_size_is_the_same(size):
    image = np.full((1, size, size), 255, np.uint8)
    image[0, size // 4 : size // 2, size // 8 : 7 * size // 8] = 0
    ink = to_ink(to_tensor(image, size))
    assert ink.shape[-2:] == (SIZE_PX, SIZE_PX)
    assert float(ink.mean()) == pytest.approx(0.1875, abs=0.002)
    assert float(ink[0, 0, 48, 64]) == pytest.approx(1, abs=0.01)
    assert float(ink[0, 0, 10, 64]) == pytest.approx(0, abs=0.01)


def test_differences_count_cells():
    inspector = Inspector(Counting, InspectorCard({"": 5.0, "楷": 2.0}, {}))
    glyphs = bar_and_box()
    found = inspector.differences(glyphs, glyphs)
    assert found == pytest.approx([2 * 12, 10 * 10 - 8 * 8], abs=0.1)
    twice = glyphs.repeat(2, axis=1).repeat(2, axis=2)
    assert inspector.differences(twice, twice) == pytest.approx(found, abs=0.1)
    assert len(inspector.differences(glyphs[:0], glyphs[:0])) == 0
    assert inspector.limit_of("楷") == 2.0 and inspector.limit_of("pen") == 5.0


def test_a_file_is_read_as_it_was_written(tmp_path):
    network = Inspection().eval()
    save_inspector(tmp_path / "a.safetensors", network.state_dict(), InspectorCard({"": 1.0}, {}))
    read = load_inspection(tmp_path / "a.safetensors")
    ink = torch.rand(2, 2, SIZE_PX, SIZE_PX)
    with torch.no_grad():
        assert torch.allclose(read(ink), network(ink), atol=0.02)
    data = bytearray((tmp_path / "a.safetensors").read_bytes())
    data[-5] ^= 64
    (tmp_path / "b.safetensors").write_bytes(data)
    with pytest.raises(ModelError, match="damaged"):
        load_inspection(tmp_path / "b.safetensors")
    state = {"stem.conv.weight": torch.zeros(3)}
    save_inspector(tmp_path / "c.safetensors", state, InspectorCard({"": 1.0}, {}))
    with pytest.raises(ModelError, match="another version"):
        load_inspection(tmp_path / "c.safetensors")


def test_misdrawn_is_a_fault(inked_model, font_folder, monkeypatch):
    font = str(font_folder / "source.ttf")
    monkeypatch.setattr("calligan.inference.proofread.MIN_SIZE_PX", 32)
    writer = Writer.open(inked_model, font, looks=Looks({}))
    reading = writer.proofreader
    assert isinstance(reading, Proofreader) and reading.inspector is not None
    faults = {}
    for limit in (-1.0, 1e9):
        inspector = Inspector(Counting, InspectorCard({"": limit}, {}), str(limit))
        checked = replace(reading, inspector=inspector)
        attempts = checked.attempts("一丁", reading.drawer.draw("一丁", 0), 0)
        faults[limit] = [MISDRAWN in attempt.faults for attempt in attempts]
        assert checked.identity != reading.identity
    assert faults == {-1.0: [True, True], 1e9: [False, False]}
    monkeypatch.setattr("calligan.inference.proofread.MIN_SIZE_PX", 33)
    small = replace(reading, inspector=Inspector(Counting, InspectorCard({"": -1.0}, {})))
    attempts = small.attempts("一", reading.drawer.draw("一", 0), 0)
    assert MISDRAWN not in attempts[0].faults


def test_the_shipped_inspector_doubts_a_glyph_with_a_part_missing():
    assert inspector_model() is not None
    inspector = Inspector.load()
    assert inspector is not None and {"楷", "草", "pen", ""} <= set(inspector.card.limits)
    source = bar_and_box()[1:]
    half = source.copy()
    half[:, :, 64:] = 255
    whole, missing = inspector.differences(np.concatenate([source, half]), source.repeat(2, axis=0))
    assert missing > 2 * whole
