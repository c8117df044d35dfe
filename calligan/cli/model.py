"""How commands find the model that the user means."""

from pathlib import Path

RUNS = Path("runs")


def model_path(given: Path | None) -> Path:
    """A model file: as given, the best of a given run folder, or of the newest run."""
    from calligan.training.run import newest_run

    path = newest_run(RUNS) if given is None else given
    return path / "best.safetensors" if path.is_dir() else path
