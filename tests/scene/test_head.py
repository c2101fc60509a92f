"""A head that hides: the skull's shape, and a face between camera and scene."""

from __future__ import annotations

import numpy as np

from spellwire.runtime.perception.head_pose import project_points
from spellwire.runtime.scene.head import FaceHider, skull

from .conftest import CAMERA, SIZE, at, square


def test_the_skull_is_closed_and_looks_outwards():
    points, triangles = skull()
    a, b, c = (points[triangles[:, k]].astype(float) for k in range(3))
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    assert 0.0022 < volume < 0.0032, "cubic metres"
    assert len({tuple(sorted(t)) for t in triangles.tolist()}) == len(triangles)


def test_a_face_hides_at_its_own_distance(drawer):
    """A dome of 468 points, half a metre away, hides a wall behind it and not a stick before it."""
    u, v = np.meshgrid(np.linspace(-1, 1, 18), np.linspace(-1, 1, 26))
    head = np.stack([0.07 * u, -0.09 * v, 0.05 * (1 - 0.5 * u * u - 0.5 * v * v)], -1).reshape(-1, 3).astype(np.float32)
    cells = np.arange(17 * 25)
    a = cells // 17 * 18 + cells % 17
    triangles = np.concatenate([np.stack((a, a + 18, a + 19), -1), np.stack((a, a + 19, a + 1), -1)]).astype(np.int32)
    pose = np.eye(4, dtype=np.float32)
    pose[2, 3] = -0.5
    seen = np.zeros((468, 3), np.float32)
    seen[:, :2] = project_points(head, pose, CAMERA)
    hiders = FaceHider(head, triangles)(seen, pose, CAMERA, 1.0, 1.0)
    assert all(i.hides and np.isfinite(i.mesh.positions).all() for i in hiders)
    np.testing.assert_allclose(hiders[0].mesh.positions, head + (0, 0, -0.5), atol=1e-5)
    wall, stick = at(square(0.6), z=-0.6), at(square(0.02), z=-0.4)
    colour = drawer.draw((wall, *hiders), CAMERA, SIZE)[1]
    x, y = int(48 - colour.geometry.to_frame[2]), int(32 - colour.geometry.to_frame[5])
    assert colour.data[y, x, 3] == 0 and colour.data[y, 4, 3] == 1
    colour = drawer.draw((stick, *hiders), CAMERA, SIZE)[1]
    assert colour.data[..., 3].max() == 1
