"""A data folder with one memory-mapped array per font, so that memory use does not grow with them.

data/manifest.json        settings, characters, split, fonts (written last)
data/glyphs/NAME.npy      uint8 (N, H, W), 255 = paper
data/contact-sheet.png    sample glyphs of every font
data/.lock                locked while the manifest is replaced
"""

import contextlib
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
from calligan.folder_update import complete_update, folder_update, is_committed
from calligan.glyphs.catalog import FontInfo
from calligan.glyphs.face import Face
from calligan.glyphs.placement import Placement, measure_placement
from calligan.glyphs.raster import render_glyphs
from calligan.limits import MAX_ARRAY_HEADER_BYTES
from calligan.pairs.manifest import MANIFEST, FontEntry, Manifest, Role, load_manifest
from calligan.pairs.split import held_out
from calligan.progress import ignore
from calligan.reading import check_file
from calligan.storage import atomic_file, sha256_bytes, sha256_file

Beside = Callable[["PairStore", Path], object]  # writes files that belong to a new manifest


@dataclass(frozen=True)
class PreparedFont:
    """A font that has been opened and measured, and its entry if it is already in the folder."""

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
        """A digest of what determines the pairs: split, placement, characters, arrays."""
        manifest = self.store.manifest
        fonts = [(f.name, f.role, f.array_sha256, f.chars) for f in (*self.sources, *self.styles)]
        key_data = [asdict(manifest.split), asdict(manifest.raster), manifest.chars, fonts]
        return sha256_bytes(json.dumps(key_data).encode())


@dataclass
class PairStore:
    """Glyph arrays on disk and the manifest that describes them."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "PairStore":
        """Open a data folder; raises DataError where it is not one."""
        return cls(folder, load_manifest(folder))

    @classmethod
    def create_or_open(
        cls, folder: Path, charset: str, chars: str, raster: RasterConfig, split: SplitConfig
    ) -> "PairStore":
        """Open or create `folder`; raises DataError where it was made with different settings."""
        complete_update(folder)
        if not (folder / MANIFEST).exists():
            parts = {p: held_out(chars, p, split) for p in ("validation", "test")}
            return cls(folder, Manifest(raster, split, charset, chars, parts))
        store = cls.open(folder)
        store.manifest.check_settings(folder, chars, raster, split)
        return store

    def prepare(self, info: FontInfo, role: Role) -> "PreparedFont":
        """Open and measure a font, without writing anything.

        Raises FontError for a font that cannot be used, DataError where its name is taken.
        """
        face = Face(info.spec)
        known = self._known(info, face, role)
        if known and not self._is_whole(known):
            known = None  # its array is damaged: rasterize it again
        chars = self.training_chars()
        placement = measure_placement(face, chars, self.manifest.raster)
        return PreparedFont(info, role, face, placement, known)

    def training_chars(self) -> str:
        """The characters that are not held out; only these are measured and shown."""
        return held_out(self.manifest.chars, "train", self.manifest.split)

    def add(
        self,
        font: "PreparedFont",
        executor: Executor | None = None,
        progress: Callable[[int], None] = lambda count: None,
        beside: "Beside" = ignore,
    ) -> FontEntry:
        """Rasterize a font into the folder, unless it is already there; see `register`."""
        if font.known:
            progress(len(self.manifest.chars))
            return font.known
        return self._registered(self.render(font, executor, progress), beside)

    def render(
        self,
        font: "PreparedFont",
        executor: Executor | None = None,
        progress: Callable[[int], None] = lambda count: None,
    ) -> FontEntry:
        """Rasterize a font and write its array; `register` adds it to the manifest."""
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
        return self._write_array(entry, glyphs.images)

    def add_images(self, font: FontEntry, images: np.ndarray) -> FontEntry:
        """Write a font's glyphs, then its completed entry, replacing any font of that name."""
        return self._registered(self._write_array(font, images))

    def register(
        self, entries: Sequence[FontEntry], beside: "Beside" = ignore
    ) -> Sequence[FontEntry]:
        """Add fonts whose arrays are written to the manifest, replacing fonts of the same names.

        Keeps fonts that other processes have added meanwhile. `beside` writes files that change
        together with the manifest into the folder it is given. Raises DataError where another
        process created the folder with different settings, or added another font under one of the
        names.
        """
        before = self.manifest
        try:
            with folder_update(self.folder) as new:
                on_disk = self._manifest_on_disk(entries)
                fonts = {font.name: font for font in (*on_disk.fonts, *entries)}
                self.manifest = replace(on_disk, fonts=tuple(fonts.values()))
                self.manifest.save(new)
                beside(self, new)
        except BaseException:
            self.manifest = before
            raise
        return entries

    def _registered(self, entry: FontEntry, beside: "Beside" = ignore) -> FontEntry:
        """Add a font; without success its array is removed, unless the folder has the font."""
        try:
            return self.register([entry], beside)[0]
        except BaseException:
            if not self._is_listed(entry.name):
                self._array_path(entry.name).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # remove folders that are empty now
                    self._array_path(entry.name).parent.rmdir()
                    self.folder.rmdir()
            raise

    def _is_listed(self, name: str) -> bool:
        """Whether the manifest on disk, or one that is about to replace it, lists a font."""
        if is_committed(self.folder):
            return True
        there = (self.folder / MANIFEST).exists()
        return there and load_manifest(self.folder).named(name) is not None

    def _manifest_on_disk(self, entries: Sequence[FontEntry]) -> Manifest:
        """The manifest that is in the folder now, checked for conflicts with this store."""
        if not (self.folder / MANIFEST).exists():
            return self.manifest
        mine, on_disk = self.manifest, load_manifest(self.folder)
        on_disk.check_settings(self.folder, mine.chars, mine.raster, mine.split)
        for entry in entries:
            other = on_disk.named(entry.name)
            if (
                other
                and other != mine.named(entry.name)
                and _font_identity(other) != _font_identity(entry)
            ):
                raise _name_taken(self.folder, other)
        return on_disk

    def _write_array(self, font: FontEntry, images: np.ndarray) -> FontEntry:
        """Write a font's array; returns its completed entry."""
        path = self._array_path(font.name)
        if path.exists() and not path.is_file() and not path.is_dir():
            path.unlink()  # a pipe or a device, which would be written
        with atomic_file(path) as file:
            np.save(file, images)
        made_by = {"calligan": __version__, "freetype": ".".join(map(str, freetype.version()))}
        return replace(font, array_sha256=sha256_file(path), versions=made_by)

    def select(self, styles: Sequence[str], sources: Sequence[str] | None = None) -> "Selection":
        """The named styles, in that order, and sources (default: all).

        Raises DataError naming fonts that the folder lacks.
        """
        targets = {font.name: font for font in self.manifest.of_role("target")}
        origins = {font.name: font for font in self.manifest.of_role("source")}
        for wanted, available in ((styles, targets), (sources or (), origins)):
            for name in wanted:
                if name not in available:
                    has = ", ".join(available) or "none"
                    raise DataError(f"{self.folder} holds no font {name!r}; it has: {has}")
        chosen = tuple(targets[name] for name in dict.fromkeys(styles))
        if not chosen or not origins:
            missing = "target" if origins else "source"
            raise DataError(f"{self.folder} holds no {missing} font; run `calligan render-pairs`")
        return Selection(self, tuple(origins[n] for n in sources or origins), chosen)

    def images(self, font: FontEntry) -> np.ndarray:
        """A font's glyphs, memory-mapped: uint8 (N, H, W), 255 = paper.

        Raises DataError where the array is missing or does not match the manifest.
        """
        path = self._array_path(font.name)
        try:
            self._check_array(font)  # NumPy reads a header of any size
            array: np.ndarray = np.lib.format.open_memmap(path, mode="r")
        except Exception as error:  # NumPy raises many kinds on damaged headers
            raise DataError(f"{path} is missing or damaged; render the pairs again") from error
        size = self.manifest.raster.size_px
        if array.shape != (len(font.chars), size, size) or array.dtype != np.uint8:
            raise DataError(f"{path} does not match the manifest; render the pairs again")
        return array

    def verify(self) -> None:
        """Raise DataError where an array's checksum does not match the manifest."""
        for font in self.manifest.fonts:
            if not self._is_whole(font):
                path = self._array_path(font.name)
                raise DataError(f"{path} is missing or damaged; render the pairs again")

    def _is_whole(self, font: FontEntry) -> bool:
        try:
            self._check_array(font)
        except (OSError, ValueError):
            return False
        return sha256_file(self._array_path(font.name)) == font.array_sha256

    def _check_array(self, font: FontEntry) -> None:
        """Raise OSError or ValueError where a font's array is no file, or is too large for it."""
        size = len(font.chars) * self.manifest.raster.size_px**2
        check_file(self._array_path(font.name), size + MAX_ARRAY_HEADER_BYTES)

    def _array_path(self, name: str) -> Path:
        return self.folder / "glyphs" / f"{name}.npy"

    def _known(self, info: FontInfo, face: Face, role: Role) -> FontEntry | None:
        known = self.manifest.named(info.name)
        if known is None:
            return None
        if _font_identity(known) == (face.sha256, info.spec.face, info.spec.instance, role):
            return known
        raise _name_taken(self.folder, known)


def _font_identity(font: FontEntry) -> tuple[str, str, str | None, str]:
    return font.font_sha256, font.face, font.instance, font.role


def _name_taken(folder: Path, known: FontEntry) -> DataError:
    return DataError(
        f"{folder} already holds a {known.role} named {known.name} from {known.path}; "
        "rename the file or give another --data folder"
    )
