"""Where a plane lies: its pose from the homography that shows it."""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["applied", "plane_pose"]

LEANS = 0.35  # pixels of error by which one way to lean is hardly better than the other


def applied(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(n, 2) points through a homography."""
    moved = points @ homography[:, :2].T + homography[:, 2]
    depth = moved[:, 2:]
    return moved[:, :2] / np.where(np.abs(depth) < 1e-9, 1e-9, depth)


def plane_pose(
    homography: np.ndarray, aspect: float, width: float, camera: tuple[float, float, float, float], before: np.ndarray | None
) -> np.ndarray | None:  # fmt: skip
    """(4, 4) float32, the plane's space (metres, x right, y up, z out of its front) to the camera's; None = degenerate.

    homography: from lengths on the picture to frame pixels. width: of the picture in metres. before: the pose of the frame
    before: a plane seen nearly from the front can lean two ways (Collins and Bartoli, 2014), and keeps leaning as it did.
    """
    fx, fy, cx, cy = camera
    a = aspect / 2
    flat = np.array(((-0.5, -a), (0.5, -a), (0.5, a), (-0.5, a)))
    lens = np.array(((fx, 0.0, cx), (0.0, fy, cy), (0.0, 0.0, 1.0)))
    if not np.isfinite(homography).all() or width <= 0:
        return None
    columns = np.linalg.inv(lens) @ homography
    size = (np.linalg.norm(columns[:, 0]) + np.linalg.norm(columns[:, 1])) / 2
    if size < 1e-9:
        return None
    columns *= (1.0 if columns[2, 2] > 0 else -1.0) / size
    seen, points = applied(homography, flat), np.column_stack((flat, np.zeros(4)))
    turn, move = _upright(columns), columns[:, 2]
    way = move / max(float(np.linalg.norm(move)), 1e-9)
    front = turn[:, 2]
    # the other way that it can lean: its front mirrored about the line of sight
    mirrored = 2.0 * float(way @ front) * way - front
    over = cv2.Rodrigues(np.cross(front, mirrored) * _arc(front, mirrored))[0] @ turn
    made = [_polished(points, seen, lens, t, move) for t in (turn, over)]
    found = [(error, pose) for error, pose in made if pose is not None and pose[2, 3] < 0]
    if not found:
        return None
    best = min(found, key=lambda pair: pair[0])
    if before is not None and max(error for error, _ in found) < 2.0 * best[0] + LEANS:
        best = max(found, key=lambda pair: float(np.trace(pair[1][:3, :3] @ before[:3, :3].T)))
    pose = best[1]
    pose[:3, 3] *= width
    return pose


def _upright(columns: np.ndarray) -> np.ndarray:
    """The rotation nearest to two columns, right and down, and what is at right angles to both."""
    u, _, v = np.linalg.svd(columns[:, :2], full_matrices=False)
    both = u @ v
    return np.column_stack((both, np.cross(both[:, 0], both[:, 1])))


def _arc(a: np.ndarray, b: np.ndarray) -> float:
    """The factor that makes a × b an axis as long as the angle between them."""
    sine = float(np.linalg.norm(np.cross(a, b)))
    return float(np.arctan2(sine, a @ b)) / sine if sine > 1e-9 else 0.0


def _polished(
    points: np.ndarray, seen: np.ndarray, lens: np.ndarray, turn: np.ndarray, move: np.ndarray
) -> tuple[float, np.ndarray | None]:  # fmt: skip
    """A pose made better by least squares: mean error in pixels, and the pose in glTF's axes, unit width."""
    vector, place = cv2.solvePnPRefineLM(points, seen, lens, None, cv2.Rodrigues(turn)[0], move.reshape(3, 1).copy())
    if not (np.isfinite(vector).all() and np.isfinite(place).all()):
        return np.inf, None
    drawn = cv2.projectPoints(points, vector, place, lens, None)[0][:, 0]
    pose = np.eye(4, dtype=np.float32)
    # on the plane y was down and the third axis into it; OpenCV's camera looks along +z, y down
    axes = np.diag((1.0, -1.0, -1.0))
    pose[:3, :3], pose[:3, 3] = axes @ cv2.Rodrigues(vector)[0] @ axes, axes @ place[:, 0]
    return float(np.linalg.norm(drawn - seen, axis=1).mean()), pose
