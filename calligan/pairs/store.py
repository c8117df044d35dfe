"""A data folder: one memory-mapped array a font, so that memory doesn't grow with their number.

data/manifest.json        settings, characters, split, fonts (written last)
data/glyphs/NAME.npy      uint8 (N, H, W), 255 = paper
data/contact-sheet.png    something to look at
data/.lock                held while the manifest is replaced
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import freetype
import numpy as np

from calligan import __version__
from calligan.config import RasterConfig, SplitConfig
from calligan.errors import DataError
from calligan.glyphs.catalog import FontInfo
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement, measure_placement
from calligan.glyphs.raster import render_glyphs
from calligan.pairs.manifest import MANIFEST, FontEntry, Manifest, Role, load_manifest
from calligan.pairs.split import held_out
from calligan.storage import atomic_file, locked, sha256_bytes, sha256_file


@dataclass(frozen=True)
class Prepared:
    """A font that has been opened and placed, and its entry if it is in the folder already."""

    info: FontInfo
    role: Role
    face: Face
    placement: Placement
    known: FontEntry | None


@dataclass(frozen=True)
class Selection:
    """Some sources and styles of a data folder: what a run or an evaluation works on."""

    store: "PairStore"
    sources: tuple[FontEntry, ...]
    styles: tuple[FontEntry, ...]

    @property
    def data_hash(self) -> str:
        """What determines the pairs: split, placement, characters, and the fonts' arrays."""
        manifest = self.store.manifest
        fonts = [(f.name, f.role, f.array_sha256, f.chars) for f in (*self.sources, *self.styles)]
        told = [asdict(manifest.split), asdict(manifest.raster), manifest.chars, fonts]
        return sha256_bytes(json.dumps(told).encode())


@dataclass
class PairStore:
    """Glyph arrays on disk and the manifest that describes them."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "PairStore":
        """Open a data folder; raises DataError where it isn't one."""
        return cls(folder, load_manifest(folder))

    @classmethod
    def create_or_open(
        cls, folder: Path, charset: str, chars: str, raster: RasterConfig, split: SplitConfig
    ) -> "PairStore":
        """Open `folder`, or start it; raises DataError where it was made with other settings."""
        if not (folder / MANIFEST).exists():
            parts = {p: held_out(chars, p, split) for p in ("validation", "test")}
            return cls(folder, Manifest(raster, split, charset, chars, parts))
        store = cls.open(folder)
        store.manifest.check_settings(folder, chars, raster, split)
        return store

    def prepare(self, info: FontInfo, role: Role) -> "Prepared":
        """Open and place a font, writing nothing.

        Raises FontError for a font that cannot be used, DataError where its name is taken.
        """
        face = Face(info.spec)
        known = self._known(info, face, role)
        if known and not self._is_whole(known):
            known = None  # its array is damaged: render it again
        chars = self.training_chars()
        placement = measure_placement(face, chars, self.manifest.raster)
        return Prepared(info, role, face, placement, known)

    def training_chars(self) -> str:
        """The characters that are not held out; nothing else is measured or shown."""
        return held_out(self.manifest.chars, "train", self.manifest.split)

    def add(
        self,
        font: "Prepared",
        executor: Executor | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> FontEntry:
        """Rasterize a font into the folder; a font that is already there is left as it is."""
        if font.known:
            progress(len(self.manifest.chars))
            return font.known
        return self.enter([self.rendered(font, executor, progress)])[0]

    def rendered(
        self,
        font: "Prepared",
        executor: Executor | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> FontEntry:
        """Rasterize a font and write its array; nothing knows of it until it is entered."""
        manifest, info = self.manifest, font.info
        glyphs = render_glyphs(
            info.spec, manifest.chars, font.placement, manifest.raster.min_ink, executor, progress
        )
        entry = FontEntry(
            name=info.name,
            role=font.role,
            path=str(info.spec.path.resolve()),
            face=info.spec.face,
            instance=info.spec.instance,
            font_sha256=font.face.sha256,
            family=font.face.family,
            chinese=info.chinese or font.face.family,
            script=info.script,
            licence=info.licence,
            placement=font.placement,
            chars=glyphs.chars,
            left_out=glyphs.left_out,
        )
        return self._written(entry, glyphs.images)

    def keep(self, font: FontEntry, images: np.ndarray) -> FontEntry:
        """Write a font's glyphs, then its entry (completed), in place of any of that name."""
        return self.enter([self._written(font, images)])[0]

    def enter(self, entries: Sequence[FontEntry]) -> Sequence[FontEntry]:
        """Put fonts whose arrays are written into the manifest, in place of any of their names.

        Keeps what other processes have entered meanwhile. Raises DataError where one of them
        began the folder with other settings, or entered another font under one of the names.
        """
        with locked(self.folder / ".lock"):
            before = self._entered_meanwhile(entries)
            fonts = {font.name: font for font in (*before.fonts, *entries)}
            self.manifest = replace(before, fonts=tuple(fonts.values()))
            self.manifest.save(self.folder)
        return entries

    def _entered_meanwhile(self, entries: Sequence[FontEntry]) -> Manifest:
        """The manifest as it lies in the folder now, which this store may go on with."""
        if not (self.folder / MANIFEST).exists():
            return self.manifest
        mine, there = self.manifest, load_manifest(self.folder)
        there.check_settings(self.folder, mine.chars, mine.raster, mine.split)
        for entry in entries:
            other = there.named(entry.name)
            if other and other != mine.named(entry.name) and _origin(other) != _origin(entry):
                raise _name_taken(self.folder, other)
        return there

    def _written(self, font: FontEntry, images: np.ndarray) -> FontEntry:
        """Write a font's array; the entry, completed."""
        path = self._array_path(font.name)
        with atomic_file(path) as file:
            np.save(file, images)
        made_by = {"calligan": __version__, "freetype": ".".join(map(str, freetype.version()))}
        return replace(font, array_sha256=sha256_file(path), versions=made_by)

    def select(self, styles: Sequence[str], sources: Sequence[str] | None = None) -> "Selection":
        """The named styles, in that order, and sources (all if none are named).

        Raises DataError naming what the folder lacks.
        """
        targets = {font.name: font for font in self.manifest.of_role("target")}
        origins = {font.name: font for font in self.manifest.of_role("source")}
        for wanted, there in ((styles, targets), (sources or (), origins)):
            for name in wanted:
                if name not in there:
                    has = ", ".join(there) or "none"
                    raise DataError(f"{self.folder} holds no font {name!r}; it has: {has}")
        chosen = tuple(targets[name] for name in dict.fromkeys(styles))
        if not chosen or not origins:
            missing = "target" if origins else "source"
            raise DataError(f"{self.folder} holds no {missing} font; run `calligan render-pairs`")
        return Selection(self, tuple(origins[n] for n in sources or origins), chosen)

    def images(self, font: FontEntry) -> np.ndarray:
        """A font's glyphs, memory-mapped: uint8 (N, H, W), 255 = paper.

        Raises DataError where the array is missing or of another shape than the manifest says.
        """
        path = self._array_path(font.name)
        try:
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path} is missing or damaged; render the pairs again") from error
        size = self.manifest.raster.size_px
        if array.shape != (len(font.chars), size, size) or array.dtype != np.uint8:
            raise DataError(f"{path} is not what the manifest says; render the pairs again")
        return array

    def verify(self) -> None:
        """Raise DataError if an array's bytes are not those that were written."""
        for font in self.manifest.fonts:
            if not self._is_whole(font):
                path = self._array_path(font.name)
                raise DataError(f"{path} is missing or damaged; render the pairs again")

    def _is_whole(self, font: FontEntry) -> bool:
        path = self._array_path(font.name)
        return path.is_file() and sha256_file(path) == font.array_sha256

    def _array_path(self, name: str) -> Path:
        return self.folder / "glyphs" / f"{name}.npy"

    def _known(self, info: FontInfo, face: Face, role: Role) -> FontEntry | None:
        known = self.manifest.named(info.name)
        if known is None:
            return None
        if _origin(known) == (face.sha256, info.spec.face, info.spec.instance, role):
            return known
        raise _name_taken(self.folder, known)


def _origin(font: FontEntry) -> tuple[str, str, str | None, str]:
    return font.font_sha256, font.face, font.instance, font.role


def _name_taken(folder: Path, known: FontEntry) -> DataError:
    return DataError(
        f"{folder} already holds a {known.role} named {known.name} from {known.path}; "
        "rename the file or give another --data folder"
    )
