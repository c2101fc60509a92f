"""Pictures on faces, bodies and hands: where they lie, how they turn, grow and fade, and what bad files give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from driven import Driven

from spellwire.graph.errors import SourceError
from spellwire.nodes.attach import ToBody, ToFace, ToHand
from spellwire.runtime.frames import Frame
from spellwire.runtime.perception.places import BODY_PLACES, FACE_PLACES, HAND_PLACES
from spellwire.runtime.values import BodyItem, Each, HandItem, Items

from .conftest import faces

RED, GREEN = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0)


def wire(colour=RED, width: int = 32, height: int = 32) -> Frame:
    """A picture as a wire brings it: one colour, its right half darker."""
    data = np.tile(np.float32(colour), (height, width, 1))
    data[:, width // 2 :, :3] *= 0.5
    return Frame.of(data)


@pytest.fixture
def attach(context, topology):
    def opened(node=ToFace, **given) -> Driven:
        given = {"image": wire(), "amount": None} | given
        driven = Driven(node, **given)
        driven.node.open(context)
        return driven

    return opened


def whole(frame: Frame, width: int = 320, height: int = 180) -> np.ndarray:
    """The layer on the frame's own pixels (its scale must be 1)."""
    scale, _, left, _, _, top = frame.geometry.to_frame
    out = np.zeros((height, width, 4), np.float32)
    if frame.width > 1:
        assert scale == 1
        x, y = int(left), int(top)
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + frame.width, width), min(y + frame.height, height)
        out[y0:y1, x0:x1] = frame.data[y0 - y : y1 - y, x0 - x : x1 - x]
    return out


def middle(shown: np.ndarray) -> np.ndarray:
    """Its middle in frame pixels."""
    y, x = np.mgrid[: shown.shape[0], : shown.shape[1]] + 0.5
    return np.array([(x * shown[..., 3]).sum(), (y * shown[..., 3]).sum()]) / shown[..., 3].sum()


def extent(shown: np.ndarray) -> tuple[float, float]:
    return shown[..., 3].max(0).sum(), shown[..., 3].max(1).sum()


@pytest.mark.parametrize("place", ["nose", "mouth", "left cheek", "face", "chin"])
def test_it_lies_on_its_place_and_moves_with_it_at_once(attach, head_at, place) -> None:
    """Within a quarter of a pixel of the landmarks, in the very frame that they are of."""
    driven = attach(place=place, size=0.2)
    for n, (x, y, roll) in enumerate([(160, 90, 0), (171.3, 84.2, 10), (140.7, 99.9, -25)]):
        face = head_at(x, y, 80.0, roll=roll)
        spot = face.landmarks[list(FACE_PLACES[place][0]), :2].mean(0)
        assert np.hypot(*(middle(whole(driven(n / 30, faces=faces(face)))) - spot)) < 0.25


def test_it_grows_and_rolls_with_the_head(attach, head_at) -> None:
    def drawn(**head):
        return whole(attach(place="nose", size=0.5, image=wire(height=16))(0.0, faces=faces(head_at(**head))))

    assert extent(drawn(width=80.0)) == pytest.approx((40, 20), abs=0.6)
    assert extent(drawn(width=120.0)) == pytest.approx((60, 30), abs=0.6)
    assert extent(drawn(width=80.0, roll=90)) == pytest.approx((20, 40), abs=0.6)


def test_it_tilts_in_perspective(attach, head_at) -> None:
    """Turned by 50°, it is narrower, and its nearer edge is taller; told to face the camera, it is neither."""

    def edges(yaw: float, turn: float) -> tuple[float, float, float]:
        shown = whole(attach(place="nose", size=0.9, turn=turn)(0.0, faces=faces(head_at(width=90, yaw=yaw))))[..., 3]
        tall = shown.sum(0)
        columns = np.flatnonzero(tall > 1)
        return len(columns), tall[columns[3]], tall[columns[-4]]

    wide, left, right = edges(50, 1.0)
    assert wide == pytest.approx(81 * np.cos(np.radians(50)), abs=4) and left > right + 8  # its left comes nearer
    wide, left, right = edges(-50, 1.0)
    assert right > left + 8
    wide, left, right = edges(50, 0.0)
    assert wide == pytest.approx(81, abs=2) and left == pytest.approx(right, abs=1)


def test_offset_anchor_and_rotation(attach, head_at) -> None:
    face = head_at(width=80.0)
    nose = face.landmarks[4, :2]

    def at(**given) -> np.ndarray:
        return middle(whole(attach(place="nose", size=0.5, **given)(0.0, faces=faces(face)))) - nose

    assert at(offset=(0.5, -0.25)) == pytest.approx((40, -20), abs=0.3)
    assert at(anchor=(0.5, 1.0)) == pytest.approx((0, -20), abs=0.3)
    assert at(anchor=(0.5, 1.0), rotate=90.0) == pytest.approx((20, 0), abs=0.3)  # clockwise
    shown = whole(attach(place="nose", size=0.5)(0.0, faces=faces(face)))
    assert shown[int(nose[1]), int(nose[0]) - 10, 0] > 0.9 > 0.6 > shown[int(nose[1]), int(nose[0]) + 10, 0]


def test_several_faces_the_nearer_over_the_farther(attach, head_at) -> None:
    far, near = head_at(150, 90, 60, number=1), head_at(175, 90, 100, number=2)
    one, two, both = (whole(attach(size=1.0)(0.0, faces=faces(*f))) for f in ((far,), (near,), (far, near)))
    np.testing.assert_allclose(both, two + one * (1 - two[..., 3:]), atol=1e-5)


def test_an_amount_for_each_face(attach, head_at) -> None:
    pair = head_at(80, 90, 60, number=4), head_at(240, 90, 60, number=9)
    driven = attach(place="nose", size=0.5, faces=faces(*pair))
    shown = whole(driven(0.0, amount=Each((4, 9), (0.0, 0.5))))
    assert not shown[:, :160].any() and extent(shown)[0] == pytest.approx(15, abs=0.6)
    assert extent(whole(driven(0.1, amount=Items((2.0,)))))[1] == pytest.approx(60, abs=0.6)
    shown = whole(driven(0.2, amount=Each((9,), (1.0,)), offset=(0.5, 0.0)))
    assert not shown[:, :160].any() and middle(shown)[0] == pytest.approx(240 + 30, abs=0.3)
    shown = whole(driven(0.3, amount=Each((9,), (0.5,)), offset=(0.5, 0.0)))
    assert middle(shown)[0] == pytest.approx(240 + 15, abs=0.3)  # it grows out of its place


def test_it_goes_to_the_side_where_there_is_room(attach, head_at) -> None:
    """A picture beside the mouth: at the frame's right it is on the left, mirrored or not; near the middle as it was."""

    def drawn(driven: Driven, x: float) -> tuple[float, bool]:
        shown = whole(driven(0.0, faces=faces(head_at(x, 90, 40))))
        red = shown[..., 0] / np.maximum(shown[..., 3], 1e-6)
        columns = np.flatnonzero(shown[..., 3].max(0) > 0.9)
        return middle(shown)[0] - x, bool(red[:, columns[2]].max() > red[:, columns[-3]].max())

    for flip, mirrored in (("place", True), ("all", False)):
        driven = attach(place="mouth", size=0.5, offset=(1.0, 0.0), anchor=(0.0, 0.5), flip=flip)
        assert drawn(driven, 120) == (pytest.approx(50, abs=0.5), True)
        assert drawn(driven, 170)[0] > 0 > drawn(driven, 200)[0]
        assert drawn(driven, 165) == (pytest.approx(-50, abs=0.5), mirrored)
        assert drawn(driven, 140)[0] > 0
    assert drawn(attach(place="mouth", size=0.5, offset=(1.0, 0.0)), 250)[0] > 0


def test_no_parameter_in_its_range_gives_rubbish(attach, head_at) -> None:
    ends = {p.name: (p.low, p.high) for p in ToFace.declaration.params if p.low is not None}
    wide = {n: tuple((float(v),) * 2 if n in ("offset", "anchor") else v for v in ends[n]) for n in ends}
    for settings in ({n: v} for n, pair in wide.items() for v in pair if n not in ("columns", "rows")):
        frame = attach(faces=faces(head_at(yaw=40, pitch=20)), **settings)(0.0)
        assert np.isfinite(frame.data).all() and frame.data.max() <= 1.001, settings


def test_it_fades_as_its_place_turns_away(attach, head_at) -> None:
    def seen(place: str, yaw: float) -> float:
        return float(whole(attach(place=place, size=0.4)(0.0, faces=faces(head_at(yaw=yaw))))[..., 3].max())

    assert seen("eyes", 0) > 0.99 > 0.1 > seen("eyes", 88)
    assert seen("left ear", 30) > 0.9 or seen("left ear", -30) > 0.9
    assert min(seen("left ear", 60), seen("left ear", -60)) < 0.05


def test_it_comes_and_goes_softly(attach, head_at) -> None:
    driven = attach(place="nose", size=0.4)
    driven(0.0, faces=faces())
    rising = [float(whole(driven(0.05 * n, faces=faces(head_at())))[..., 3].max()) for n in range(1, 5)]
    assert 0.2 < rising[0] < 0.5 < rising[1] < rising[2] and rising[3] > 0.99
    falling = [float(whole(driven(0.2 + 0.05 * n, faces=faces()))[..., 3].max()) for n in range(1, 5)]
    assert 0.5 < falling[0] < 0.8 and falling[-1] == 0.0


def test_a_shadow_falls_below(attach, head_at) -> None:
    plain, shaded = (
        whole(attach(place="nose", size=0.4, shadow=s, drop=0.3)(0.0, faces=faces(head_at()))) for s in (0.0, 0.6)
    )
    darker = (shaded[..., 3] - plain[..., 3]).clip(0)
    assert middle(np.stack([darker] * 4, -1))[1] > middle(plain)[1] + 5
    assert np.abs(shaded - plain)[plain[..., 3] > 0.999].max() < 1e-5


def test_nobody_nothing_and_nan(attach, head_at) -> None:
    lost = head_at()
    lost.landmarks[:] = np.nan
    for given in ({"faces": faces()}, {"faces": faces(lost)}, {"faces": (), "image": None}, {"faces": faces(head_at()), "image": None}):
        frame = attach(**given)(0.0)
        assert frame.data.shape == (1, 1, 4) and not frame.data.any()
    away = attach(faces=faces(head_at(-500, 90)))(0.0)
    assert not away.data.any()


def test_a_wire_that_changes_is_seen(attach, head_at) -> None:
    picture = wire()
    driven = attach(place="nose", faces=faces(head_at()), image=picture)
    first = whole(driven(0.0))
    picture.data[..., :3] = (0, 1, 0)
    second = whole(driven(0.1))
    assert first[90, 150, 0] > 0.9 and second[90, 150, 1] > 0.9 and second[90, 150, 0] < 0.1


def test_a_file_that_moves_and_one_that_is_broken(attach, head_at, tmp_path) -> None:
    moving = cv2.Animation()
    moving.frames = [np.full((16, 16, 4), c, np.uint8) for c in ((0, 0, 255, 255), (0, 255, 0, 255))]
    moving.durations = [100, 100]
    cv2.imwriteanimation(str(tmp_path / "a.png"), moving)
    driven = attach(place="nose", faces=faces(head_at()), image=None, picture=tmp_path / "a.png")
    assert whole(driven(0.05))[95, 160, 0] > 0.9 and whole(driven(0.15))[95, 160, 1] > 0.9
    (tmp_path / "b.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"b\.png"):
        attach(faces=faces(head_at()), image=None, picture=tmp_path / "b.png")(0.0)


def body_at(x: float = 160, y: float = 90, metre: float = 60, lean: float = 0.0, number: int = 1) -> BodyItem:
    """A person with hanging arms, hips at (x, y), leaning by degrees to the picture's right."""
    world = np.zeros((33, 3), np.float32)
    places = {
        11: (0.2, 0.5), 12: (-0.2, 0.5), 13: (0.3, 0.25), 14: (-0.3, 0.25), 15: (0.35, 0.0), 16: (-0.35, 0.0), 23: (0.12, 0),
        24: (-0.12, 0), 25: (0.13, -0.4), 26: (-0.13, -0.4), 27: (0.13, -0.8), 28: (-0.13, -0.8), 0: (0, 0.72), 7: (0.08, 0.75),
        8: (-0.08, 0.75), 9: (0.03, 0.66), 10: (-0.03, 0.66), 17: (0.36, -0.08), 18: (-0.36, -0.08), 19: (0.36, -0.09),
        20: (-0.36, -0.09), 2: (0.035, 0.75), 5: (-0.035, 0.75), 29: (0.13, -0.84), 30: (-0.13, -0.84), 31: (0.16, -0.86), 32: (-0.16, -0.86),
    }  # fmt: skip
    for i, place in places.items():
        world[i, :2] = place
    world[[2, 5, 0], 2] = 0.1, 0.1, 0.12
    c, s = np.cos(np.radians(lean)), np.sin(np.radians(lean))
    world[:, :2] = world[:, :2] @ np.array(((c, -s), (s, c)), np.float32)
    landmarks = np.concatenate([world[:, :2] * (metre, -metre) + (x, y), world[:, 2:]], 1).astype(np.float32)
    return BodyItem(number, landmarks, world, np.ones(33, np.float32))


def bodies(*items) -> Items:
    return Items(tuple(items), "frame", 320, 180)


@pytest.mark.parametrize("place", BODY_PLACES)
def test_every_place_of_a_body(attach, place) -> None:
    body = body_at()
    shown = whole(attach(ToBody, place=place, size=0.2, bodies=bodies(body))(0.0))
    spot = body.landmarks[list(BODY_PLACES[place][0]), :2].mean(0)
    assert np.hypot(*(middle(shown) - spot)) < 0.5
    assert shown[..., 3].sum() == pytest.approx(12 * 12, rel=0.12)  # 0.2 m at 60 pixels a metre


def test_on_a_body_it_leans_grows_and_hides(attach) -> None:
    def wide(**how):
        return extent(whole(attach(ToBody, place="chest", size=0.4, image=wire(height=8), bodies=bodies(body_at(**how)))(0.0)))

    assert wide() == pytest.approx((24, 6), abs=0.7)
    assert wide(lean=90) == pytest.approx((6, 24), abs=0.7)
    assert wide(metre=90) == pytest.approx((36, 9), abs=0.7)
    hidden = body_at()
    hidden.visibility[[11, 12]] = 0.1
    assert not whole(attach(ToBody, bodies=bodies(hidden))(0.0)).any()
    assert whole(attach(ToBody, place="left knee", bodies=bodies(hidden))(0.0)).any()


def test_on_a_limb_its_top_points_to_the_trunk(attach) -> None:
    """On the hanging forearm the picture stands; its dark half is at the same side on both arms: none is mirrored."""
    for side in ("left", "right"):
        body = body_at(metre=100)
        shown = whole(attach(ToBody, place=f"{side} forearm", size=0.2, bodies=bodies(body))(0.0))
        x, y = middle(shown).astype(int)
        assert shown[y, x - 5, 0] > 0.9 and shown[y, x + 5, 0] < 0.6


def hand_at(x: float = 160, y: float = 120, palm: float = 40, roll: float = 0.0, right: bool = True) -> HandItem:
    """An open hand, palm to us, fingers up."""
    points = np.zeros((21, 3), np.float32)
    for finger, across in enumerate((-0.8, -0.35, 0.0, 0.3, 0.6)):
        for joint in range(4):
            points[1 + 4 * finger + joint] = (across * (1 if right else -1), -1 - 0.3 * joint if finger else -0.3 - 0.2 * joint, 0)
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    turned = points[:, :2] @ np.array(((c, s), (-s, c)), np.float32)
    return HandItem(1, np.concatenate([turned * palm + (x, y), points[:, 2:]], 1).astype(np.float32), 1.0)


@pytest.mark.parametrize("place", HAND_PLACES)
def test_every_place_of_a_hand(attach, place) -> None:
    shown = whole(attach(ToHand, place=place, size=0.3, hands=Items((hand_at(),), "frame", 320, 180))(0.0))
    assert shown[..., 3].sum() == pytest.approx(12 * 12, rel=0.12)


@pytest.mark.parametrize("right", [True, False])
def test_on_a_hand_its_top_points_along_the_fingers(attach, right) -> None:
    for roll, dx, dy in ((0, 5, 0), (90, 0, 5)):
        hand = hand_at(roll=roll, right=right, y=90)
        shown = whole(attach(ToHand, place="palm", size=0.5, hands=Items((hand,), "frame", 320, 180))(0.0))
        x, y = middle(shown).astype(int)
        assert shown[y - dy, x - dx, 0] > 0.9 and shown[y + dy, x + dx, 0] < 0.6
    broken = hand_at()
    broken.landmarks[3] = np.inf
    assert not attach(ToHand, hands=Items((broken,), "frame", 320, 180))(0.0).data.any()
