"""What the scripts that make tables of results share: figures of runs as text, tables, the machine they ran on."""
import pathlib
import random
import re
import statistics


def number(value):
    """A number of a JSON file; null stands for one that is not finite or not known."""
    return float("nan") if value is None else float(value)


def worst(values):
    """The largest; a value that is not a number counts as the worst."""
    values = list(values)
    return next((v for v in values if v != v), max(values)) if values else float("nan")


# Knudsen numbers that the networks of linear transport are not trained on.
HELD_OUT, LOWEST = 20, 1e-8


def held_out():
    """One in each of equal slices of the logarithm."""
    draw = random.Random(20)
    return sorted(float(f"{LOWEST ** ((k + draw.random()) / HELD_OUT):.3g}") for k in range(HELD_OUT))


def median(values):
    """Not a number where one of them is none."""
    values = list(values)
    return float("nan") if any(v != v for v in values) else statistics.median(values)


def sortable(value):
    return float("inf") if value != value else value


def short(value):
    return "-" if value != value else f"{value:.1e}"


def spread(values):
    """Median (least … greatest)."""
    return f"{short(median(values))} ({short(min(values))} … {short(worst(values))})"


def table(columns, rows):
    lines = ["| " + " | ".join(cells) + " |\n" for cells in [columns] + rows]
    return lines[0] + "|" + "---|" * len(columns) + "\n" + "".join(lines[1:])


def processor():
    model = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return model.group(1) if model else "unknown"
