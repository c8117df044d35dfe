"""What the commands that draw share: a writer that looks at what it drew, and what it says."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from calligan.cli.show import note

if TYPE_CHECKING:
    from calligan.library.model import Model

_NAMED = 40  # doubtful characters named in the note, for each reason


def model_note(path: Path, given: Path | None) -> Callable[[], None]:
    """What names the model that is used, once it is opened, where the user named none."""
    return lambda: note(f"model: {path}") if given is None else None


def check_options(verdict: bool, needed: bool, reports: Sequence[Path]) -> None:
    """Refuse what makes no sense, before anything is drawn."""
    from calligan.errors import ConfigError
    from calligan.inference.report import check_report

    if needed and not verdict:
        raise ConfigError(
            "--report, --strict, --candidates and --pick need the verdict; drop --no-verdict"
        )
    for path in reports:
        check_report(path)


def save_candidates(model: "Model", styles: Sequence[int], output: Path, count: int) -> Path:
    """The sheet to choose from, beside the picture; its path."""
    findings = model.findings(styles)
    assert findings is not None  # check_options
    sheet = output.with_name(f"{output.stem}-candidates.png")
    findings.save_candidates(sheet, count)
    return sheet


def tell(
    model: "Model", styles: Sequence[int], reports: Sequence[Path], candidates: bool = False
) -> bool:
    """Write the reports, name what is doubtful on stderr; whether anything is.

    `candidates`: whether the command can draw some, and has not.
    """
    findings = model.findings(styles)
    if findings is None:
        if model.check:
            note("this calligan came without its reader: the glyphs were not looked at")
        return False
    for path in reports:
        findings.save(path)
        typer.echo(path)
    if overruled := findings.overruled():
        note(f"doubtful, and taken because you picked them: {' '.join(overruled)}")
    doubtful = findings.reasons()
    for name, reasons in doubtful.items():
        note(f"doubtful in {name} ({sum(map(len, reasons.values()))}): {_named(reasons)}")
    if doubtful:
        look = [] if reports else ["look at them with --report r.html"]
        choose = ["choose by eye from --candidates 7"] if candidates else []
        note(", or ".join([*look, *choose, "try another --source"]))
    return bool(doubtful)


def _named(reasons: dict[str, str]) -> str:
    """Characters by the reason why they are doubted."""
    every = sorted(reasons.items(), key=lambda item: -len(item[1]))
    return "; ".join(
        f"{reason}: {' '.join(chars[:_NAMED])}{' …' if len(chars) > _NAMED else ''}"
        for reason, chars in every
    )
