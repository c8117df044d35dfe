"""Contents of a font's name table: names in English and Chinese, origin and licence."""

import re
from dataclasses import dataclass

_OFL_URL = "https://openfontlicense.org"
_ZH_CN = 0x804  # Windows language ID: Chinese (PRC)


@dataclass(frozen=True)
class Naming:
    """Names and origin of a single-face font."""

    family: str  # ASCII
    family_chinese: str
    origin: str  # which model drew it, from which font
    licence: str  # of the fonts it was made from
    version: str
    copyright: str = ""  # of glyphs that were copied from other fonts

    @property
    def postscript(self) -> str:
        """PostScript name: ASCII letters and digits, at most 63 characters."""
        return re.sub(r"[^A-Za-z0-9]", "", self.family)[:55] + "-Regular"

    @property
    def full(self) -> str:
        """Family and style name."""
        return f"{self.family} Regular"

    @property
    def revision(self) -> float:
        """The version as a number."""
        major, minor = [*re.findall(r"\d+", self.version), "0", "0"][:2]
        return float(f"{major}.{minor}")

    def english(self) -> dict[str, str]:
        """English entries, by fontTools' names of the name IDs."""
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
        """Chinese entries, by Windows language ID and name ID."""
        full = f"{self.family_chinese} 常规"
        return {_ZH_CN: {1: self.family_chinese, 2: "Regular", 4: full}}
