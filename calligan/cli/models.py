"""`calligan render-pairs`, `train`, `evaluate` and `convert`: from fonts to models."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from calligan.cli.running import run_training
from calligan.cli.show import claim_stdout, note, print_table, progress, result, write_summary
from calligan.described import values
from calligan.requests.fonts import PairsRequest
from calligan.requests.models import (
    ConversionRequest,
    EvaluationRequest,
    RunRequest,
    TrainingRequest,
)

if TYPE_CHECKING:
    from calligan.pairs.manifest import FontEntry


def render_pairs(request: PairsRequest) -> None:
    """Rasterize a source font and one or more target fonts into paired glyph images.

    Example: calligan render-pairs lxgw-wenkai ma-shan-zheng MyHand.ttf

    A later call adds fonts to the folder. Repeating a call changes nothing.
    """
    from calligan.library.pairs import render_pairs as render
    from calligan.pairs.contact_sheet import CONTACT_SHEET

    with progress("rendering", "glyph", unit_scale=True) as update:
        store = render(**values(request), progress=update, on_font=_note_font, note=note)
    data, count = request.data, len(store.manifest.of_role("target"))
    note(f"{data}: {count} style(s); next: calligan train --data {data} --styles {count}")
    result(data / CONTACT_SHEET)


def _note_font(font: "FontEntry", known: bool) -> None:
    note(f"{font.role:6}  {font.name}: {font.coverage}" + ("  already there" if known else ""))


def train(request: TrainingRequest, how: RunRequest) -> None:
    """Train a generator with style embeddings: reconstruction, then a discriminator.

    Example: calligan train --styles 5 --minutes 30

    Ctrl-C saves and stops; `calligan train --resume runs/0001` continues exactly from there.
    """
    how.validate(request)  # raises before torch is imported below
    from calligan.library.sessions import resumed_session
    from calligan.library.training import begun, requested_session
    from calligan.training.tensorboard import check_tensorboard

    if how.tensorboard:
        check_tensorboard()
    if how.dry_run:
        result(json.dumps(asdict(begun(request)[0]), indent=1))
        return
    going = resumed_session(how.resume, note) if how.resume else requested_session(request, note)
    with going as session:
        run_training(session, how.tensorboard)
        if session.ranks.is_main:
            note(f"next: {session.next_command()}")
            result(session.run.best)


def evaluate(request: EvaluationRequest) -> None:
    """Measure a model on test characters, which it has not seen in any style.

    Example: calligan evaluate runs/0001 --report report.html

    The tables also have three baselines: copying the source glyph, the style's training glyph with
    the nearest source, and the real font. Recognition and the report need
    `pip install 'calligan[eval]'`.
    """
    from calligan.library.judging import evaluate_request
    from calligan.storage import written_together

    claim_stdout(request.json_path)
    with progress("evaluating", "") as update:
        done = evaluate_request(request, update, note)
    for table in done.tables():
        print_table(table.head, table.rows, right=[name for name in table.head if name])
        result("")
    note(*done.notes())
    with written_together():
        files = [*done.write(request), *write_summary(request.json_path, done.as_json())]
    result(*files)


def convert(request: ConversionRequest) -> None:
    """Write a model as ONNX: source glyph and style vector to ink.

    Example: calligan convert bundle -o calligan.onnx

    Style vectors and the model card are in the file's metadata (docs/onnx.md). What onnxruntime
    draws is compared with torch before it is written. Needs `pip install 'calligan[onnx]'`.
    """
    from calligan.project.models import network_path
    from calligan.storage import check_writable

    path = network_path(request.model)
    check_writable(request.output)
    from calligan.library.converting import convert as converted

    done = converted(path, request.output, weights=request.weights.value)
    result(done.path)
    note(*done.notes())
