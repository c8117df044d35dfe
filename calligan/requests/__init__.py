"""Requests: what a page, a font, an evaluation, a training run or a learned hand is made from.

Each is described once. The commands make their options and `--help` from the described fields; the
library takes the same values. The code that carries out a request checks it first, before torch is
imported (`check_page` in inference/pages.py, `check_font` in library/orders.py).
"""

from calligan.requests.drawing import (
    EXIT_DOUBTFUL,
    STDOUT,
    ChoiceRequest,
    DrawingRequest,
    Style,
    split_names,
)
from calligan.requests.fonts import (
    DOUBTED,
    FALLBACKS,
    CheckRequest,
    FetchRequest,
    FontRequest,
    PairsRequest,
)
from calligan.requests.hands import LearningRequest, PlanRequest, ScanRequest, TemplateRequest
from calligan.requests.models import (
    ConversionRequest,
    EvaluationRequest,
    RunRequest,
    TrainingRequest,
    Weights,
)
from calligan.requests.pages import Look, PageRequest, PictureRequest
from calligan.requests.sheets import (
    AnimationRequest,
    MorphRequest,
    RestyleRequest,
    SampleRequest,
    SpecimenRequest,
)
from calligan.requests.studio import StudioRequest

__all__ = [
    "DOUBTED",
    "EXIT_DOUBTFUL",
    "FALLBACKS",
    "STDOUT",
    "AnimationRequest",
    "CheckRequest",
    "ChoiceRequest",
    "ConversionRequest",
    "DrawingRequest",
    "EvaluationRequest",
    "FetchRequest",
    "FontRequest",
    "LearningRequest",
    "Look",
    "MorphRequest",
    "PageRequest",
    "PairsRequest",
    "PictureRequest",
    "PlanRequest",
    "RestyleRequest",
    "RunRequest",
    "SampleRequest",
    "ScanRequest",
    "SpecimenRequest",
    "StudioRequest",
    "Style",
    "TemplateRequest",
    "TrainingRequest",
    "Weights",
    "split_names",
]
