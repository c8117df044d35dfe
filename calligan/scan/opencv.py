"""OpenCV, or a word on how to get it."""

from typing import Any

from calligan.errors import Unmeasured


def opencv() -> Any:
    """The module `cv2`; raises a line for people where it is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise Unmeasured("no OpenCV here; pip install 'calligan[scan]'") from error
    return cv2
