"""Import of the optional OpenCV."""

from typing import Any

from calligan.errors import Unmeasured


def opencv() -> Any:
    """The module `cv2`. Raises Unmeasured if it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise Unmeasured("OpenCV is not installed; pip install 'calligan[scan]'") from error
    return cv2
