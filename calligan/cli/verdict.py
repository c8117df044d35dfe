"""Shared by the commands that draw: options of the verdict on each glyph, and its report."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calligan.cli.show import STDOUT, note, result

if TYPE_CHECKING:
    from calligan.inference.writer import Writer
    from calligan.library.model import Model

_MAX_LISTED = 40  # doubtful characters listed per style and reason


def model_note(
    path: Path, given: Path | None, given_source: str | None
) -> Callable[["Writer"], None]:
    """A callback for an opened model: prints what the user did not give, model or source font."""

    def report(writer: "Writer") -> None:
        sources, parts = writer.card.sources, []
        if given is None:
            steps = writer.card.provenance.get("step")
            parts.append(f"model: {path}" + (f" ({steps:,} steps)" if steps is not None else ""))
        if given_source is None:
            other = sources and sources[0].font_sha256 != writer.source.digest
            why = f" ({sources[0].name}, which the model prefers, is not here)" if other else ""
            parts.append(f"source font: {writer.source.file_name}{why}")
        if parts:
            note("; ".join(parts))

    return report


def check_verdict_options(verdict: bool, needed: bool, reports: Sequence[Path]) -> None:
    """Raise ConfigError or DataError for invalid options, before anything is drawn."""
    from calligan.errors import ConfigError
    from calligan.inference.report import check_report

    if needed and not verdict:
        raise ConfigError(
            "--report, --strict, --candidates and --pick need the verdict; drop --no-verdict"
        )
    for path in reports:
        check_report(path)


def check_candidates(count: int | None, output: Path) -> None:
    """Raise ConfigError if there is no file to put the sheet of candidates beside."""
    from calligan.errors import ConfigError

    if count and output == STDOUT:
        raise ConfigError("--candidates writes a sheet beside the picture; give a file as --output")


def reasons_of(model: "Model", styles: Sequence[int]) -> dict[str, dict[str, str]]:
    """Doubtful characters by style name and reason, for a summary."""
    findings = model.findings(styles)
    return findings.reasons() if findings else {}


def save_candidates(model: "Model", styles: Sequence[int], output: Path, count: int) -> Path:
    """Write the sheet of candidates beside the picture; its path."""
    findings = model.findings(styles)
    assert findings is not None  # by check_verdict_options
    sheet = output.with_name(f"{output.stem}-candidates.png")
    findings.save_candidates(sheet, count)
    return sheet


def report_findings(
    model: "Model", styles: Sequence[int], reports: Sequence[Path], candidates: bool = False
) -> bool:
    """Write the reports and list doubtful glyphs on stderr. Returns whether there are any.

    `candidates`: whether to suggest --candidates.
    """
    findings = model.findings(styles)
    if findings is None:
        if model.check:
            note("calligan was installed without its reader: the glyphs were not checked")
        return False
    for path in reports:
        findings.save(path)
        result(path)
    if overruled := findings.overruled():
        note(f"doubtful, but used because you picked them: {' '.join(overruled)}")
    doubtful = findings.reasons()
    for name, reasons in doubtful.items():
        note(f"doubtful in {name} ({sum(map(len, reasons.values()))}): {_list_reasons(reasons)}")
    if doubtful:
        see = [] if reports else ["see them with --report r.html"]
        choose = ["choose by eye from --candidates 7"] if candidates else []
        note(", or ".join([*see, *choose, "try another --source"]))
    return bool(doubtful)


def _list_reasons(reasons: dict[str, str]) -> str:
    """Characters by the reason why they are doubted."""
    every = sorted(reasons.items(), key=lambda item: -len(item[1]))
    return "; ".join(
        f"{reason}: {' '.join(chars[:_MAX_LISTED])}{' …' if len(chars) > _MAX_LISTED else ''}"
        for reason, chars in every
    )
