"""Runs the derivative engine and its peers in turn on the same networks and points, and writes the table of ratios.

    compare.py WORKER [--cases headline|all] [--turns N] [--out FOLDER] [--cases-done FILE]

WORKER: build/bench/engine_worker. Every program stays loaded; in each turn each of them in its order repeats the
loss and all weights' gradient a few times, the fastest counts, and ratios are taken within the turn. A case counts
only if all programs agree on the loss and on the norm of the gradient. Cases that FILE
holds are not measured again: an interrupted run goes on. Writes engine-peers.csv, .md and .svg.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy

from operators import COORDINATES, OUTPUTS

HERE = Path(__file__).parent
PEERS = {
    "torch nested": ("torch_peer", "nested"),
    "torch forward": ("torch_peer", "forward"),
    "torch Taylor": ("torch_peer", "taylor"),
    "torch Taylor compiled": ("torch_peer", "compiled"),
    "JAX jinns": ("jax_peer", "jinns"),
    "JAX Taylor": ("jax_peer", "taylor"),
}
# (width, depth, points): the one of the specification, then one quantity varied, then the corners.
SHAPES = {
    "float64": [(64, 4, 4096), (32, 4, 4096), (128, 4, 4096), (256, 4, 1024), (64, 2, 4096), (64, 6, 4096),
                (64, 4, 256), (64, 4, 65536), (32, 2, 256)],
    "float32": [(64, 4, 4096), (32, 4, 4096), (256, 4, 1024), (64, 4, 256)],
}
TOLERANCE = {"float64": 1e-9, "float32": 2e-3}
PATIENCE = 180  # seconds for a load, compilation included


class Program:
    def __init__(self, command):
        self.command, self.process = command, None

    def ask(self, question, patience=PATIENCE):
        """The answer's words; None when the program died or took too long (it is started again then)."""
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True, cwd=HERE)
        timer = threading.Timer(patience, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().split()
        except BrokenPipeError:
            answer = []
        timer.cancel()
        if not answer:
            self.stop()
        return answer or None

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def weights_of(operator, width, depth, random):
    """Glorot-normal matrices, small biases: W_1, b_1, ..., each matrix row by row (outputs x inputs)."""
    sizes = [COORDINATES[operator]] + [width] * depth + [OUTPUTS[operator]]
    parts = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        parts.append(random.normal(0, (2 / (inputs + outputs))**0.5, inputs * outputs))
        parts.append(random.normal(0, 0.1, outputs))
    return numpy.concatenate(parts)


def measure(programs, operator, shape, kind, turns, folder):
    """{program: (seconds, ratio to the engine)}; a text instead where there is no figure."""
    width, depth, count = shape
    random = numpy.random.default_rng(1)
    weights_of(operator, width, depth, random).tofile(folder / "weights")
    random.uniform(0, 1, (count, COORDINATES[operator])).tofile(folder / "points")
    question = f"load {operator} {width} {depth} {count} {kind} {folder / 'weights'} {folder / 'points'}"
    loaded, result, first = {}, {}, None
    for name, program in programs.items():
        answer = program.ask(question)
        if answer is None or answer[0] != "ok":
            result[name] = " ".join(answer[1:]) if answer else f"killed or more than {PATIENCE} s"
            program.stop()
            continue
        figures = [float(x) for x in answer[1:]]
        first = first or figures
        if any(abs(a - b) > TOLERANCE[kind] * abs(b) for a, b in zip(figures, first)):
            sys.exit(f"{name} computes something else on {question}: {figures}, the engine {first}")
        loaded[name] = float(program.ask("time 1")[0])
    times = {name: [] for name in loaded}
    for _ in range(turns):
        for name, once in loaded.items():
            times[name].append(float(programs[name].ask(f"time {max(1, min(5, int(0.4 / once)))}")[0]))
    for name in loaded:
        ratios = [t / own for t, own in zip(times[name], times["engine"])]
        result[name] = (statistics.median(times[name]), statistics.median(ratios))
    return result


def figure(value):
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def write_table(rows, path, conditions):
    peers = list(PEERS)
    lines = ["# The derivative engine beside its peers", "", conditions, "",
             "| operator | network | points | type | engine, ms | " + " | ".join(peers) + " |",
             "|" + "---|" * (5 + len(peers))]
    for operator, (width, depth, count), kind, result in rows:
        cells = [figure(result[p][1]) if isinstance(result.get(p), tuple) else "–" for p in peers]
        lines.append(f"| {operator} | {width}x{depth} | {count} | {kind} | {1e3 * result['engine'][0]:.3g} | "
                     + " | ".join(cells) + " |")
    for name in peers:
        ratios = [r[-1][name][1] for r in rows if isinstance(r[-1].get(name), tuple)]
        if ratios:
            lines += ["" if name == peers[0] else None,
                      f"- {name}: least {min(ratios):.2f}, median {statistics.median(ratios):.1f}, most "
                      f"{max(ratios):.0f} times the engine's time, over {len(ratios)} of {len(rows)} cases."]
    failures = {f"{name}: {r[-1][name]} ({r[0]}, {r[1][0]}x{r[1][1]}, {r[1][2]} points, {r[2]})"
                for r in rows for name in peers if isinstance(r[-1].get(name), str)}
    if failures:
        lines += ["", "No figure (–):", ""] + [f"- {failure}" for failure in sorted(failures)]
    path.write_text("\n".join(line for line in lines if line is not None) + "\n")


def write_csv(rows, path):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["operator", "width", "depth", "points", "type", "program", "seconds", "ratio"])
        for operator, shape, kind, result in rows:
            for name, value in result.items():
                writer.writerow([operator, *shape, kind, name,
                                 *(f"{v:.4g}" for v in value)] if isinstance(value, tuple)
                                else [operator, *shape, kind, name, "", ""])


def draw(rows, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    matplotlib.rcParams["svg.hashsalt"] = "torsor"
    operators = list(dict.fromkeys(row[0] for row in rows))
    figure_, axes = pyplot.subplots(2, len(operators), figsize=(3 * len(operators), 6.5), sharex=True, sharey=True,
                                    squeeze=False)
    shapes = [s for s in SHAPES["float64"] if any(row[1] == s for row in rows)]
    for column, operator in enumerate(operators):
        for line, kind in enumerate(("float64", "float32")):
            axis = axes[line][column]
            for name in PEERS:
                points = [(shapes.index(s), r[name][1]) for o, s, k, r in rows
                          if o == operator and k == kind and isinstance(r.get(name), tuple)]
                axis.plot([p[0] for p in points], [p[1] for p in points], "o", markersize=4, label=name)
            axis.axhline(1, color="black", linewidth=0.8)
            axis.set_yscale("log")
            axis.set_title(f"{operator}, {kind}", fontsize=9)
            axis.set_xticks(range(len(shapes)), [f"{w}x{d}, {n}" for w, d, n in shapes], rotation=90, fontsize=7)
            axis.grid(True, axis="y", alpha=0.3)
    axes[0][0].set_ylabel("time / engine's time")
    axes[1][0].set_ylabel("time / engine's time")
    axes[0][0].legend(fontsize=7)
    figure_.tight_layout()
    figure_.savefig(path, metadata={"Date": None})


def processor():
    names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker")
    parser.add_argument("--cases", choices=["headline", "all"], default="all")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--cases-done", type=Path, default=Path("engine-cases.json"))
    options = parser.parse_args()
    threads = os.environ.get("OMP_NUM_THREADS", "2")
    programs = {"engine": Program([os.path.abspath(options.worker)])}
    for name, arguments in PEERS.items():
        programs[name] = Program([sys.executable, str(HERE / "worker.py"), *arguments])
    options.out.mkdir(parents=True, exist_ok=True)
    options.cases_done.parent.mkdir(parents=True, exist_ok=True)
    done = json.loads(options.cases_done.read_text()) if options.cases_done.exists() else {}
    load = os.getloadavg()[0]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("float64", "float32"):
            for shape in SHAPES[kind] if options.cases == "all" else SHAPES[kind][:1]:
                for operator in COORDINATES:
                    case = f"{operator} {shape} {kind}"
                    if case not in done:
                        done[case] = measure(programs, operator, shape, kind, options.turns, Path(folder))
                        options.cases_done.write_text(json.dumps(done))
                    result = {n: tuple(v) if isinstance(v, (list, tuple)) else v for n, v in done[case].items()}
                    rows.append((operator, shape, kind, result))
                    print(operator, *shape, kind, {n: figure(v[1]) if isinstance(v, tuple) else v
                                                   for n, v in result.items()}, flush=True)
    for program in programs.values():
        program.stop()
    rows.sort(key=lambda row: (list(COORDINATES).index(row[0]), row[2] == "float32"))
    versions = " ".join(line.strip() for line in (HERE / "requirements.txt").read_text().splitlines())
    conditions = (
        f"Command: `bench/run --cases {options.cases} --turns {options.turns}`. Loss and gradient by all weights "
        f"of the mean squared residual, tanh networks with W x D hidden layers; the figures are the peer's time over the "
        f"engine's, medians of {options.turns} turns in which every program runs one after the other. A peer that needs more than 5 GB of data has no "
        f"figure. {processor()}, "
        f"{threads} threads, load average before the start {load:.1f}; {versions}.")
    write_table(rows, options.out / "engine-peers.md", conditions)
    write_csv(rows, options.out / "engine-peers.csv")
    draw(rows, options.out / "engine-peers.svg")


if __name__ == "__main__":
    main()
