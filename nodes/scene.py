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
    PixelNode,
    ProcessNode,
    frame_space,
    param,
    port,
    result,
    same,
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
    Light,
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
from ..runtime.pixel import (
    Vec,
    clamp,
    dot,
    exp2,
    maximum,
    minimum,
    mix,
    normalize,
    smoothstep,
    sqrt,
    vec,
)  # fmt: skip
from ..runtime.pixel.colour import linear_to_srgb, srgb_to_linear
from ..runtime.scene.draw import LOOPS, SceneDrawer
from ..runtime.scene.gltf import GltfModel, read_model
from ..runtime.scene.head import FaceHider
from ..runtime.scene.place import placed, transform
from ..runtime.scene.values import SceneValue
from .surface import rolled_off

__all__ = ["AttachToFace", "DrawScene", "MergeScenes", "Model", "PlaceScene", "SceneMaterial", "SceneTransform", "ShadeScene"]

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


class ShadeScene(PixelNode, type="scene.shade"):
    """Light what `scene.draw` drew: physically based materials under three lamps and a studio's soft light.

        lamps       GGX highlights (Karis, 2013), Lambert's diffuse; rim lamps shine along contours
        ambient     brighter from above than from below, in the colour of `ambient`
        reflections a studio of soft boxes, coloured by what is wired to `environment`: a small picture of the frame

    Light is worked out linearly, and what gets too bright rolls off like film.
    """

    surface: In[Surface] = port(domain=True, doc="from scene.draw")
    colour: In[Image] = port(doc="from scene.draw")
    finish: In[Image] = port(doc="from scene.draw")
    emission: In[Image] = port(doc="from scene.draw")
    key: In[Light] = port(optional=True, doc="the main lamp")
    fill: In[Light] = port(optional=True, doc="a second lamp")
    rim: In[Light] = port(optional=True, doc="a third lamp, or one behind")
    environment: In[Image] = port(optional=True, doc="what surrounds it: the frame, made small by geometry.resize")
    ambient: Param[Colour] = param((1.0, 1.0, 1.0, 1.0), widget="colour", doc="colour of the light from everywhere")
    ambient_strength: Param[Number] = param(0.5, low=0, high=4, step=0.01, doc="of the light from everywhere")
    reflections: Param[Number] = param(1.0, low=0, high=4, step=0.01, doc="brightness of what is mirrored in it")
    glow: Param[Number] = param(1.0, low=0, high=8, step=0.01, doc="of what shines by itself")
    exposure: Param[Number] = param(0.0, low=-4, high=4, step=0.05, unit="EV", doc="of all of it")
    working_space: Param[Choice] = param("srgb", choices=("srgb", "linear"), doc="of the effect that it is used in")
    out: Out[Image] = result(space=same("surface"), doc="the scene, lit, to lay over the picture")

    def pixel(
        self, surface, colour, finish, emission, key, fill, rim, environment, ambient, ambient_strength, reflections, glow,
        exposure, working_space, at,
    ):  # fmt: skip
        part = 1.0 / maximum(finish.a, 1e-4)
        albedo = srgb_to_linear(clamp(colour.rgb / maximum(colour.a, 1e-4)))
        rough, metal, reached = clamp(finish.r * part, 0.03, 1.0), clamp(finish.g * part), clamp(finish.b * part)
        opacity = minimum(colour.a * part, 1.0)
        normal = normalize(surface.normal + vec(0.0, 0.0, 1e-5))
        place = vec(at.x - 0.5 * at.aspect, 0.5 - at.y, surface.depth)
        eye = normalize(vec(-TANGENT * place.x, -TANGENT * place.y, 1.0))
        facing = clamp(dot(normal, eye), 0.02, 1.0)
        base = mix(vec(0.04, 0.04, 0.04), albedo, metal)
        diffuse, gloss = vec(0.0, 0.0, 0.0), vec(0.0, 0.0, 0.0)
        for lamp in (key, fill, rim):
            spread, mirrored = lit_by(lamp, place, normal, eye, facing, rough, base)
            diffuse, gloss = diffuse + spread, gloss + mirrored * minimum(reached * 2.0, 1.0)
        around = srgb_to_linear(clamp(ambient.rgb, 0.0, 4.0)) * ambient_strength
        diffuse = diffuse + around * (mix(0.45, 1.15, 0.5 + 0.5 * normal.y) * reached)
        seen = mirrored_way(normal, eye)
        x = 0.5 * at.aspect + 0.3 * place.x + 0.45 * at.aspect * seen.x
        tint = environment.sample(clamp(x, 0.0, at.aspect), clamp(0.5 - 0.45 * seen.y))
        studio = around * (soft_boxes(seen, rough) * (2.0 * reflections * reached))
        # colour of the surroundings at their own brightness, half and half with the studio's own light
        studio = studio * mix(vec(1.0, 1.0, 1.0), 0.35 + 1.6 * srgb_to_linear(clamp(tint.rgb)), clamp(tint.a))
        gloss = gloss + studio * of_surroundings(base, rough, facing)
        light = diffuse * albedo * ((1.0 - metal) * opacity) + gloss
        shines = srgb_to_linear(clamp(emission.rgb * part, 0.0, 8.0)) * glow
        whole = (light + shines) * exp2(exposure)
        shown = rolled_off(linear_to_srgb(whole))
        if working_space == "linear":
            shown = srgb_to_linear(shown)
        return vec(shown * clamp(finish.a), clamp(colour.a))


TANGENT = 1.2256  # of half the assumed camera's angle, times two: what a frame height spans at distance 1
PI = 3.14159265


def mirrored_way(normal: Vec, eye: Vec) -> Vec:
    """Where what is mirrored comes from."""
    return normal * (2.0 * dot(normal, eye)) - eye


def lit_by(lamp: Vec, place: Vec, normal: Vec, eye: Vec, facing: Vec, rough: Vec, base: Vec) -> tuple[Vec, Vec]:
    """One lamp's light on a surface: what is spread, and what is mirrored (GGX, with Karis' short visibility)."""
    is_point, is_rim = lamp[0] * (2.0 - lamp[0]), 0.5 * lamp[0] * (lamp[0] - 1.0)  # exact for kinds 0, 1, 2
    way = lamp[1:4] - place * is_point
    distance = sqrt(dot(way, way))
    towards = way / maximum(distance, 1e-4)
    near = distance / maximum(lamp[8], 1e-3)
    colour = srgb_to_linear(clamp(lamp[4:7], 0.0, 4.0)) * (lamp[7] / (1.0 + near * near * is_point))
    reach = clamp(dot(normal, towards))
    half = normalize(towards + eye)
    halfway, along = clamp(dot(normal, half)), clamp(dot(towards, half))
    alpha = rough * rough
    width = alpha * alpha
    lobe = halfway * halfway * (width - 1.0) + 1.0
    peak = minimum(width / maximum(lobe * lobe * PI, 1e-6), 40.0)
    fresnel = base + (1.0 - base) * exp2((-5.55473 * along - 6.98316) * along)
    contour = smoothstep(0.4, 1.0, 1.0 - facing) * clamp(dot(normal, towards) * 1.25) * is_rim
    mirrored = fresnel * (peak * (rough * 0.25 + 0.25) * PI * reach) * (1.0 - 0.5 * is_rim)
    return colour * (reach * (1.0 - is_rim)), colour * (mirrored + contour * (0.5 + 0.5 * base))


def soft_boxes(way: Vec, rough: Vec) -> Vec:
    """Brightness of a studio in a direction: floor, ceiling, a box above, a window on either side; blurred by roughness."""
    blur = 0.015 + 0.5 * rough
    walls = mix(0.12, 0.62, smoothstep(-0.7, 0.9, way.y))
    above = smoothstep(0.66 - blur, 0.7 + blur, way.y) * (1.5 - 1.0 * rough)
    left = between(way.x, -0.93, -0.7, blur) * between(way.y, -0.12, 0.5, blur) * (2.2 - 1.5 * rough)
    right = between(way.x, 0.8, 0.95, blur) * between(way.y, -0.05, 0.4, blur) * (1.4 - 0.9 * rough)
    return walls + above + left + right


def between(value: Vec, low: float, high: float, blur: Vec) -> Vec:
    """1 from `low` to `high`, with soft ends."""
    return smoothstep(low - blur, low + blur, value) * (1.0 - smoothstep(high - blur, high + blur, value))


def of_surroundings(base: Vec, rough: Vec, facing: Vec) -> Vec:
    """How much of evenly bright surroundings is mirrored, by Lazarov's fit (2013)."""
    first = clamp(1.0 - rough)
    a = minimum(first * first, exp2(-9.28 * facing)) * first + (0.0425 - 0.0275 * rough)
    return base * (-1.04 * a + (1.04 - 0.572 * rough)) + (1.04 * a + (0.022 * rough - 0.04))
