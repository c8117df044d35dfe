"""The kit for a few minutes of a GPU: fonts packed small, and a run carried in parts."""

import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import HAN

from calligan.glyphs.face import Face, FontSpec
from calligan.project.run import Run
from calligan.training.state import TrainState, newest_verified

KIT = Path(__file__).parent.parent / "weights" / "gpu"


@pytest.fixture(autouse=True)
def _kit(monkeypatch):
    monkeypatch.syspath_prepend(str(KIT))


def test_a_packed_font_draws_the_same(font_folder, tmp_path):
    from fontfile import squeeze, unsqueeze

    original = font_folder / "slanted.ttf"
    small = squeeze(original.read_bytes())
    again = tmp_path / "again.ttf"
    again.write_bytes(unsqueeze(small))
    faces = [Face(FontSpec(path)) for path in (original, again)]
    for char in HAN:
        one, other = (face.draw(face.glyph_index(char), 40.0) for face in faces)
        assert one is not None and other is not None and np.array_equal(one.ink, other.ink)
        assert (one.left_px, one.top_px) == (other.left_px, other.top_px)
    assert faces[0].family == faces[1].family


def test_a_run_is_carried_in_parts_and_goes_on(run_folder, tmp_path, monkeypatch):
    import train as kit

    monkeypatch.setattr(kit, "PART_BYTES", 20_000)
    run, out = Run.open(run_folder), tmp_path / "out"
    out.mkdir()
    kit.pack_run(run, out)
    parts = kit.parts(out)
    assert len(parts) > 1 and all(path.stat().st_size <= 20_000 for path in parts)
    assert (out / "log.jsonl").is_file() and (out / "sheet.png").is_file()
    there = kit.unpack_run(out, tmp_path / "runs", run.selection())
    parts[1].write_bytes(b"of another evaluation")
    with pytest.raises(SystemExit, match="of different evaluations"):
        kit.unpack_run(out, tmp_path / "again", run.selection())
    states = []
    for each in (run, there):
        state = TrainState(each.config, len(each.styles))
        state.load(newest_verified(each.checkpoints))
        states.append(state)
    before, after = states
    assert after.counters == before.counters
    for name in ("generator", "average", "discriminator"):
        pairs = zip(
            getattr(before, name).parameters(), getattr(after, name).parameters(), strict=True
        )
        assert all(torch.allclose(a, b, atol=2e-3) for a, b in pairs)


@pytest.mark.parametrize("further", [False, True])
def test_letters_are_trained_for_the_model_of_the_run(tmp_path, monkeypatch, further):
    import train as kit

    monkeypatch.syspath_prepend(str(KIT.parent))
    import non_han

    rendered, pack = tmp_path / "rendered", tmp_path / "pack"
    rendered.mkdir()
    (rendered / "manifest.json").write_text("{}")
    (pack / "1").mkdir(parents=True)
    with tarfile.open(pack / "1" / kit.LETTERS_FILE, "w:xz") as tar:
        tar.add(rendered, ".")
    model, asked = tmp_path / "last.safetensors", []
    model.touch()
    monkeypatch.setattr(non_han, "selection_of", lambda data, model: (data, model))
    monkeypatch.setattr(non_han, "train", lambda *given: asked.append(given))
    options = SimpleNamespace(
        pack=pack, out=tmp_path / "out", work=tmp_path / "work", letters_minutes=0.5, start=further
    )
    for _ in range(2):  # a second call finds them unpacked
        kit.train_letters(options, SimpleNamespace(last=model, best=tmp_path / "best.safetensors"))
    (data, of), out, config, start, chosen, trained = asked[1]
    assert (data / "manifest.json").is_file() and of == trained == model
    assert out == options.out / "non-han.safetensors" and config.minutes == 0.5
    assert chosen == non_han.NonHanCard()
    assert (start is not None) == further and (not further or start.path.is_file())
