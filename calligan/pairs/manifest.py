"""The manifest of a data folder, as JSON; written last, so that it lists complete arrays only."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from calligan.config import RasterConfig, SplitConfig
from calligan.errors import ConfigError, DataError
from calligan.folder_update import complete_update
from calligan.glyphs.placement import Placement
from calligan.limits import MAX_MANIFEST_BYTES
from calligan.reading import read_json
from calligan.settings import from_dict
from calligan.storage import write_json

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
Role = Literal["source", "target"]


@dataclass(frozen=True)
class FontEntry:
    """One font in a data folder: its origin, placement and characters."""

    name: str
    role: str  # source | target
    path: str  # absolute, as a manifest stays on its machine
    face: str
    instance: str | None
    font_sha256: str
    family: str
    chinese: str  # from the catalog, or the family
    script: str  # 楷 行 草 …, or empty
    licence: str
    placement: Placement
    chars: str  # row i of the array shows chars[i]; may repeat a character
    left_out: dict[str, str] = field(default_factory=dict)  # reason to characters
    array_sha256: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def coverage(self) -> str:
        """How many of the characters it has, and why it lacks the others."""
        total = len(self.chars) + sum(map(len, self.left_out.values()))
        lacking = [f"{len(chars)} {reason}" for reason, chars in self.left_out.items() if chars]
        why = f" ({', '.join(lacking)})" if lacking else ""
        return f"{len(self.chars)} of {total} characters{why}"


@dataclass(frozen=True)
class Manifest:
    """A data folder's settings, characters, split and fonts."""

    raster: RasterConfig
    split: SplitConfig
    charset: str  # as the user gave it
    chars: str
    held_out: dict[str, str]  # validation, test
    fonts: tuple[FontEntry, ...] = ()

    def of_role(self, role: Role) -> tuple[FontEntry, ...]:
        """Fonts of one role; targets are numbered from 1 in this order."""
        return tuple(font for font in self.fonts if font.role == role)

    def named(self, name: str) -> FontEntry | None:
        """The font of that name, or None."""
        return next((font for font in self.fonts if font.name == name), None)

    def check_settings(
        self, folder: Path, chars: str, raster: RasterConfig, split: SplitConfig
    ) -> None:
        """Raise DataError where the folder was made with different settings."""
        for name, old, new in (
            ("charset", self.chars, chars),
            ("size and placement", self.raster, raster),
            ("split", self.split, split),
        ):
            if old != new:
                raise DataError(
                    f"{folder} was made with another {name}; "
                    "repeat the settings of the first call or give another --data folder"
                )

    def save(self, folder: Path) -> None:
        """Write `manifest.json` atomically."""
        values = {"format": FORMAT_VERSION, **asdict(self)}
        write_json(folder / MANIFEST, values)


def load_manifest(folder: Path) -> Manifest:
    """Read a data folder's manifest; raises DataError naming the folder and the cure."""
    path = folder / MANIFEST
    complete_update(folder)
    try:
        values = read_json(path, MAX_MANIFEST_BYTES)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT_VERSION:
            raise DataError(
                f"{path} is of another version of calligan; remove {folder} or use another"
            )
        manifest = from_dict(Manifest, values)
        _validate(manifest)
        return manifest
    except FileNotFoundError as error:
        raise DataError(
            f"{folder} holds no glyph pairs; run `calligan render-pairs` first"
        ) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check its permissions") from error
    except (ValueError, ConfigError) as error:
        raise DataError(f"{path} is damaged ({error}); remove {folder} or use another") from error


def _validate(manifest: Manifest) -> None:
    """Raise ValueError or ConfigError for invalid values."""
    manifest.raster.validate()
    manifest.split.validate()
    names = [font.name for font in manifest.fonts]
    if len(set(names)) < len(names):
        raise ValueError("two fonts have the same name")
    for font in manifest.fonts:
        if not font.name or font.name[0] == "." or set(font.name) & set("/\\:\0"):
            raise ValueError(f"a font is named {font.name!r}, which is not a valid file name")
        if font.placement.size_px != manifest.raster.size_px:
            raise ValueError(f"{font.name} lies on a canvas of another size")
        font.placement.validate()
