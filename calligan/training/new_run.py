"""Creating a run, and the cards of its models."""

import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from calligan import __version__
from calligan.config import TrainConfig
from calligan.errors import ConfigError
from calligan.glyphs.catalog import load_catalog
from calligan.glyphs.known_fonts import remember_font
from calligan.models.card import FontCard, ModelCard
from calligan.models.weights import critic_beside, critic_path, read_card
from calligan.pairs.batches import Pairs, classes_of
from calligan.pairs.handwriting import OWN_LICENCE
from calligan.pairs.manifest import FontEntry
from calligan.pairs.store import Selection
from calligan.project.models import spaces_before
from calligan.project.paths import public_path
from calligan.project.run import Run, new_run_folder
from calligan.reader.calibration import least_scores
from calligan.settings import save
from calligan.storage import write_bytes, write_json


def create_run(
    parent: Path, config: TrainConfig, selection: Selection, start: Path | None = None
) -> Run:
    """Create a numbered folder under `parent` and store everything that determines the run.

    Raises ConfigError or DataError, before writing, where the data does not fit the config; and
    DataError, leaving no folder, where the disk is full.
    """
    _check_fit(config, selection)
    least, reader = least_scores(selection)
    spaces = tuple(sorted(spaces_before(start))) if start is not None else ()
    data = selection.store.folder.resolve()
    sources, styles = (
        tuple(font.name for font in fonts) for fonts in (selection.sources, selection.styles)
    )
    with new_run_folder(parent) as (staged, folder):
        about = (sources, styles, least, reader, spaces)
        run = Run(staged, config, data, selection.data_hash, *about)
        save(config, staged / "config.json")
        if start is not None:
            write_bytes(staged / "start.safetensors", start.read_bytes())
            if critic := critic_beside(start):
                write_bytes(critic_path(staged / "start.safetensors"), critic.read_bytes())
        write_json(staged / "split.json", selection.store.manifest.held_out)
        run.write_about(versions())
    for font in selection.sources:
        remember_font(Path(font.path), font.font_sha256)
    return replace(run, folder=folder)


def versions() -> dict[str, str]:
    """Versions of calligan, torch and Python."""
    return {
        "calligan": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def model_card(
    run: Run,
    selection: Selection,
    size_px: int,
    metrics: dict[str, Any],
    provenance: dict[str, Any],
    began_at: Mapping[str, str],
) -> ModelCard:
    """The card of a model of this run; `began_at` maps new styles to those they started from."""
    manifest = selection.store.manifest
    trained = classes_of(selection)
    about = {"data_hash": run.data_hash, "seed": run.config.seed, "versions": versions()}
    about["reader"] = run.reader
    drawn: dict[str, dict[str, Any]] = {}
    if run.start is not None:
        before = read_card(run.start)
        drawn = {font.name: _outlines_of(font) for font in before.styles}
        # The pen and the edges of a new hand are its own, not those of the style it starts from.
        drawn |= {
            name: {"tolerance_em": drawn[first]["tolerance_em"]} for name, first in began_at.items()
        }
        trained = "".join(dict.fromkeys(before.trained_chars + trained))
        about["began_at"] = before.provenance
        about["began_from"] = dict(began_at)
        about["spaces"] = list(run.spaces)
    return ModelCard(
        generator=run.config.generator,
        size_px=size_px,
        styles=tuple(
            replace(
                _font_card(font),
                least_score=run.least_scores.get(font.name),
                **drawn.get(font.name, {}),
            )
            for font in selection.styles
        ),
        sources=tuple(map(_font_card, selection.sources)),
        trained_chars=trained,
        held_out=manifest.held_out,
        metrics=metrics,
        provenance={**about, **provenance},
    )


def _check_fit(config: TrainConfig, selection: Selection) -> None:
    """Raise where the data is too small for the stages or leaves a part of the split empty."""
    size_px = selection.store.manifest.raster.size_px
    largest = max(stage.size_px for stage in config.stages)
    if largest > size_px:
        raise ConfigError(
            f"the data is {size_px} px and a stage needs {largest} px; "
            "render larger pairs or set smaller stages"
        )
    for part in ("train", "validation"):
        Pairs(selection, part)


def _outlines_of(style: FontCard) -> dict[str, Any]:
    """What a card says of a hand's outlines, whatever network draws it."""
    return {"tolerance_em": style.tolerance_em, "pen": style.pen, "edges": style.edges}


def _font_card(font: FontEntry) -> FontCard:
    shared = ("name", "chinese", "script", "licence", "family", "font_sha256", "path", "face")
    values = {key: getattr(font, key) for key in shared}
    if font.name in load_catalog() and font.licence != OWN_LICENCE:
        values["path"] = ""  # the catalog locates it on any machine
    else:
        values["path"] = public_path(Path(font.path))
    return FontCard(**values, instance=font.instance, placement=font.placement.to_dict())
