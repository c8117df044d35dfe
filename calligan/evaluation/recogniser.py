"""An independent character recogniser: PP-OCRv6 from `rapidocr` (extra `calligan[eval]`).

It is not used in training or inference, so that it can evaluate both. Its text recognition network
is run directly, one glyph at a time, and chooses among the Han characters it knows.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from calligan.errors import Unmeasured
from calligan.glyphs.charset import is_han
from calligan.models.pixels import to_tensor

NAME = "PP-OCRv6-small (rapidocr)"
_MODEL = "models/PP-OCRv6_rec_small.onnx"
_SIZE_PX = 48  # the network's input height
_MARGIN_PX = 24  # of paper on either side, as in lines of text; accuracy is 2 % higher than without
_BATCH_SIZE = 16
_BLANK_CLASSES = 1  # the first class is CTC's blank


class Recogniser:
    """Recognises glyph images; raises Unmeasured where the extra is not installed.

    It chooses among those characters that it knows of which `wanted` is true.
    """

    def __init__(self, wanted: Callable[[str], bool] = is_han) -> None:
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            raise Unmeasured(f"no {error.name} here; pip install 'calligan[eval]'") from error
        model = onnx.load(str(_model_path()))
        (head,) = [n for n in model.graph.node if n.op_type == "MatMul"][-1:]
        features = head.input[0]
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(features))
        (listed,) = (p.value for p in model.metadata_props if p.key == "character")
        characters = listed.split("\n")
        self._wanted = [i for i, char in enumerate(characters) if len(char) == 1 and wanted(char)]
        self.chars = "".join(characters[i] for i in self._wanted)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._outputs = [model.graph.output[0].name, features]
        self._known: dict[bytes, tuple[str, np.ndarray]] = {}

    def read(self, images: np.ndarray) -> tuple[str, np.ndarray]:
        """The most probable Han character of each image, and its features (N, 120).

        `images` uint8 (N, H, W), 255 = paper. Results are cached by image.
        """
        keys = [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]
        new = [i for i, key in enumerate(keys) if key not in self._known]
        for start in range(0, len(new), _BATCH_SIZE):
            part = new[start : start + _BATCH_SIZE]
            for i, char, features in zip(part, *self._run(images[part]), strict=True):
                self._known[keys[i]] = (char, features)
        chars, features = zip(*(self._known[key] for key in keys), strict=True)
        return "".join(chars), np.stack(features)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The probability of each of `chars` for each image, (N, C); rows sum to 1."""
        parts = [
            self._scores(images[start : start + _BATCH_SIZE])[0]
            for start in range(0, len(images), _BATCH_SIZE)
        ]
        scores = np.concatenate(parts)
        shares: np.ndarray = scores / scores.sum(axis=1, keepdims=True)
        return shares

    def _run(self, images: np.ndarray) -> tuple[list[str], np.ndarray]:
        scores, features = self._scores(images)
        return [self.chars[i] for i in scores.argmax(axis=1)], features

    def _scores(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The best score of each character along the line (N, C), and mean features (N, 120)."""
        grey = to_tensor(images, _SIZE_PX).numpy()  # [-1, 1], 1 = paper, as the network expects
        line = np.pad(grey, ((0, 0), (0, 0), (0, 0), (_MARGIN_PX, _MARGIN_PX)), constant_values=1)
        inputs = {self._input: np.repeat(line, 3, axis=1)}
        probabilities, features = self._session.run(self._outputs, inputs)
        return probabilities.max(axis=1)[:, self._classes], features.mean(axis=1)

    @cached_property
    def _input(self) -> str:
        return str(self._session.get_inputs()[0].name)

    @cached_property
    def _classes(self) -> np.ndarray:
        return np.array(self._wanted) + _BLANK_CLASSES


def _model_path() -> Path:
    spec: Any = find_spec("rapidocr")
    if spec is None:
        raise Unmeasured("no rapidocr here; pip install 'calligan[eval]'")
    path = Path(spec.origin).parent / _MODEL
    if not path.is_file():
        raise Unmeasured(f"this rapidocr has no {Path(_MODEL).name}; install 3.10 or later")
    return path


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance between Gaussians fitted to two sets of features, each (N, D).

    As FID (Heusel et al. 2017), but with the recogniser's features, so not comparable with FID.
    """
    covariances = [np.cov(x, rowvar=False) for x in (a, b)]
    gap = a.mean(axis=0) - b.mean(axis=0)
    roots = np.linalg.eigvals(covariances[0] @ covariances[1])
    cross = np.sqrt(np.clip(roots.real, 0, None)).sum()
    return float(gap @ gap + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * cross)
