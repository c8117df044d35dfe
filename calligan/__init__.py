"""calligan: Chinese calligraphy font synthesis. docs/library.md shows how it is used.

Importing it is quick: what is named below is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_WHERE = {
    "load": "library.model",
    "styles": "library.model",
    "Model": "library.model",
    "TypeCase": "library.typecase",
    "Proof": "library.typecase",
    "Candidate": "library.typecase",
    "Glyph": "library.model",
    "Layout": "library.model",
    "Pages": "library.pages",
    "export_font": "library.fonts",
    "complete_font": "library.fonts",
    "MadeFont": "library.orders",
    "scan_pages": "library.scanning",
    "Scanned": "library.scanning",
    "labels": "scan.folder",
    "relabel": "scan.folder",
    "Label": "scan.folder",
    "learn": "library.hands",
    "nearest_to": "library.matching",
    "plan_next": "library.planning",
    "train": "library.training",
    "resume": "library.training",
    "render_pairs": "library.pairs",
    "evaluate": "library.judging",
    "Evaluation": "library.judging",
    "coverage": "library.coverage",
    "Coverage": "library.coverage",
    "check": "library.checking",
    "convert": "library.converting",
    "Converted": "library.converting",
    "Examined": "library.checking",
    "morph": "library.films",
    "restyle": "library.restyling",
    "CalliganError": "errors",
    "Cancelled": "errors",
}
__all__ = [
    "CalliganError",
    "Cancelled",
    "Candidate",
    "Converted",
    "Coverage",
    "Evaluation",
    "Examined",
    "Glyph",
    "Label",
    "Layout",
    "MadeFont",
    "Model",
    "Pages",
    "Proof",
    "Scanned",
    "TypeCase",
    "__version__",
    "check",
    "complete_font",
    "convert",
    "coverage",
    "evaluate",
    "export_font",
    "labels",
    "learn",
    "load",
    "morph",
    "nearest_to",
    "plan_next",
    "relabel",
    "render_pairs",
    "restyle",
    "resume",
    "scan_pages",
    "styles",
    "train",
]

if TYPE_CHECKING:
    from calligan.errors import CalliganError, Cancelled
    from calligan.library.checking import Examined, check
    from calligan.library.converting import Converted, convert
    from calligan.library.coverage import Coverage, coverage
    from calligan.library.films import morph
    from calligan.library.fonts import complete_font, export_font
    from calligan.library.hands import learn
    from calligan.library.judging import Evaluation, evaluate
    from calligan.library.matching import nearest_to
    from calligan.library.model import Glyph, Layout, Model, load, styles
    from calligan.library.orders import MadeFont
    from calligan.library.pages import Pages
    from calligan.library.pairs import render_pairs
    from calligan.library.planning import plan_next
    from calligan.library.restyling import restyle
    from calligan.library.scanning import Scanned, scan_pages
    from calligan.library.training import resume, train
    from calligan.library.typecase import Candidate, Proof, TypeCase
    from calligan.scan.folder import Label, labels, relabel


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
