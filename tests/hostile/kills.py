"""Kill builds at random times, each followed at once by a build that must succeed.

Usage: python -m tests.hostile.kills NUMBER [SEED] [BOOK]   (in the root; BOOK: small or training)

Each time one notebook of a book is made stale, `vaelib build` starts, and after a random time a
random signal goes to it, or to a random process below it (but for Python's own keeper of
semaphores). Then, and at once:

- every folder that is published is whole, by the SHA-256 of its files;
- the next build succeeds, and leaves what an undisturbed build leaves;
- no process of the killed build is left over.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

import nbformat
import psutil
import yaml

from vaelib.plumbing import files

from ..signals import heed

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 120  # seconds that a build may take
MARK = "VAELIB_KILLED"  # variable by which the processes of a build are found; it passes to all
SOURCE = """
from pathlib import Path
from vaelib.plumbing.checks import require
require("word", word, ["one", "two"])
for number in range(20):
    Path(output_folder, f"figure-{number}.svg").write_text(word * 100_000)
print(word, recipe)
"""


def template(file: Path, parameters: str, source: str) -> None:
    """Write a template with its parameters, and one cell."""
    cells = [
        nbformat.v4.new_markdown_cell("# A template\n\nIts text."),
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(source, metadata={"mystnb": {"image": {"alt": "a word"}}}),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), file)


def small_book(folder: Path) -> Path:
    """Make a book whose notebooks are quick: they import no PyTorch, and write many files."""
    parameters = 'word = "one"\nrecipe = "report"\noutput_folder = "."'
    template(folder / "book" / "notebooks" / "say.ipynb", parameters, SOURCE)
    say = {name: {"word": "one"} for name in ("first", "second")}
    write(folder / "book", say, "say")
    return folder


def training_book(folder: Path) -> Path:
    """Make a book with the real template of a training."""
    (folder / "book").mkdir()
    write(folder / "book", {"bce": {"seed": 0}, "mse": {"seed": 1}}, "train")
    return folder


def write(book: Path, entries: dict[str, dict], template: str) -> None:
    runs = {
        name: {"template": template, "title": name, "parameters": parameters}
        for name, parameters in entries.items()
    }
    files.write_bytes(yaml.safe_dump(runs, sort_keys=False).encode(), book / "notebooks.yml")


def build(folder: Path, **more) -> subprocess.Popen:
    program = Path(sys.executable).with_name("vaelib")
    return subprocess.Popen(
        [program, "build", "--recipe", "smoke"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heed,
        **more,
    )


def left_over(mark: str) -> list[psutil.Process]:
    """Find the processes that a build with this mark started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def require_whole(book: Path) -> None:
    """Check that every folder that a page could show is what was left there."""
    for page in book.glob("executed/[!.]*/page.json"):
        damaged = files.damaged(page.parent)
        assert not damaged, f"{page.parent} shows {damaged}"
    for folder in book.glob("executed/[!.]*"):
        assert (folder / "page.json").exists(), f"{folder} is published without its record"


def kill_once(folder: Path, rng: random.Random, longest: float) -> str:
    """Kill a build, build again, and check; return what was killed, and how."""
    book = folder / "book"
    entries = yaml.safe_load((book / "notebooks.yml").read_text())
    name = rng.choice(list(entries))
    parameters = entries[name]["parameters"]
    if "word" in parameters:
        parameters["word"] = {"one": "two", "two": "one"}[parameters["word"]]
    else:
        parameters["seed"] = rng.randrange(1000)
    (template,) = {entry["template"] for entry in entries.values()}
    write(book, {name: entry["parameters"] for name, entry in entries.items()}, template)
    mark = uuid.uuid4().hex
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    process = build(folder, env=os.environ | {MARK: mark, "TMPDIR": str(temporary)})
    time.sleep(rng.random() * longest)
    number = rng.choice(SIGNALS)
    below = []
    if rng.random() < 0.5:
        try:
            below = [
                child
                for child in psutil.Process(process.pid).children(recursive=True)
                if not any("resource_tracker" in word for word in child.cmdline())
            ]
        except psutil.Error:  # it has ended
            below = []
    target = rng.choice(below).pid if below else process.pid
    kind = f"{'a process below' if below else 'the build'}, {number.name}"
    try:
        os.kill(target, number)
    except ProcessLookupError:
        kind = "nothing: it had ended"
    require_whole(book)
    again = build(folder, env=os.environ | {"TMPDIR": str(temporary)})
    output, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, f"{kind}: {output}"
    first, _ = process.communicate(timeout=PATIENCE)
    if below:  # Python itself may say more of a process that is killed while it starts
        assert first.splitlines()[-1].startswith(("Error: ", "Aborted!", *entries)), first
    elif number != signal.SIGKILL and "\nnotebook " in f"\n{first}":  # the command had begun
        assert process.returncode == 0 or "Aborted!" in first or "done in" in first, first
    require_whole(book)
    for name, entry in entries.items():
        if "word" in entry["parameters"]:
            for figure in (book / "executed" / name).glob("figure-*.svg"):
                assert figure.read_text() == entry["parameters"]["word"] * 100_000, figure
    assert output.split()[-2 * len(entries) :] == [w for name in entries for w in (name, "fresh")]
    assert not list(book.glob("executed/.partial-*")), kind
    assert not list(book.glob("executed/.outdated-*")), kind
    left = left_over(mark)
    assert not left, f"{kind}: {left}"
    assert not list(temporary.iterdir()), f"{kind}: {list(temporary.iterdir())}"
    return kind


def main(number: int, seed: int, make_book=small_book) -> Counter:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="kills ") as place:
        folder = make_book(Path(place))
        start = time.perf_counter()
        with build(folder) as first:
            output, _ = first.communicate(timeout=PATIENCE)
        assert first.returncode == 0, output
        longest = 0.8 * (time.perf_counter() - start)  # of one notebook instead of two
        kinds: Counter = Counter()
        for turn in range(number):
            kinds[kill_once(folder, rng, longest)] += 1
            if turn % 50 == 49:
                print(turn + 1, f"{time.perf_counter() - start:.0f} s", dict(kinds), flush=True)
    return kinds


if __name__ == "__main__":
    arguments = sys.argv[1:] + ["0", "small"][len(sys.argv) - 2 :]
    books = {"small": small_book, "training": training_book}
    found = main(int(arguments[0]), int(arguments[1]), books[arguments[2]])
    for kind, times in sorted(found.items()):
        print(f"{times:5} {kind}")
