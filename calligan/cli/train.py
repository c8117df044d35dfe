"""`calligan train`: pairs to a model."""

import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from calligan.cli.model import model_path
from calligan.cli.show import bar, note

if TYPE_CHECKING:
    from calligan.config import TrainConfig
    from calligan.pairs.store import Selection
    from calligan.training.run import Run
    from calligan.training.state import TrainState


def train(
    data: Annotated[
        Path | None, typer.Option("--data", "-d", help="Data folder of `render-pairs`.")
    ] = None,
    styles: Annotated[
        str | None,
        typer.Option(help="How many styles (the first N), or names with commas; default all."),
    ] = None,
    sources: Annotated[
        str | None, typer.Option(help="Source fonts by name, with commas; default all.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Train this long (default 30).")] = None,
    steps: Annotated[int | None, typer.Option(help="Or this many steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Glyphs a step.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights and batches.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="A forebear's network and losses: zi2zi or pix2pix.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="One setting, such as loss.l1=2; repeatable.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Where run folders are made; default runs.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option("--from", help="Begin at this model's weights; adds new styles.")
    ] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this run folder.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the settings and stop.")] = False,
) -> None:
    """Train the generator with a style embedding against a PatchGAN discriminator.

    Example: calligan train --styles 5 --minutes 30

    Ctrl-C saves and stops; `--resume runs/0001` goes on exactly where it was.
    """
    from calligan.errors import ConfigError

    flags = {"batch_size": batch_size, "seed": seed, "device": device}
    if resume is not None:
        others = [data, styles, sources, minutes, steps, preset, config, settings, runs, start]
        others += flags.values()
        if dry_run or any(given is not None for given in others):
            raise ConfigError("--resume takes the run's own settings; drop the other options")
        raise typer.Exit(_train(*_resumed(resume)))
    settled = _settled(preset, config, settings or [], minutes, steps, flags)
    selection = _selected(data or Path("data"), styles, sources)
    first = model_path(start) if start else None
    if first:
        from calligan.training.transfer import fitted_to_start

        settled = fitted_to_start(settled, first, selection.store.manifest.held_out)
    if dry_run:
        typer.echo(json.dumps(asdict(settled), indent=1))
    else:
        raise typer.Exit(_train(*_started(runs or Path("runs"), settled, selection, first)))


def _selected(data: Path, wanted: str | None, sources: str | None) -> "Selection":
    """The styles to train: all, the first N, or some by name; and the sources: all, or some."""
    from calligan.errors import DataError
    from calligan.pairs.store import PairStore

    store = PairStore.open(data)
    names = [font.name for font in store.manifest.of_role("target")]
    origins = _names(sources) if sources else None
    if wanted is None:
        return store.select(names, origins)
    if not wanted.isdecimal():
        return store.select(_names(wanted), origins)
    if not 1 <= int(wanted) <= len(names):
        raise DataError(f"the data holds {len(names)} style(s), not {wanted}: {', '.join(names)}")
    return store.select(names[: int(wanted)], origins)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _started(
    runs: Path, config: "TrainConfig", selection: "Selection", start: Path | None
) -> "tuple[Run, Selection, TrainState]":
    """A new run; whatever may be refused is refused before its folder is made."""
    from calligan.training.run import Run
    from calligan.training.transfer import first_state

    selection.store.verify()
    _use_threads(config)
    state = first_state(config, tuple(font.name for font in selection.styles), start)
    run = Run.create(runs, config, selection, start)
    _describe(run, state)
    return run, selection, state


def _resumed(folder: Path) -> "tuple[Run, Selection, TrainState]":
    """A run at its newest whole checkpoint, or at its start if it was cut off before the first."""
    from calligan.training.device import pick_device
    from calligan.training.run import Run
    from calligan.training.schedule import progress_of
    from calligan.training.state import checkpoints, newest_verified
    from calligan.training.transfer import first_state

    run = Run.open(folder)
    selection = run.selection()
    selection.store.verify()
    pick_device(run.config.device)
    _use_threads(run.config)
    state = first_state(run.config, run.styles, run.start)
    if checkpoints(run.checkpoints):
        state.load(newest_verified(run.checkpoints))
    run.trim_log(state.counters.step)
    done = progress_of(run.config, state.counters.step, state.counters.elapsed_s) >= 1
    going = "finished already at" if done else "going on from"
    note(f"{folder}: {going} step {state.counters.step:,}")
    _describe(run, state)
    return run, selection, state


def _train(run: "Run", selection: "Selection", state: "TrainState") -> int:
    """Run the loop under a bar; the exit code is 0, or 128 + the signal that stopped it."""
    from calligan.errors import ConfigError
    from calligan.training.loop import Listener
    from calligan.training.loop import train as loop

    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        note("saving and stopping; once more to stop without saving")
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _Progress(run.config, state) as progress:
            listener = Listener(progress.step, progress.evaluation, lambda: bool(received))
            finished = loop(run, selection, state, listener)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        raise ConfigError(
            f"out of memory with batch_size {run.config.batch_size}; give a smaller --batch-size"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not finished:
        note(
            f"stopped at step {state.counters.step:,}; go on: calligan train --resume {run.folder}"
        )
        return 128 + received[0]
    metrics = state.counters.metrics
    if metrics["validation_l1"] >= metrics["copy_source_l1"]:
        note("the model is not yet better than a copy of the source: train longer")
    note(f"next: calligan infer 书法 --model {run.folder} --style 1 -o out.png")
    typer.echo(run.best)
    return 0


class _Progress:
    """The bar: images a second, losses, held-out L1, time left."""

    def __init__(self, config: "TrainConfig", state: "TrainState"):
        self.config = config
        by_steps = config.steps is not None
        total = config.steps if by_steps else round(60 * (config.minutes or 0))
        done = state.counters.step if by_steps else round(state.counters.elapsed_s)
        shown = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
        self.bar = bar(total or 1, "training", "", initial=done, bar_format=shown)
        self.by_steps, self.images, self.since = by_steps, state.counters.images, time.monotonic()
        self.held_out = ""

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.close()

    def step(self, row: dict[str, Any]) -> None:
        """Move the bar and show the losses."""
        now = time.monotonic()
        rate = (row["images"] - self.images) / (now - self.since)
        self.images, self.since = row["images"], now
        losses = " ".join(
            f"{k} {row[k]:.3f}" for k in ("reconstruction", "adversarial", "d") if k in row
        )
        told = f"step {row['step']:,}, {rate:.0f} img/s, {losses}{self.held_out}"
        self.bar.set_postfix_str(told, refresh=False)
        self._to(row["step"] if self.by_steps else row["elapsed_s"])

    def evaluation(self, row: dict[str, Any]) -> None:
        """A line that stays: L1 on validation characters."""
        self.held_out = f", held-out L1 {row['validation_l1']:.4f}"
        size_px = self.config.stages[row["stage"]].size_px
        self.bar.write(
            f"step {row['step']:,} at {size_px} px{self.held_out} "
            f"(copying the source {row['copy_source_l1']:.4f})",
            file=sys.stderr,
        )

    def _to(self, position: float) -> None:
        self.bar.update(min(position, self.bar.total) - self.bar.n)


def _settled(
    preset: str | None,
    path: Path | None,
    settings: list[str],
    minutes: float | None,
    steps: int | None,
    flags: dict[str, Any],
) -> "TrainConfig":
    """Flags over --set over the TOML file over the preset over defaults, with no `auto` left."""
    from calligan.config import (
        TrainConfig,
        from_dict,
        load_preset,
        load_toml,
        merged,
        parse_setting,
        replaced,
    )
    from calligan.errors import ConfigError
    from calligan.training.device import resolved

    if minutes is not None and steps is not None:
        raise ConfigError("give --minutes or --steps, not both")
    values: dict[str, Any] = dict(parse_setting(text) for text in settings)
    values |= {name: value for name, value in flags.items() if value is not None}
    if minutes is not None or steps is not None:
        values |= {"minutes": minutes, "steps": steps}
    base = load_preset(preset) if preset else {}
    if path:
        base = merged(base, load_toml(path))
    for given in (base, values):
        if given.get("steps") is not None:
            given.setdefault("minutes", None)
    config = replaced(from_dict(TrainConfig, base), values)
    config.validate()
    return resolved(config)


def _use_threads(config: "TrainConfig") -> None:
    import torch

    if config.threads:
        torch.set_num_threads(config.threads)


def _describe(run: "Run", state: "TrainState") -> None:
    from calligan.models.layers import count_parameters

    config = run.config
    length = f"{config.steps:,} steps" if config.steps is not None else f"{config.minutes:g} min"
    note(
        f"{run.folder}: {len(run.styles)} style(s), {length}, "
        f"{count_parameters(state.generator) / 1e6:.1f} M parameters, "
        f"{config.device} {config.precision}, batch {config.batch_size}"
    )
