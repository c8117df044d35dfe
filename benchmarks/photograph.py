"""Simulated photographs of paper: perspective, shadow, warm light, blur, noise, JPEG."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Camera:
    """The quality of the photograph."""

    tilt: float = 0.05  # random shift of the corners, as a share of the page
    shadow: float = 0.4  # loss of brightness at the darkest place
    blur_px: float = 1.3
    noise: float = 5.0  # standard deviation, of 255
    jpeg: int = 70
    turned: int = 0  # quarter turns
    width_px: int = 2600
    desk: tuple[int, int, int] = (96, 80, 66)


def photograph(page: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
    """Photograph a page, uint8 (H, W, 3), on a desk: uint8 (H, W, 3)."""
    height, width = page.shape[:2]
    width_out, height_out = camera.width_px, round(camera.width_px * 1.32)
    margin = 0.06
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    corners = margin + corners * (1 - 2 * margin) + rng.uniform(-1, 1, (4, 2)) * camera.tilt
    goal = (np.clip(corners, 0.01, 0.99) * (width_out, height_out)).astype(np.float32)
    start = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(start, goal)
    seen = cv2.warpPerspective(
        page, matrix, (width_out, height_out), flags=cv2.INTER_AREA, borderValue=camera.desk
    ).astype(np.float32)
    seen *= _light(height_out, width_out, camera.shadow, rng)[..., None] * np.array([1, 0.96, 0.86])
    seen = cv2.GaussianBlur(seen, (0, 0), camera.blur_px)
    seen += rng.normal(0, camera.noise, seen.shape[:2])[..., None]
    seen = np.rot90(np.clip(seen, 0, 255).astype(np.uint8), camera.turned)
    _, data = cv2.imencode(".jpg", seen[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()


def _light(height_out: int, width_out: int, shadow: float, rng: np.random.Generator) -> np.ndarray:
    """A linear gradient of light, and the soft shadow of a hand."""
    y, x = np.mgrid[0:height_out, 0:width_out] / max(height_out, width_out)
    direction = rng.uniform(0, 2 * np.pi)
    slope = np.cos(direction) * x + np.sin(direction) * y
    slope = (slope - slope.min()) / max(np.ptp(slope), 1e-9)
    spot = np.exp(-((x - rng.uniform(0, 0.8)) ** 2 + (y - rng.uniform(0, 1)) ** 2) / 0.04)
    return (1 - shadow * slope) * (1 - 0.6 * shadow * spot)
