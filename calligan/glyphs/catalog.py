"""The catalog of open fonts (`fonts/catalog.toml`), and fonts by catalog name or path."""

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from calligan.errors import FontError
from calligan.glyphs.face import FontSpec
from calligan.glyphs.vetting import vet_font
from calligan.resources import cache_folder, data_folder


@dataclass(frozen=True)
class Package:
    """A source of a font: a file inside an npm, PyPI or Debian package."""

    client: str  # npm | pip | apt
    package: str
    member: str  # path inside the package
    sha256: str  # of the member
    version: str = ""
    face: int = 0
    licence_member: str = ""  # path inside the package, or
    licence_file: str = ""  # a file of fonts/licences


@dataclass(frozen=True)
class CatalogFont:
    """One font of the catalog. Coverage counts characters with ink, not cmap entries."""

    name: str
    chinese: str
    script: str
    role: str  # target | source
    licence: str
    author: str
    gb2312_ink: int
    total_ink: int
    packages: tuple[Package, ...]

    @property
    def path(self) -> Path:
        """Path of the fetched font in the cache."""
        return self.folder / f"{self.name}{Path(self.packages[0].member).suffix.lower()}"

    @property
    def folder(self) -> Path:
        """Its folder in the cache, which also holds the licence."""
        return cache_folder() / "fonts" / self.name

    @property
    def fetched(self) -> bool:
        """Whether the font is in the cache."""
        return self.path.is_file()

    def listed(self) -> dict[str, str]:
        """Its row in the table of `calligan fonts`."""
        return {
            "name": self.name,
            "own name": self.chinese,
            "script": self.script,
            "role": self.role,
            "licence": self.licence.removeprefix("LicenseRef-"),
            "by": ", ".join(dict.fromkeys(package.client for package in self.packages)),
            "fetched": "yes" if self.fetched else "",
            "GB2312": f"{self.gb2312_ink:,}",
        }


@dataclass(frozen=True)
class FontInfo:
    """A font to open, with its name, script and licence where they are known."""

    name: str
    spec: FontSpec
    chinese: str = ""
    script: str = ""
    licence: str = "unknown"


@lru_cache(maxsize=1)
def load_catalog() -> dict[str, CatalogFont]:
    """The catalog's fonts by name, in file order."""
    text = (data_folder("fonts") / "catalog.toml").read_text(encoding="utf-8")
    fonts = {}
    for entry in tomllib.loads(text)["font"]:
        packages = tuple(Package(**package) for package in entry.pop("from"))
        fonts[entry["name"]] = CatalogFont(packages=packages, **entry)
    return fonts


def catalog_font(name: str) -> CatalogFont:
    """The catalog font with this name. Raises FontError with the nearest name."""
    catalog = load_catalog()
    if name not in catalog:
        near = get_close_matches(name, catalog, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `calligan fonts`"
        raise FontError(f"no font named {name!r} in the catalog; {hint}")
    return catalog[name]


def resolve_font(text: str) -> FontInfo:
    """The font for a catalog name or a path such as `font.ttc#1@Bold`.

    A font that is not of the catalog is read in a child process first. Raises FontError for a name
    that is not in the catalog or has not been fetched, or a font that cannot be read.
    """
    font = load_catalog().get(text)
    if font is not None and not Path(text).is_file():
        if not font.fetched:
            raise FontError(f"{text} has not been fetched; run `calligan fonts fetch {text}`")
        face = str(font.packages[0].face)
        spec = FontSpec(font.path, face)
        return FontInfo(text, spec, font.chinese, font.script, font.licence)
    if re.fullmatch(r"[\w-]+", text) and not Path(text).exists():
        catalog_font(text)  # raises FontError with the nearest name
    spec = FontSpec.parse(text)
    if known := _find_by_path(spec):
        return known
    vet_font(spec)
    return FontInfo(_slug(spec), spec)


def _find_by_path(spec: FontSpec) -> FontInfo | None:
    """The catalog's entry for a fetched font that is given by its path in the cache."""
    for font in load_catalog().values():
        if spec.path == font.path:
            return FontInfo(font.name, spec, font.chinese, font.script, font.licence)
    return None


def _slug(spec: FontSpec) -> str:
    parts = [spec.path.stem, "" if spec.face == "0" else spec.face, spec.instance or ""]
    return re.sub(r"[^\w]+", "-", "-".join(filter(None, parts)).lower()).strip("-") or "font"
