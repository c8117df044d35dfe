"""onnxruntime beside torch: to start, to draw, and what packed weights change in what is drawn.

    python benchmarks/converted.py --count 60

Of the bundle. *To draw*: milliseconds a glyph, medians of rounds that take turns. *To start*:
whole processes, which take turns: `calligan infer` of ten characters with and without its verdict,
and a process without torch that draws the same ten from the same font with onnxruntime, looks at
them with the reader, and traces them (`--without-torch`). *Drawn*: L1 and SSIM beside what torch
draws in fp32, and the share that PP-OCRv6-small reads as the character, over test characters and
every hand; `--sources` reads the fp32 ones drawn from other fonts too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from calligan.models.card import ModelCard
from calligan.project.models import network_path
from calligan.project.source import open_source
from calligan.settings import from_dict
from calligan.storage import parse_json

TEN = "花笑水碧茶馨石翠春江"
STYLES = 19


def session(path: Path, threads: int = 1):
    """An onnxruntime session on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def without_torch(model: Path, reader: Path) -> None:
    """What a process must do that draws ten characters with onnxruntime alone."""
    from calligan.glyphs.placement import Placement
    from calligan.glyphs.raster import Renderer
    from calligan.vector.font import UPEM
    from calligan.vector.trace import trace

    generator, judge = session(model, 2), session(reader, 2)
    told = generator.get_modelmeta().custom_metadata_map
    card: ModelCard = from_dict(ModelCard, parse_json(told["calligan.card"]))
    renderer = Renderer(*open_source(card, None), min_ink=0)
    pictures = np.full((len(TEN), card.size_px, card.size_px), 255, np.uint8)
    for char, canvas in zip(TEN, pictures, strict=True):
        renderer.render(char, canvas)
    source = (255 - pictures[:, None]).astype(np.float32) / 255
    style = np.array(json.loads(told["calligan.style_vectors"])[:1] * len(TEN), np.float32)
    (ink,) = generator.run(None, {"source": source, "style": style})
    (read,) = judge.run(None, {"glyph": smaller(ink), "reference": smaller(source)})
    assert "torch" not in sys.modules and read.min() >= 0
    place = Placement.full_width(card.size_px)
    for glyph in ink[:, 0]:
        image = np.round(255 - 255 * glyph).astype(np.uint8)
        assert len(trace(image, place, UPEM, card.styles[0].tracing).contour)


def smaller(ink: np.ndarray) -> np.ndarray:
    """Ink (N, 1, S, S) at the reader's 64 px, by averaging whole pixels."""
    k = ink.shape[-1] // 64
    return ink.reshape(len(ink), 1, 64, k, 64, k).mean(axis=(3, 5), dtype=np.float32)


def in_turns(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each; they take turns, so that other work slows all alike."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            started = perf_counter()
            work()
            taken[name].append(perf_counter() - started)
    return {name: median(times[1:]) for name, times in taken.items()}  # the first warms up


def to_draw(files: dict[str, Path], rounds: int) -> None:
    """Milliseconds a glyph, by threads and batch."""
    import torch

    from calligan.models.precision import inference_precision
    from calligan.models.weights import load_model

    generator, card = load_model(network_path("bundle"))
    print("\nTo draw, ms a glyph           torch fp32  torch as infer  onnxruntime  fp32 / onnx")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        runtime = session(files["fp16"], threads)
        for count in (1, 10):
            source = torch.rand(count, 1, card.size_px, card.size_px)
            style = generator.embedding.weight.detach()[:1].expand(count, -1).contiguous()
            fed = {"source": source.numpy(), "style": style.numpy()}

            def by_torch(source=source, style=style) -> None:
                with torch.inference_mode():
                    generator.image(generator.field(1 - 2 * source, style))

            def as_infer(by_torch=by_torch) -> None:
                with inference_precision(generator):
                    by_torch()

            def by_onnx(runtime=runtime, fed=fed) -> None:
                runtime.run(None, fed)

            found = in_turns({"torch": by_torch, "infer": as_infer, "onnx": by_onnx}, rounds)
            ms = {name: 1000 * seconds / count for name, seconds in found.items()}
            ratio = ms["torch"] / ms["onnx"]
            row = f"{ms['torch']:11.1f} {ms['infer']:15.1f} {ms['onnx']:12.1f} {ratio:12.2f}"
            print(f"{threads} thread(s), {count:2} at a time   {row}")


def to_start(files: dict[str, Path], rounds: int) -> None:
    """Seconds a process."""
    here, out = [sys.executable], files["fp16"].parent / "ten.png"
    infer = [*here, "-m", "calligan", "infer", TEN, "--model", "bundle", "-o", str(out)]
    alone = [*here, __file__, "--without-torch", str(files["fp16"]), str(files["reader"])]
    commands = {
        "import torch": [*here, "-c", "import torch"],
        "import onnxruntime": [*here, "-c", "import onnxruntime"],
        "calligan infer": infer,
        "calligan infer --no-verdict": [*infer, "--no-verdict"],
        "ten characters without torch": alone,
    }

    def run(command: list[str]) -> Callable[[], object]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[1:])}
        return lambda: subprocess.run(command, check=True, capture_output=True, env=environment)

    found = in_turns({name: run(command) for name, command in commands.items()}, rounds)
    print("\nTo start, s a process")
    for name, seconds in found.items():
        print(f"{name:32} {seconds:5.2f}")


def drawn(files: dict[str, Path], count: int, sources: list[str]) -> None:
    """What packed weights change, and how well what other fonts give is read."""
    from calligan.evaluation import metrics
    from calligan.evaluation.recogniser import Recogniser
    from calligan.inference.writer import Writer

    reader = Recogniser()

    def read(images: np.ndarray, chars: str) -> float:
        found = reader.read(images)[0]
        return float(np.mean([a == b for a, b in zip(found, chars, strict=True)]))

    writer = Writer.open(network_path("bundle"))
    chars = "".join(
        c for c in writer.card.held_out["test"] if not writer.source.lacks(c) and c in reader.chars
    )
    chars = chars[:: max(1, len(chars) // count)][:count]
    source = writer.source.images(chars)
    kinds = {name: all_hands(files[name], source) for name in ("fp32", "fp16", "int8")}
    print(f"\nDrawn, {len(chars)} test characters, {STYLES} hands, from {writer.source.file_name}")
    print("weights   MB  gzip MB  L1 to fp32  SSIM to fp32  read")
    for name, images in kinds.items():
        size, small = files[name].stat().st_size / 1e6, packed_size(files[name]) / 1e6
        off = (
            metrics.ink_l1(images, kinds["fp32"]).mean(),
            metrics.ssim(images, kinds["fp32"]).mean(),
        )
        share = read(images, chars * STYLES)
        print(f"{name:6} {size:5.1f} {small:8.2f} {off[0]:11.5f} {off[1]:13.4f}  {share:.3f}")
    for name in sources:
        other = Writer.open(network_path("bundle"), name)
        there = "".join(char for char in chars if not other.source.lacks(char))
        images = all_hands(files["int8"], other.source.images(there))
        print(f"from {name:20} read {read(images, there * STYLES):.3f}  ({len(there)} characters)")


def all_hands(model: Path, source: np.ndarray) -> np.ndarray:
    """Sources uint8 (N, S, S) in every hand by onnxruntime: uint8 (hands * N, S, S)."""
    runtime, found = session(model, 2), []
    told = runtime.get_modelmeta().custom_metadata_map["calligan.style_vectors"]
    for vector in json.loads(told):
        for image in source:
            ink = (255 - image[None, None]).astype(np.float32) / 255
            (glyph,) = runtime.run(None, {"source": ink, "style": np.array([vector], np.float32)})
            found.append(np.round(255 - 255 * glyph[0, 0]).astype(np.uint8))
    return np.stack(found)


def packed_size(path: Path) -> int:
    """Bytes of a file as gzip packs it."""
    import gzip

    return len(gzip.compress(path.read_bytes(), 9))


def main() -> None:
    """Convert, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=60, help="test characters")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--sources", nargs="*", default=[], help="other source fonts")
    parser.add_argument("--parts", nargs="*", default=["draw", "start", "drawn"])
    parser.add_argument("--without-torch", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.without_torch:
        return without_torch(*options.without_torch)
    import calligan

    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.onnx" for name in ("fp32", "fp16", "int8")}
        for name, path in files.items():
            calligan.convert("bundle", path, weights=name)
        files["reader"] = calligan.convert("reader", Path(folder) / "reader.onnx").path
        if "draw" in options.parts:
            to_draw(files, options.rounds)
        if "start" in options.parts:
            to_start(files, max(3, options.rounds // 2))
        if "drawn" in options.parts:
            drawn(files, options.count, options.sources)


if __name__ == "__main__":
    main()
