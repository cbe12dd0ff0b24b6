"""Times one peer; talks to compare.py line by line.

    load OPERATOR WIDTH DEPTH POINTS TYPE WEIGHTS_FILE POINTS_FILE   ->  ok LOSS GRADIENT_NORM   or   failed WHY
    time REPETITIONS                                                 ->  seconds of the fastest
"""
import importlib
import resource
import sys
import time

import numpy

from operators import COORDINATES, OUTPUTS


def layers_of(weights, operator, width, depth):
    """[(W, b), ...] of the vector W_1, b_1, ..., each matrix row by row (outputs x inputs)."""
    sizes = [COORDINATES[operator]] + [width] * depth + [OUTPUTS[operator]]
    layers, at = [], 0
    for inputs, outputs in zip(sizes, sizes[1:]):
        w = weights[at:at + inputs * outputs].reshape(outputs, inputs)
        b = weights[at + inputs * outputs:at + (inputs + 1) * outputs]
        layers.append((w, b))
        at += (inputs + 1) * outputs
    assert at == len(weights)
    return layers


MEMORY = 5 << 30  # bytes of data; a peer that needs more fails in this case alone


def main():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    peer = importlib.import_module(sys.argv[1])
    variant = sys.argv[2]
    step = None
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "load":
            operator, width, depth, _, kind, weights, points = arguments
            numbers = numpy.float64 if kind == "float64" else numpy.float32
            weights = numpy.fromfile(weights).astype(numbers)
            points = numpy.fromfile(points).astype(numbers).reshape(-1, COORDINATES[operator])
            try:
                step = None  # frees what the last case held
                step = peer.make(variant, operator, layers_of(weights, operator, int(width), int(depth)), points)
                loss, gradient = step()
                print("ok", float(loss), float(numpy.sqrt(sum((numpy.asarray(g, dtype=numpy.float64)**2).sum()
                                                              for g in gradient))), flush=True)
            except (RuntimeError, MemoryError, NotImplementedError) as error:  # too large for the memory
                print("failed", str(error).splitlines()[0][:100] or type(error).__name__, flush=True)
        elif command == "time":
            best = float("inf")
            for _ in range(int(arguments[0])):
                start = time.perf_counter()
                step()
                best = min(best, time.perf_counter() - start)
            print(best, flush=True)


main()
