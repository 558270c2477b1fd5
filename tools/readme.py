"""Write the README's figure and numbers from the runs of the book at hand (``make readme``)."""

import csv
import json
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = ROOT / "book" / "runs"
FIGURE = ROOT / "book" / "recorded" / "readme.png"
BEGIN, END = "<!-- numbers: written by make readme -->", "<!-- end of numbers -->"


def record(run: str, name: str) -> dict:
    """Read a JSON record of a run."""
    return json.loads((RUNS / run / f"{name}.json").read_text(encoding="utf-8"))


def block() -> str:
    """Write the table and the sentence about where it was made."""
    with open(ROOT / "book/recorded/original/results.csv", encoding="utf-8") as file:
        original = {
            row["reconstruction_loss"]: row
            for row in csv.DictReader(file)
            if row["split"] == "test"
        }
    lines = [
        "| test loss per image | original | this report | training |",
        "|---|---:|---:|---:|",
    ]
    for run, label in (("bce", "cross-entropy (BCE) + KL"), ("mse", "squared error (MSE) + KL")):
        total = record(run, "losses")["test"]["total"]
        seconds = record(run, "environment")["training_seconds"]
        lines.append(f"| {label} | {original[run]['total']} | {total:.3f} | {seconds:.0f} s |")
    summary = json.loads((ROOT / "book/recorded/reproduction.json").read_text(encoding="utf-8"))
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in summary["verdicts"].items())
    recorded = summary["recorded"]["original"]
    settings, environment = record("bce", "settings"), record("bce", "environment")
    seconds = record("compare", "numbers")["training_seconds"]
    lines += [
        "",
        f"One seed ({settings['seed']}), recipe `{settings['recipe']}`, KL divergence averaged "
        "over the latent dimensions as in the original; "
        f"{environment['cores']} cores ({environment['processor']}), "
        f"PyTorch {environment['versions']['torch']}, Python {environment['versions']['python']}, "
        f"{environment['date']}. The book's trainings run side by side, here with "
        f"{environment['threads']} of the cores each; they took {seconds:.0f} s on average.",
        "",
        f"The original's twelve claims: {verdicts}; the numbers and effects by "
        f"{recorded['runs']} recorded runs with its own recipe, {recorded['seeds']} seeds each. "
        'The chapter "What of the original reproduces" has the verdicts one by one.',
    ]
    return "\n".join(lines)


def main() -> None:
    """Copy the figure and replace what stands between the two marks."""
    if record("bce", "settings")["recipe"] != "report":
        raise SystemExit("the book at hand has another recipe than report: run make book first")
    shutil.copyfile(RUNS / "compare" / "figures" / "reconstructions.png", FIGURE)
    readme = ROOT / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{block()}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
