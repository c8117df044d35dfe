"""The Runs view: curves and sample sheets of training runs; start and resume."""

import re
from pathlib import Path
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from calligan.errors import CalliganError, DataError
from calligan.models.card import read_card
from calligan.page.sheet import GAP_PX, label_width_px
from calligan.project.models import HANDS, RUNS
from calligan.project.run import Run
from calligan.storage import parse_json
from calligan.studio.locations import checked_name
from calligan.studio.rendering import render_page
from calligan.studio.request_body import read_json_body, studio_of

DATA = Path("data")
_MAX_RUNS = 60
_MAX_MINUTES = 10_000
_POINTS = 300  # of a curve
_MAX_BYTES = 64 * 2**20
_MIN_TIMED_STEPS = 20  # of a learning whose speed is taken for that of the next
_LOSSES = ("reconstruction", "adversarial", "d", "validation_l1", "validation_passed")
_SHEET_ROWS, _MAX_SHEET_CELLS = 4, 12  # of before_after
_SHEET = re.compile(r"\d{7}\.png|before-after\.png")


def newest_run(parent: Path) -> Path | None:
    """The newest run folder under a folder."""
    found = sorted(path for path in parent.glob("[0-9][0-9][0-9][0-9]") if path.is_dir())
    return found[-1] if found else None


def run_state(folder: Path | None) -> dict[str, Any] | None:
    """A run's curves and sample sheets as JSON; None if the folder is not a run."""
    if folder is None:
        return None
    try:
        run = Run.open(folder)
    except CalliganError:
        return None
    rows = _rows(folder / "log.jsonl")
    sheets = sorted(path.name for path in (folder / "samples").glob("*.png"))
    last = rows[-1] if rows else {}
    return {
        "path": folder.as_posix(),
        "styles": [folder.parent.name] if folder.parent.parent == HANDS else run.styles,
        "finished": run.finished,
        "steps": run.config.steps,
        "minutes": run.config.minutes,
        "step": last.get("step", 0),
        "elapsed_s": max((row.get("elapsed_s", 0) for row in rows), default=0),
        "curves": _curves(rows),
        "sheets": sheets,
        "label_px": label_width_px(["source", *run.styles, "real"]),
        "before_after": _sheet_of_rows(folder / "before-after.png"),
        "began_from": _began_from(run),
    }


def learning_speed(hand: str) -> float:
    """Steps a minute of a hand's last learning, or of the newest one here; 0 if there was none."""
    mine, others = (sorted(HANDS.glob(f"{name}/[0-9]*/log.jsonl")) for name in (hand, "*"))
    newest = mine[-1:] or sorted(others, key=lambda path: path.stat().st_mtime)[-1:]
    for path in newest:
        rows = [row for row in _rows(path) if isinstance(row.get("elapsed_s"), int | float)]
        last = max(rows, key=lambda row: row["step"], default={"step": 0, "elapsed_s": 0})
        if last["step"] >= _MIN_TIMED_STEPS and last["elapsed_s"] > 0:
            return float(60 * last["step"] / last["elapsed_s"])
    return 0.0


def _began_from(run: Run) -> str:
    """The name of the hand that learning a new one started from; "" for other runs."""
    if run.start is None or not run.best.is_file():
        return ""
    try:
        names = read_card(run.best).provenance.get("began_from", {})
        start = next(iter(names.values()), "")
        chinese = {style.name: style.chinese for style in read_card(run.start).styles}
    except (CalliganError, AttributeError):
        return ""
    return chinese.get(start) or str(start)


def _sheet_of_rows(path: Path) -> dict[str, int] | None:
    """Where the cells of a before-and-after sheet are, in its pixels; None if there is none."""
    try:
        with Image.open(path, formats=("PNG",)) as picture:
            width, height = picture.size
    except (OSError, ValueError):
        return None
    pitch = (height - GAP_PX) // _SHEET_ROWS
    count = min(_MAX_SHEET_CELLS, (width - label_width_px(["source"])) // max(pitch, 1))
    left = width - count * pitch
    return {"width": width, "height": height, "left": left, "pitch": pitch, "count": count}


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a log; an incomplete last line is ignored."""
    if not path.is_file() or path.stat().st_size > _MAX_BYTES:
        return []
    rows = []
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            row = parse_json(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows.append(row)
    return rows


def _curves(rows: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for name in _LOSSES:
        points = [(r["step"], r[name]) for r in rows if isinstance(r.get(name), int | float)]
        every = -(-len(points) // _POINTS) or 1
        if points:
            found[name] = points[::every] + ([points[-1]] if len(points) % every != 1 else [])
    return found


async def view(request: Request) -> Response:
    """The page of all runs."""
    return render_page(request, "runs.html")


async def describe(request: Request) -> Response:
    """All runs, newest first, and whether there is training data."""
    found = [path for path in RUNS.glob("[0-9][0-9][0-9][0-9]")]
    found += [path for name in HANDS.glob("*") for path in name.glob("[0-9][0-9][0-9][0-9]")]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    runs = [state for path in found[:_MAX_RUNS] if (state := run_state(path))]
    return JSONResponse({"runs": runs, "data": (DATA / "manifest.json").is_file()})


async def begin(request: Request) -> Response:
    """Queue training a new run on the project's data."""
    body = await read_json_body(request)
    if not (DATA / "manifest.json").is_file():
        raise DataError("there is no data/ here; `calligan render-pairs` makes it of fonts")
    minutes = body.get("minutes", 30)
    if not isinstance(minutes, int | float) or not 1 <= minutes <= _MAX_MINUTES:
        raise DataError(f"minutes is out of range; give 1 to {_MAX_MINUTES:,}")
    return JSONResponse({"job": studio_of(request).jobs.add("train", "runs", {"minutes": minutes})})


async def resume(request: Request) -> Response:
    """Queue resuming an interrupted run."""
    run = str((await read_json_body(request)).get("run", ""))
    if not re.fullmatch(rf"{RUNS}/\d{{4}}", run) or run_state(Path(run)) is None:
        raise DataError("there is no such run")
    return JSONResponse({"job": studio_of(request).jobs.add("resume", run, {"run": run})})


async def sheet(request: Request) -> Response:
    """A sample sheet, or the before-and-after sheet."""
    kind, owner, number, file = (
        request.path_params[name] for name in ("kind", "owner", "number", "file")
    )
    parent = {"hands": HANDS / checked_name(owner), "runs": RUNS}.get(kind)
    if parent is None or not _SHEET.fullmatch(file) or not re.fullmatch(r"\d{4}", number):
        raise DataError("there is no such sheet")
    folder = parent / number
    path = folder / file if file.startswith("before") else folder / "samples" / file
    if not path.is_file():
        raise DataError("there is no such sheet")
    headers = {"Cache-Control": "private, max-age=600"} if file[0].isdigit() else {}
    return FileResponse(path, media_type="image/png", headers=headers)


ROUTES = [
    Route("/runs", view),
    Route("/api/runs", describe),
    Route("/api/runs/begin", begin, methods=["POST"]),
    Route("/api/runs/resume", resume, methods=["POST"]),
    Route("/sheet/{kind}/{owner}/{number}/{file}", sheet),
]
