"""What a font says of itself: its names in English and Chinese, its origin and its licence."""

import re
from dataclasses import dataclass

_OFL_URL = "https://openfontlicense.org"
_SIMPLIFIED = 0x804  # Windows' language number of Chinese as written in the PRC


@dataclass(frozen=True)
class Naming:
    """Names of a font with one face."""

    family: str  # in ASCII
    family_chinese: str
    origin: str  # who and what drew it
    licence: str  # of what it was made from
    version: str
    copyright: str = ""  # of what was taken from other fonts as it is

    @property
    def postscript(self) -> str:
        """The name that PostScript and PDF use: printable ASCII without marks, 63 at most."""
        return re.sub(r"[^A-Za-z0-9]", "", self.family)[:55] + "-Regular"

    @property
    def full(self) -> str:
        """Family and style."""
        return f"{self.family} Regular"

    @property
    def revision(self) -> float:
        """The version as a number."""
        major, minor = [*re.findall(r"\d+", self.version), "0", "0"][:2]
        return float(f"{major}.{minor}")

    def english(self) -> dict[str, str]:
        """By fontTools' names for the name table's numbers."""
        return {
            "familyName": self.family,
            "styleName": "Regular",
            "uniqueFontIdentifier": f"{self.version};{self.postscript}",
            "fullName": self.full,
            "version": f"Version {self.revision:.3f}",
            "psName": self.postscript,
            "description": self.origin,
            "licenseDescription": self.licence,
            **({"copyright": self.copyright} if self.copyright else {}),
            **({"licenseInfoURL": _OFL_URL} if "OFL" in self.licence else {}),
        }

    def chinese(self) -> dict[int, dict[int, str]]:
        """By Windows' language and the name table's number."""
        full = f"{self.family_chinese} 常规"
        return {_SIMPLIFIED: {1: self.family_chinese, 2: "Regular", 4: full}}
