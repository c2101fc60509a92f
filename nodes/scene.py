"""Scenes: 3D models out of glTF files, put on faces or planes, drawn behind and before heads, lit by lamps.

    model ── attach_to_face ── draw ══ shade ── over the picture
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..graph.declare import (
    In,
    Out,
    Param,
    ProcessNode,
    frame_space,
    param,
    port,
    result,
    slot,
)
from ..graph.errors import SpellwireError
from ..graph.types import (
    Asset,
    Boolean,
    Camera,
    Choice,
    Colour,
    Faces,
    Image,
    Integer,
    Mask,
    Number,
    Pose,
    Scene,
    Surface,
    Text,
    Vector3,
)
from ..runtime.models.resolver import resolve
from ..runtime.perception.head_pose import PAST, HeadPose, pinhole
from ..runtime.perception.topology import GEOMETRY, read_topology
from ..runtime.scene.draw import LOOPS, SceneDrawer
from ..runtime.scene.gltf import GltfModel, read_model
from ..runtime.scene.head import FaceHider
from ..runtime.scene.place import placed, transform
from ..runtime.scene.values import SceneValue

__all__ = ["AttachToFace", "DrawScene", "MergeScenes", "Model", "PlaceScene", "SceneMaterial", "SceneTransform"]

POINTS = 468


class Model(ProcessNode, type="scene.model", fallback="empty"):
    """A 3D model from a glTF file: its meshes, materials and animations.

    `.glb` or `.gltf` with triangles, normals, colours, textures (PNG, JPEG), metallic-roughness and unlit materials, skins and
    morph targets. Compressed meshes (Draco, meshopt) are not read: export without. glTF counts in metres; `size` overrules it. What
    has a material named `occluder` is not drawn, and hides what is behind it.
    """

    file: Param[Asset] = param(None, doc="a .glb or .gltf file of the effect")
    size: Param[Number] = param(
        0.0, low=0.0, high=10.0, step=0.01, unit="metres", doc="of its longest side; 0 = as the file says"
    )
    centred: Param[Boolean] = param(False, doc="move its middle to the origin")
    clip: Param[Integer] = param(0, low=-1, high=63, doc="which of its animations plays; −1 = none")
    speed: Param[Number] = param(1.0, low=0.0, high=8.0, step=0.05, doc="of the animation; 1 as it was made")
    scene: Out[Scene] = result(doc="the model at its place in its own space")

    def open(self, context: Any) -> None:
        self._path: Any = None
        self._model: GltfModel | SpellwireError | None = None
        self._made: tuple[Any, SceneValue] = (None, ())

    def process(self, file: Any, size: float, centred: bool, clip: int, speed: float, tick: Any) -> SceneValue:
        if not file:
            return ()
        if file != self._path:
            self._path, self._made = file, (None, ())
            self._model = _opened(Path(file))
        model = self._model
        if not isinstance(model, GltfModel):
            assert model is not None
            raise model
        moves = clip >= 0 and model.duration > 0 and speed > 0
        time = tick.time * 1e-6 * speed if moves else None
        key = (time, clip, size, centred)
        if key != self._made[0]:
            scene = model.scene(time, int(clip))
            scale = size / max(float(model.size.max()), 1e-9) if size > 0 else 1.0
            middle = tuple((-model.centre * scale).tolist()) if centred else (0.0, 0.0, 0.0)
            self._made = (key, scene if scale == 1.0 and not centred else placed(scene, transform(middle, (0, 0, 0), scale)))
        return self._made[1]


def _opened(path: Path) -> GltfModel | SpellwireError:
    try:
        return read_model(path)
    except SpellwireError as error:
        return error


class SceneTransform(ProcessNode, type="scene.transform"):
    """Scale, turn and move a scene, in metres."""

    scene: In[Scene] = port(doc="what is moved")
    translate: Param[Vector3] = param(
        (0.0, 0.0, 0.0), low=-10, high=10, step=0.001, unit="metres", doc="to the right, up, towards the viewer"
    )
    rotate: Param[Vector3] = param(
        (0.0, 0.0, 0.0), low=-360, high=360, step=1, unit="°", doc="about x, y and z: nod, shake and tilt"
    )
    scale: Param[Number] = param(1.0, low=0.001, high=1000, step=0.01, doc="about its origin")
    out: Out[Scene] = result(doc="the scene, moved")

    def process(self, scene: SceneValue, translate: Any, rotate: Any, scale: float) -> SceneValue:
        matrix = transform(translate, rotate, scale)
        return placed(scene, matrix) if np.isfinite(matrix).all() else ()


class PlaceScene(ProcessNode, type="scene.place", fallback="empty"):
    """Put a scene where a pose is: on a marker, a plane, a head. While there is no pose there is nothing.

    `stands` on it like a vase on a table, or hangs on it like a picture on a wall, its front to the viewer.
    """

    scene: In[Scene] = port(doc="what is put there, its origin at the pose's")
    pose: In[Pose] = port(doc="from planar.marker, planar.place or face.pose")
    how: Param[Choice] = param("stands", choices=("stands", "hangs"), doc="its up away from the plane, or along it")
    translate: Param[Vector3] = param(
        (0.0, 0.0, 0.0), low=-10, high=10, step=0.001, unit="metres", doc="on the plane to the right and up, and away from it"
    )
    rotate: Param[Number] = param(0.0, low=-360, high=360, step=1, unit="°", doc="on the plane, counter-clockwise")
    scale: Param[Number] = param(1.0, low=0.001, high=1000, step=0.01, doc="about its origin")
    out: Out[Scene] = result(doc="the scene there, in the camera's space")

    def process(self, scene: SceneValue, pose: Any, how: str, translate: Any, rotate: float, scale: float) -> SceneValue:
        if pose is None or not np.isfinite(pose).all() or not abs(scale) > 1e-6:
            return ()
        turned = transform(translate, (0.0, 0.0, rotate), scale)
        upright = transform((0.0, 0.0, 0.0), (90.0 if how == "stands" else 0.0, 0.0, 0.0), 1.0)
        return placed(scene, np.asarray(pose, np.float32) @ turned @ upright)


class MergeScenes(ProcessNode, type="scene.merge"):
    """Several scenes as one: they hide each other where they overlap."""

    a: In[Scene] = port(doc="a scene")
    b: In[Scene] = port(optional=True, doc="another one")
    c: In[Scene] = port(optional=True, doc="another one")
    d: In[Scene] = port(optional=True, doc="another one")
    out: Out[Scene] = result(doc="all of them")

    def process(self, a: SceneValue, b: SceneValue, c: SceneValue, d: SceneValue) -> SceneValue:
        return (*a, *b, *c, *d)


class SceneMaterial(ProcessNode, type="scene.material"):
    """Change what a scene is made of: another colour, another finish, more or less glow."""

    scene: In[Scene] = port(doc="the scene")
    name: Param[Text] = param("", doc="of the materials that change, as the file has them, with commas between; empty = all")
    colour: Param[Colour] = param((0.8, 0.1, 0.1, 1.0), widget="colour", doc="the new colour; textures are multiplied by it")
    colour_amount: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 = the old colour stays")
    roughness: Param[Number] = param(0.4, low=0, high=1, step=0.01, doc="0 a mirror, 1 chalk")
    metallic: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="0 paint, plastic, cloth; 1 bare metal")
    finish_amount: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="0 = the old roughness and metal stay")
    glow: Param[Number] = param(1.0, low=0, high=20, step=0.05, doc="times the light that shines out of it")
    glow_colour: Param[Colour] = param((0.2, 0.8, 1.0, 1.0), widget="colour", doc="a new colour of what glows")
    glow_amount: Param[Number] = param(0.0, low=0, high=1, step=0.01, doc="0 = the old colour of what glows stays")
    out: Out[Scene] = result(doc="the scene, painted")

    def process(
        self, scene: SceneValue, name: str, colour: Any, colour_amount: float, roughness: float, metallic: float,
        finish_amount: float, glow: float, glow_colour: Any, glow_amount: float,
    ) -> SceneValue:  # fmt: skip
        made, names = [], {n.strip() for n in name.split(",") if n.strip()}
        for i in scene:
            m = i.material
            if i.hides or (names and m.name not in names):
                made.append(i)
                continue
            paint = tuple(_mixed(a, b, colour_amount) for a, b in zip(m.colour, (*_light(colour), colour[3]), strict=True))
            strength = max(m.emission)
            shines = (_mixed(a, b * strength, glow_amount) * glow for a, b in zip(m.emission, _light(glow_colour), strict=True))
            changed = replace(
                m, colour=paint, roughness=_mixed(m.roughness, roughness, finish_amount), emission=tuple(shines),
                metallic=_mixed(m.metallic, metallic, finish_amount),
            )  # fmt: skip
            made.append(replace(i, material=changed))
        return tuple(made)


def _mixed(a: float, b: float, share: float) -> float:
    return a + (b - a) * share


def _light(colour: Any) -> tuple[float, ...]:
    """A Colour's r, g, b as linear light."""
    return tuple(float(c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in colour[:3])


class AttachToFace(ProcessNode, type="scene.attach_to_face", fallback="last"):
    """Put a scene on every face: it follows the head's turns, and the head hides what is behind it.

    The scene's origin comes to the middle of the head, x to the person's left, y up, z out of the face, in metres of a grown-up's
    head: eyes at y 0.026 and z 0.03, the tip of the nose at z 0.076, ears at x ±0.077. Heads have the pose that `face.pose` gave
    them; faces without one get one here.
    """

    faces: In[Faces] = port(doc="tracked faces")
    scene: In[Scene] = port(doc="what is put on, in the head's space")
    camera: In[Camera] = port(optional=True, doc="from camera.lens; unwired: a usual phone camera")
    translate: Param[Vector3] = param(
        (0.0, 0.0, 0.0), low=-1, high=1, step=0.001, unit="metres", doc="to the person's left, up, out of the face"
    )
    rotate: Param[Vector3] = param((0.0, 0.0, 0.0), low=-180, high=180, step=1, unit="°", doc="nod, shake and tilt")
    scale: Param[Number] = param(1.0, low=0.1, high=10, step=0.01, doc="about the middle of the head")
    occlusion: Param[Number] = param(1.0, low=0, high=1, step=0.01, doc="0 = the head hides nothing")
    head: Param[Number] = param(1.0, low=0.5, high=1.5, step=0.01, doc="size of the hidden skull: larger hides more")
    smoothing: Param[Number] = param(0.5, low=0, high=1, step=0.01, doc="of poses that are found here; 0 = none")
    out: Out[Scene] = result(doc="the scene on all heads, and the heads")
    past = slot()

    def open(self, context: Any) -> None:
        topology = read_topology(resolve(GEOMETRY))
        self._hider = FaceHider(topology.positions / np.float32(100), topology.triangles)
        self._pose = HeadPose()

    def process(
        self, faces: Any, scene: SceneValue, camera: Any, translate: Any, rotate: Any, scale: float, occlusion: float,
        head: float, smoothing: float, tick: Any, state: Any,
    ) -> SceneValue:  # fmt: skip
        if not len(faces) or not len(scene):
            return ()
        camera = camera or pinhole(tick.width or 1, tick.height or 1)
        past = state.past if state.past is not None else {}
        state.past = {}
        local = transform(translate, rotate, scale)
        made: list[Any] = []
        for face in faces:
            state.past[face.id] = past.get(face.id, np.zeros(PAST))
            pose = self._pose_of(face, camera, state.past[face.id], tick.delta, smoothing)
            if pose is None:
                continue
            made += placed(scene, pose @ local)
            if occlusion > 0:
                made += self._hider(face.landmarks, pose, camera, occlusion, head)
        return tuple(made)

    def _pose_of(self, face: Any, camera: Any, past: np.ndarray, delta: float, smoothing: float) -> np.ndarray | None:
        """The face's pose; None where it, or its landmarks, are not finite."""
        if len(face.landmarks) < POINTS or not np.isfinite(face.landmarks[:POINTS]).all():
            return None
        same = face.camera is None or tuple(face.camera) == tuple(camera)  # as it is drawn with
        known = face.pose if same else None
        pose = known if known is not None else self._pose(face.landmarks, camera, past, delta, smoothing)
        return pose if pose is not None and np.isfinite(pose).all() else None


class DrawScene(ProcessNode, type="scene.draw", natives=LOOPS):
    """Draw a scene: where it covers the frame, its shape, and what it is made of there. `scene.shade` lights it.

    The pictures lie in a crop around what is seen, on the frame's pixels, with edges smoothed by four samples. Materials are shown
    as they are, without light. Glass shows the nearest pane. Triangles that come within 2 cm of the camera are left out.
    """

    scene: In[Scene] = port(doc="what is drawn, in the camera's space")
    camera: In[Camera] = port(optional=True, doc="from camera.lens; unwired: a usual phone camera")
    resolution: Param[Number] = param(1.0, low=0.25, high=1, step=0.05, doc="lower is faster and softer")
    softness: Param[Number] = param(
        0.008, low=0.0005, high=0.1, step=0.001, unit="metres", doc="over which a head begins to hide what goes into it"
    )
    contact: Param[Number] = param(
        0.03, low=0.0, high=0.3, step=0.005, unit="frame heights", doc="reach of the shadow on a head near what it wears"
    )
    glow: Param[Number] = param(
        0.04, low=0.0, high=0.3, step=0.005, unit="frame heights", doc="reach of the halo around what shines"
    )
    surface: Out[Surface] = result(space=frame_space, size="free", doc="coverage, uv, normals, depth")
    colour: Out[Image] = result(space=frame_space, like="surface", doc="the colour of its paint, in sRGB's numbers")
    finish: Out[Image] = result(space=frame_space, like="surface", doc="red roughness, green metal, blue what light reaches")
    emission: Out[Image] = result(space=frame_space, like="surface", doc="light that shines out of it, to add")
    shadow: Out[Mask] = result(space=frame_space, size="free", doc="where it keeps light from the head that wears it")
    halo: Out[Image] = result(space=frame_space, size="free", doc="the halo around what shines, light to add")

    def open(self, context: Any) -> None:
        self.close()  # opened again after a reset
        self._drawer = SceneDrawer(context.native, context.threads)

    def close(self) -> None:
        if "_drawer" in self.__dict__:
            self._drawer.close()

    def process(
        self, scene: SceneValue, camera: Any, resolution: float, softness: float, contact: float, glow: float, tick: Any
    ) -> Any:  # fmt: skip
        width, height = tick.width or 1, tick.height or 1
        camera = camera or pinhole(width, height)
        drawn = self._drawer.draw(scene, camera, (width, height), resolution=resolution, soft=softness)
        return (*drawn, *self._drawer.soften(drawn, contact * height, glow * height))
