"""Text: set in lines, drawn in any font, told apart from what a font lacks, drawn anew only when it changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driven import Driven

from spellwire.graph.errors import SourceError
from spellwire.nodes import text as text_node
from spellwire.nodes.text import DrawText
from spellwire.runtime.fonts import BuiltInFont, FontFile, direction, open_font
from spellwire.runtime.typeset import Style, lines_of, missing, set_text


@pytest.fixture(scope="session")
def file() -> Path:
    """A font file that is always there: pygame's own (Latin)."""
    import pygame

    return Path(pygame.__file__).parent / pygame.font.get_default_font()


@pytest.fixture
def write(context):
    def opened(**given) -> Driven:
        driven = Driven(DrawText, **({"words": None} | given))
        driven.node.open(context)
        return driven

    return opened


def ink(picture: np.ndarray) -> tuple[int, int, int, int]:
    """The box of what is drawn: left, top, right, bottom."""
    rows, columns = np.nonzero(picture[..., 3] > 0.2)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("font", ["built-in", "file"])
def test_size_is_of_the_letters_and_the_same_in_both(font, file) -> None:
    for size in (20.0, 61.0):
        picture, scale = set_text("HEX", Style(None if font == "built-in" else file, size))
        left, top, right, bottom = ink(picture)
        assert scale == 1.0 and 0.62 * size < bottom - top < 0.82 * size and right - left > 1.6 * size
        assert not picture[[0, -1]].any() and not picture[:, [0, -1]].any()


def test_lines_are_broken_where_they_must_be() -> None:
    font = BuiltInFont(20, 400)
    lines = lines_of("one two three four", font, font.width("one two"))
    assert lines == ["one two", "three", "four"]
    assert lines_of("one\\ntwo\nthree", font, 0) == ["one", "two", "three"]
    assert lines_of("unbreakable", font, 10) == ["unbreakable"]
    assert lines_of("", font, 50) == [""]


def test_chinese_is_broken_between_letters_but_no_line_begins_with_a_stop() -> None:
    font = BuiltInFont(20, 400)
    lines = lines_of("你好世界，再见「朋友」。", font, font.width("你好世界"))
    assert "".join(lines) == "你好世界，再见「朋友」。" and len(lines) > 2
    assert not any(line[0] in "，。」" for line in lines) and not any(line[-1] in "「" for line in lines)


def test_what_a_font_lacks_is_lent_or_said(file) -> None:
    font = open_font(file, 40, 400)
    assert isinstance(font, FontFile) and font.lacks("你") and not font.lacks("A")
    assert missing("Aé你 好", font) == ""  # the built-in one has them
    assert missing("A\U0001f600B\U0001f600", font) == "\U0001f600"
    lent, _ = set_text("你", Style(file, 40))
    own, _ = set_text("你", Style(None, 40, 400))
    assert np.abs(lent[..., 3].sum() - own[..., 3].sum()) < 0.05 * own[..., 3].sum()


def test_kerning_of_a_file_is_the_librarys(file) -> None:
    import pygame

    font = FontFile(file, 80, 400)
    assert font.width("AVATAR") == pygame.font.Font(str(file), 80).size("AVATAR")[0]


def test_right_to_left() -> None:
    assert direction("שלום") == -1 and direction("123 abc") == 1 and direction("") == 1


def test_alignment_and_width() -> None:
    def left(align: str) -> int:
        picture, _ = set_text("wide line here\nx", Style(None, 30, align=align))
        return ink(picture[picture.shape[0] // 2 :])[0]

    assert left("left") < left("centre") < left("right")
    widths = {set_text(t, Style(None, 30, width=200))[0].shape[1] for t in ("a", "abc", "a\nb")}
    assert len(widths) == 1  # a block of its own width, whatever it says


def test_outline_shadow_and_plate_lie_around() -> None:
    plain = set_text("O", Style(None, 60))[0]
    fat = set_text("O", Style(None, 60, outline_width=5, outline=(1, 0, 0, 1)))[0]
    a, b = ink(plain), ink(fat)
    assert (b[2] - b[0]) - (a[2] - a[0]) == pytest.approx(10, abs=2) and fat[..., 0].max() > 0.9 and fat[..., 1].max() > 0.9
    shaded = set_text("O", Style(None, 60, shadow=(0, 0, 0, 0.8), shadow_offset=(0, 20), shadow_soft=2))[0]
    assert ink(shaded)[3] - ink(shaded)[1] == pytest.approx(a[3] - a[1] + 20, abs=4)
    plate = set_text("O", Style(None, 60, plate=(0, 0, 1, 0.5), padding=10, corner=8))[0]
    left, top, right, bottom = ink(plate)
    assert plate[top + 1, (left + right) // 2, 3] == pytest.approx(0.5, abs=0.01) and plate[top + 1, left + 1, 3] < 0.3
    assert (plate[..., :3] <= plate[..., 3:] + 1e-5).all()


def test_letters_keep_their_places_while_they_appear() -> None:
    style = Style(None, 30, align="right")
    whole, half, none = (set_text("typewriter\nmachine", style, s)[0] for s in (1.0, 0.5, 0.0))
    assert whole.shape == half.shape and not none.any()
    shown = half[..., 3] > 0.5
    assert shown.any() and (whole[shown] > 0).any(-1).all() and half.sum() < 0.8 * whole.sum()


def test_huge_text_is_drawn_coarser_and_lies_right(write) -> None:
    picture, scale = set_text("WIDE WIDE WIDE", Style(None, 900))
    assert scale > 1 and picture.shape[0] * picture.shape[1] < 1.1 * (1 << 20)
    frame, _ = write(text="WIDE WIDE", size=2.0)(0.0)
    a, _, c, _, e, f = frame.geometry.to_frame
    assert c + a * frame.width / 2 == pytest.approx(160, abs=1) and f + e * frame.height / 2 == pytest.approx(90, abs=1)


def test_it_lies_where_it_should(write) -> None:
    frame, lacking = write(text="X", size=0.2, position=(0.5, -0.25), anchor=(0.0, 1.0))(0.0)
    _, _, left, _, _, top = frame.geometry.to_frame
    assert lacking == "" and left == 160 + 90 and top + frame.height == 45
    mirrored, _ = write(text="L", size=0.3, mirrored=True)(0.0)
    plain, _ = write(text="L", size=0.3)(0.0)
    assert np.array_equal(mirrored.data[:, ::-1], plain.data)


def test_drawn_anew_only_when_something_changes(write, monkeypatch) -> None:
    calls = []
    real = set_text
    monkeypatch.setattr(text_node, "set_text", lambda *args: calls.append(args) or real(*args))
    driven = write(text="same")
    first = driven(0.0)[0].data
    driven(0.1, position=(0.1, 0.1))
    assert driven(0.2)[0].data is first and len(calls) == 1
    driven(0.3, words="other")
    driven(0.4, reveal=0.6)
    driven(0.5, reveal=0.61)  # the same letters
    assert len(calls) == 3
    assert driven(0.6, opacity=0.5)[0].data.max() == pytest.approx(0.5, abs=0.01)


def test_a_file_that_is_no_font_is_said(tmp_path, write) -> None:
    for name, data in (("a.ttf", b"not a font"), ("b.ttf", b"\x00\x01\x00\x00rubbish")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match=name):
            write(font=tmp_path / name)(0.0)
    with pytest.raises(SourceError, match="gone"):
        open_font(tmp_path / "gone.ttf", 20, 400)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\\n", "a\tb", "\u200d"])
def test_odd_texts(text, write) -> None:
    frame, _ = write(words=text, text="")(0.0)
    assert np.isfinite(frame.data).all() and frame.width >= 1
