"""What the compiler makes of a graph: what is fused, folded, merged, dropped, shared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spellwire.graph.declare import In, Out, PixelNode
from spellwire.graph.document import effect_from_data
from spellwire.graph.errors import CompileError, UsageError, ValidationError
from spellwire.graph.groups import flatten
from spellwire.graph.registry import Registry
from spellwire.graph.types import Image
from spellwire.runtime.pixel.region import Region
from spellwire.runtime.plan.ir import Stream
from spellwire.runtime.plan.passes import build, check
from spellwire.runtime.session.planning import Planner


class Wrong(PixelNode, type="test.wrong"):
    """Gives two components where four are due."""

    image: In[Image]
    out: Out[Image]

    def pixel(self, image):
        return image[:2]


CHAIN = """
    n1 = source.input()
    n2 = colour.exposure(image=n1.image; stops=0.5)
    n3 = colour.contrast(image=n2.out)
    n4 = composite.vignette(image=n3.out)
    n5 = sink.output(image=n4.out)
"""


@pytest.fixture
def plan(planner, write):
    def make(text, channels=3, **options):
        return planner.plan(write(text), Stream(channels), **options)

    return make


def kinds(plan):
    return [s.kind for s in plan.stages]


def test_a_chain_of_pixel_nodes_is_one_kernel_that_reads_and_writes_bytes(plan):
    made = plan(CHAIN)
    assert kinds(made) == ["source", "kernel", "sink"]
    (kernel,) = made.kernels
    assert kernel.nodes == ("n2", "n3", "n4")
    assert [(r.format, r.channels) for r in kernel.region.reads] == [("u8", 3)]
    assert [(w.format, w.channels) for w in kernel.region.writes] == [("u8", 3)]


def test_alpha_is_kept_only_where_the_stream_has_it(plan):
    (kernel,) = plan(CHAIN, channels=4).kernels
    assert [w.channels for w in kernel.region.writes] == [4]


def test_the_same_graph_gives_the_same_kernel_whatever_its_numbers(plan):
    one, other = plan(CHAIN), plan(CHAIN.replace("0.5", "-1.25"))
    assert one.kernels[0].region.key == other.kernels[0].region.key


def test_a_node_the_compiler_cannot_see_through_cuts_the_chain_in_float(plan):
    made = plan(CHAIN.replace("image=n3.out", "image=n9.out") + "n9 = test.opaque(image=n3.out)")
    assert kinds(made) == ["source", "kernel", "process", "kernel", "sink"]
    assert [w.format for w in made.kernels[0].region.writes] == ["f32"]
    assert made.kernels[0].region.writes[0].channels == 4, "a process node gets r, g, b, a"


def test_what_nobody_shows_is_dropped_and_equal_nodes_are_one(plan):
    made = plan(
        CHAIN
        + """
        n6 = colour.invert(image=n2.out)
        n7 = test.two_faces()
        """
    )
    assert "n6" not in made.steps and "n7" not in made.steps
    twice = plan(
        """
        n1 = source.input()
        n2 = test.half(image=n1.image)
        n3 = test.half(image=n1.image)
        n4 = colour.exposure(image=n1.image)
        n5 = composite.blend(below=n1.image; above=n4.out; mask=n2.mask)
        n6 = composite.blend(below=n5.out; above=n1.image; mask=n3.mask)
        n7 = sink.output(image=n6.out)
        """
    )
    assert [s for s in twice.steps if s in ("n2", "n3")] == ["n2"]


def test_a_blur_is_fused_with_its_chain_but_not_with_another_blur(plan):
    one = plan(CHAIN.replace("image=n3.out", "image=n9.out") + "n9 = filter.blur(image=n3.out)")
    assert len(one.kernels) == 1
    two = plan(
        CHAIN.replace("image=n3.out", "image=n9.out")
        + "n8 = filter.blur(image=n3.out)\nn9 = filter.blur(image=n8.out)"
    )
    assert len(two.kernels) == 2 and two.kernels[0].region.writes[0].format == "f32"


def test_buffers_whose_lives_do_not_meet_share_memory(plan):
    text = "n1 = source.input()\n"
    before = "n1.image"
    for i in range(2, 8):
        text += f"n{i} = filter.blur(image={before})\n"
        before = f"n{i}.out"
    made = plan(text + f"n9 = sink.output(image={before})")
    floats = [b for b in made.buffers if b.format == "f32"]
    assert len(floats) == 5 and len({b.shared for b in floats}) == 2


def test_steps_that_hang_on_parameters_alone_do_not_run_every_frame(plan):
    made = plan(
        """
        n1 = source.input()
        n2 = value.number(value=0.25)
        n3 = colour.exposure(image=n1.image; stops=n2.out)
        n4 = sink.output(image=n3.out)
        """
    )
    assert [s.constant for s in made.stages if s.path == "n2"] == [True]


def test_a_delay_closes_a_cycle_and_nothing_else_does(plan):
    loop = """
        n1 = source.input()
        n2 = delay.image(value=n3.out)
        n3 = composite.blend(below=n1.image; above=n2.out)
        n4 = sink.output(image=n3.out)
    """
    assert kinds(plan(loop)).count("delay_write") == 1
    with pytest.raises(ValidationError, match="cycle"):
        plan(loop.replace("delay.image(value=", "colour.invert(image="))


def test_every_region_survives_its_storage_form(plan):
    (kernel,) = plan(CHAIN).kernels
    assert Region.decode(kernel.region.encode()).key == kernel.region.key


def test_a_muted_node_passes_its_input_on(planner):
    muted = effect_from_data(
        {
            "schema": 1, "next_id": 9,
            "nodes": {
                "n1": {"type": "source.input"},
                "n2": {"type": "colour.invert", "muted": True, "inputs": {"image": "n1.image"}},
                "n3": {"type": "colour.exposure", "inputs": {"image": "n2.out"}},
                "n4": {"type": "sink.output", "inputs": {"image": "n3.out"}},
            },
        }
    )  # fmt: skip
    assert planner.plan(muted, Stream(3)).kernels[0].nodes == ("n3",)


def test_an_effect_without_a_sink_and_an_unknown_parameter_are_refused(plan):
    with pytest.raises(CompileError, match=r"sink\.output"):
        plan("n1 = source.input()\nn2 = colour.invert(image=n1.image)")
    with pytest.raises(UsageError, match="no public parameter 'shine'"):
        plan(CHAIN, values={"shine": 1})


def test_a_node_whose_expression_is_wrong_is_named(planner, nodes, write):
    more = Registry.of(Wrong, nodes["source.input"].cls, nodes["sink.output"].cls)
    text = "n1 = source.input()\nn2 = test.wrong(image=n1.image)\nn3 = sink.output(image=n2.out)"
    with pytest.raises(CompileError, match=r"n2 \(test\.wrong\).*4 components, got 2"):
        Planner(planner.compiler, more).plan(write(text), Stream(3))


def test_the_check_between_passes_finds_a_broken_draft(planner, write):
    draft = build(flatten(write(CHAIN), planner.nodes), Stream(3))
    check(draft, "build")
    with pytest.raises(CompileError, match="after sabotage: n3"):
        check(replace(draft, steps={k: s for k, s in draft.steps.items() if k != "n2"}), "sabotage")
    with pytest.raises(CompileError, match="comes before"):
        check(replace(draft, steps=dict(reversed(draft.steps.items()))), "sabotage")
