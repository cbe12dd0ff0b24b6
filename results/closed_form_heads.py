"""Makes the table of results from the figures that scripts/results has collected.

usage: closed_form_heads.py CASES.csv FOLDER PAGE.md --seeds N [--only NAME] --revision R --load L --command C
"""
import argparse
import json
import os
import pathlib
import re

from tables import median, number, processor, short, sortable, table, worst

HEADER = """# Closed-form heads

Errors of the closed-form head on the shipped problems, against an exact solution or a classical reference. Every
problem is solved with {seeds} seed{s} of the random features (and of the random data, where the family has any), with
the shipped configuration and no other setting than the one in the first column.

- rel L2, rel L1, max: median and worst over the seeds; of a family the worst task counts.
- rows, features, rank, condition: of the run with the median rel L2, its worst task; where there are time windows, of
  the window with the largest hold-out residual. patches: the most in one window.
- hold-out: relative residual at unseen points, the worst over the seeds.
- head s: seconds for all tasks of a run together, median over the seeds. ref. s: the same for the references.
- ref. error: the reference's own estimate of its error relative to max |u| (0: exact solution); errors below it say
  nothing.
- error holds: the worst rel L2 is at most the target. time holds: the median of head s is at most the target.
"""

COLUMNS = ["problem", "rel L2 median", "rel L2 worst", "rel L1 median", "rel L1 worst", "max median", "max worst",
           "rows", "features", "rank", "condition", "windows", "patches", "hold-out", "head s", "reference", "ref. s",
           "ref. error", "target error", "error holds", "target s", "time holds"]


def read_cases(path):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, config, overrides, error, seconds = line.split(",")
            yield name, config, overrides, float(error), float(seconds)


class Run:
    """What one call of the program has measured: errors of the worst task, seconds of all tasks."""

    def __init__(self, path):
        record = json.loads(path.read_text())
        tasks = record["tasks"]
        self.record = record

        def error(task, key):
            return worst(number(field[key]) for field in task["errors"].values())

        self.errors = {key: worst(error(task, key) for task in tasks) for key in ("rel_l2", "rel_l1", "max")}
        self.holdout = worst(number(task["head"]["residual_holdout"]) for task in tasks)
        self.head_seconds = sum(number(task["seconds"]["head"]) for task in tasks)
        self.reference_seconds = sum(number(task["seconds"]["reference"]) for task in tasks)
        references = [task["reference"] for task in tasks if task["reference"]]
        self.reference = ", ".join(sorted({reference["name"] for reference in references})) or "none"
        self.reference_error = worst(number(reference["error_estimate"]) for reference in references)
        self.head = max(tasks, key=lambda task: sortable(error(task, "rel_l2")))["head"]


def seconds(value):
    return "-" if value != value else f"{value:.2f}"


def row(case, runs, failed):
    name, config, overrides, target_error, target_seconds = case
    title = config.removesuffix(".cfg") + "".join(f" {o.split('.')[-1]}" for o in overrides.split())
    if failed:
        title += f" ({failed} failed)"
    targets = [f"{target_error:.0e}", f"{target_seconds:g}"]
    if not runs:
        return [title] + ["-"] * 17 + [targets[0], "no", targets[1], "no"]
    errors = {key: [run.errors[key] for run in runs] for key in ("rel_l2", "rel_l1", "max")}
    typical = sorted(runs, key=lambda run: sortable(run.errors["rel_l2"]))[(len(runs) - 1) // 2].head
    head_seconds = median([run.head_seconds for run in runs])
    cells = [title]
    for key in ("rel_l2", "rel_l1", "max"):
        cells += [short(median(errors[key])), short(worst(errors[key]))]
    cells += [str(typical["rows"]), str(typical["features"]), str(typical["rank"]), short(number(typical["condition"])),
              str(typical["windows"]), str(typical["patches"]), short(worst(run.holdout for run in runs)),
              seconds(head_seconds), ", ".join(sorted({run.reference for run in runs})),
              seconds(median([run.reference_seconds for run in runs])),
              short(worst(run.reference_error for run in runs))]
    holds = failed == 0 and worst(errors["rel_l2"]) <= target_error
    return cells + [targets[0], "yes" if holds else "no", targets[1],
                    "yes" if failed == 0 and head_seconds <= target_seconds else "no"]


def libraries(folder):
    """The line in which the program states its libraries, from any log."""
    for log in sorted(folder.glob("*.log")):
        line = re.search(r"^torsor: (LibTorch .*)$", log.read_text(errors="replace"), re.M)
        if line:
            return line.group(1)
    return "unknown"


def main():
    parser = argparse.ArgumentParser()
    for name in ("cases", "folder", "page"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--seeds", type=int, required=True)
    for name in ("--only", "--revision", "--load", "--command"):
        parser.add_argument(name, default="")
    options = parser.parse_args()

    rows, all_runs = [], []
    for case in read_cases(options.cases):
        if options.only and case[0] != options.only:
            continue
        paths = [options.folder / f"{case[0]}.{10 * k}.json" for k in range(options.seeds)]
        runs = [Run(path) for path in paths if path.exists()]
        rows.append(row(case, runs, options.seeds - len(runs)))
        all_runs += runs

    text = HEADER.format(seeds=options.seeds, s="" if options.seeds == 1 else "s") + "\n" + table(COLUMNS, rows)
    records = [run.record for run in all_runs]
    dates = sorted(record["date"] for record in records) or ["unknown"]
    threads = sorted({record["threads"] for record in records})
    versions = sorted({f"{record['version']} ({record['precision']})" for record in records})
    text += f"""
Machine: {processor()}, {len(os.sched_getaffinity(0))} cores; threads: {', '.join(map(str, threads)) or 'unknown'}; \
load average before the first run: {options.load}.
Versions: torsor {', '.join(versions) or 'unknown'}, revision {options.revision}; {libraries(options.folder)}.
Dates: {dates[0]} to {dates[-1]}.
Command: `{options.command}`.
"""
    options.page.write_text(text)


if __name__ == "__main__":
    main()
