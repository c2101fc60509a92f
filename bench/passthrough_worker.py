"""Runs inside MediaPipe 0.10.21's own environment: a chain of PassThroughCalculators, timed for whoever holds its pipes.

    passthrough_worker.py NODES THREADS      (0 threads: MediaPipe's default)

Each line of input is a number of frames; each line of output is the mean microseconds of such a frame. A frame is one
integer packet put in, and waited for until it has come out at the end.
"""

from __future__ import annotations

import os
import sys
import time


def graph_of(nodes: int, threads: int) -> str:
    chain = "".join(
        f'node {{ calculator: "PassThroughCalculator" input_stream: "s{i}" output_stream: "s{i + 1}" }}\n'
        for i in range(nodes)
    )
    return f'input_stream: "s0"\noutput_stream: "s{nodes}"\n' + (f"num_threads: {threads}\n" if threads else "") + chain


def main() -> None:
    talk = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what MediaPipe prints must not fall into the answers
    from mediapipe.python import packet_creator
    from mediapipe.python._framework_bindings import calculator_graph

    nodes, threads = int(sys.argv[1]), int(sys.argv[2])
    graph = calculator_graph.CalculatorGraph(graph_config=graph_of(nodes, threads))
    arrived = []
    graph.observe_output_stream(f"s{nodes}", lambda _, packet: arrived.append(None))
    graph.start_run()
    stamp = 0
    for line in sys.stdin:
        frames = int(line)
        arrived.clear()
        start = time.perf_counter()
        for _ in range(frames):
            graph.add_packet_to_input_stream("s0", packet_creator.create_int(stamp), stamp)
            graph.wait_until_idle()
            stamp += 1
        spent = time.perf_counter() - start
        assert len(arrived) == frames
        print(1e6 * spent / frames, file=talk, flush=True)
    graph.close_all_packet_sources()
    graph.wait_until_done()


if __name__ == "__main__":
    main()
