"""Write the README's figure and numbers from the runs of the book at hand (``make readme``)."""

from pathlib import Path

from PIL import Image

from vaelib.build.derived import read_summary
from vaelib.plumbing.files import read_sealed
from vaelib.plumbing.places import EXECUTED, README_FIGURE, find_book
from vaelib.study.original import original_losses
from vaelib.training import folder

BEGIN, END = "<!-- numbers: written by make readme -->", "<!-- end of numbers -->"


def block(book: Path) -> str:
    """Write the table and the sentence about where it was made."""
    runs = book / EXECUTED
    original = original_losses(book)
    lines = ["| test loss per image | original | this report | training |", "|---|---:|---:|---:|"]
    for run, label in (("bce", "cross-entropy (BCE) + KL"), ("mse", "squared error (MSE) + KL")):
        claimed = original[run]["test"]["total"]
        total = folder.read(runs / run, "losses")["test"]["total"]
        seconds = folder.read(runs / run, "outcome")["training_seconds"]
        lines.append(f"| {label} | {claimed} | {total:.3f} | {seconds:.0f} s |")
    summary = read_summary(book)
    recorded = summary["recorded"]["original"]
    settings, environment = (
        folder.read(runs / "bce", part) for part in ("settings", "environment")
    )
    seconds = read_sealed(runs / "compare" / "times.json")["training_seconds"]
    lines += [
        "",
        f"One seed ({settings['seed']}), recipe `{settings['recipe']}`, KL divergence averaged "
        "over the latent dimensions as in the original; "
        f"{environment['cores']} cores ({environment['processor']}), "
        f"PyTorch {environment['versions']['torch']}, Python {environment['versions']['python']}, "
        f"{environment['date']}. The book's trainings run side by side, here with "
        f"{environment['threads']} of the cores each; they took {seconds:.0f} s on average.",
        "",
        f"The original's claims are judged by {recorded['records']} records with its own recipe, "
        f"{recorded['seeds']} seeds for each loss. "
        f"Stale: {summary['parts']['stale']} of {summary['parts']['all']} parts of all records. "
        'The chapter "What of the original reproduces" has the verdicts one by one.',
    ]
    return "\n".join(lines)


def main() -> None:
    """Copy the figure and replace what stands between the two marks."""
    book = find_book()
    if folder.read(book / EXECUTED / "bce", "settings")["recipe"] != "report":
        raise SystemExit("the book at hand has another recipe than report: run make book first")
    figure = book / EXECUTED / "compare" / "figures" / "decoded.png"  # which has no colour
    Image.open(figure).convert("L").save(book / README_FIGURE, optimize=True)
    readme = book.parent / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(f"{before}{BEGIN}\n{block(book)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
