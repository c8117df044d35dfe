"""Render fonts to paired glyph images."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path

from calligan.config import RasterConfig, SplitConfig
from calligan.errors import DataError
from calligan.glyphs.catalog import FontInfo, resolve_font
from calligan.glyphs.charset import load_charset
from calligan.glyphs.face import Face
from calligan.pairs.contact_sheet import CONTACT_SHEET, write_contact_sheet
from calligan.pairs.manifest import MANIFEST, FontEntry
from calligan.pairs.store import PairStore, PreparedFont
from calligan.progress import Cancel, Note, Progress, count_progress, ignore, never_cancel
from calligan.storage import check_own, locked
from calligan.workers import worker_pool

OnFont = Callable[[FontEntry, bool], None]  # takes a font, and whether it was there already


def render_pairs(
    source: str,
    targets: Sequence[str],
    data: Path | str = "data",
    charset: str = "gb2312",
    *,
    size_px: int = 128,
    seed: int = 0,
    progress: Progress = ignore,
    cancel: Cancel = never_cancel,
    on_font: OnFont = ignore,
    note: Note = ignore,
) -> PairStore:
    """Rasterize a source and target fonts into a data folder, made or added to.

    Fonts are catalog names or FILE[#FACE][@INSTANCE]; each target becomes a style. Glyphs are
    `size_px` square. `seed` decides which characters are held out. It uses all cores, so a script
    that calls it needs `if __name__ == "__main__":`. Another process that renders into the same
    folder waits, after a note.
    """
    infos = [resolve_font(text) for text in dict.fromkeys((source, *targets))]
    _check_names(infos)
    for info in infos:
        Face(info.spec)  # report a missing font before an unsuitable charset
    raster = RasterConfig(size_px=size_px)
    raster.validate()
    chars, split = load_charset(charset), SplitConfig(seed=seed)
    folder = Path(data)
    waiting = f"{folder}: another process renders into this folder; waiting for it"
    with _render_lock(folder, lambda: note(waiting)):
        store = PairStore.create_or_open(folder, charset, chars, raster, split)
        fonts = [store.prepare(info, "target" if i else "source") for i, info in enumerate(infos)]
        add = count_progress("rendering", len(fonts) * len(chars), progress, cancel)
        _render(store, fonts, add, on_font)
        if not (folder / CONTACT_SHEET).exists():
            write_contact_sheet(store, folder)
    return store


@contextmanager
def _render_lock(folder: Path, on_wait: Callable[[], object]) -> Iterator[None]:
    """Let one process at a time render into a folder. A folder that stays empty is removed.

    Raises DataError where its files lead elsewhere.
    """
    check_own(folder)
    lock = folder / ".rendering"
    there = lock.exists()
    with locked(lock, on_wait=on_wait):
        try:
            yield
        except BaseException:
            if not there:
                lock.unlink(missing_ok=True)
            raise
        finally:
            if not (folder / MANIFEST).exists():
                lock.unlink(missing_ok=True)
                with suppress(OSError):
                    folder.rmdir()


def _render(
    store: PairStore, fonts: Sequence[PreparedFont], add: Callable[[int], None], on_font: OnFont
) -> None:
    """Rasterize on all cores. After each font, folder, manifest and contact sheet are complete."""
    with worker_pool() as executor:
        for font in fonts:
            try:
                entry = store.add(font, executor, add, write_contact_sheet)
            except BrokenProcessPool as error:
                raise DataError(
                    f"{font.info.spec} ended a rendering process (out of memory, or a font that "
                    "breaks FreeType); leave it out or free some memory"
                ) from error
            on_font(entry, font.known is not None)


def _check_names(infos: Sequence[FontInfo]) -> None:
    """Raise DataError for two fonts of one name, and for a source that is also a target."""
    names = [info.name for info in infos]
    if len(names) < 2:
        raise DataError(f"{names[0]} is both source and target; give another target")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise DataError(f"two fonts would both be named {twice}; rename one of the files")
