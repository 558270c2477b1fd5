"""Where things lie in the folder of the book; paths are relative to it."""

import os
import sys
from datetime import datetime
from pathlib import Path

NOTEBOOKS = Path("notebooks")  # templates of a book's own, beside those of the library
ENTRIES = Path("notebooks.yml")  # which template is executed under which name
EXECUTED = Path("executed")  # what the build makes: a folder per entry, which may hold a run
SETTINGS = Path(".settings")  # in EXECUTED: what Jupyter and matplotlib keep for themselves
CHECKPOINT = ".checkpoint-"  # begins the name of a file: the state of a training after an epoch
OFFERED = Path("explorer.json")  # in the folder of a notebook that measures the evidence

RECORDED = Path("recorded")  # what was measured once and is part of the repository
RECORDS = RECORDED / "records"  # a training per file
# No longer used; records depend on this file, so the line goes when they are made again.
EARLIER = RECORDED / "records-first-edition"
ORIGINAL = RECORDED / "original" / "results.csv"
ORIGINAL_HISTORY = RECORDED / "original" / "bce_history.csv"
README_FIGURE = RECORDED / "readme.png"
CLAIMS = Path("claims.yml")
QUESTIONS = Path("questions.yml")
LOOSENESS = Path("looseness.yml")  # the questions on width, training and generalisation
CODES = Path("codes.yml")  # the questions on every network under every code
SUMMARY = Path("_build", "reproduction.json")  # what the records say together; the build derives it
YARDSTICKS = RECORDED / "yardsticks.json"


def find_book() -> Path:
    """Find the book's folder: the current one, or ``book`` in it or in a folder above.

    In a build's own processes it is that build's, which ``VAELIB_BOOK`` names: seen from within,
    the folder of runs may be a link to somewhere else.

    Raises:
        FileNotFoundError: there is none.
    """
    if named := os.environ.get("VAELIB_BOOK"):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        for book in (folder, folder / "book"):
            if (book / ENTRIES).exists():
                return book
    raise FileNotFoundError(
        f"there is no book (a folder with {ENTRIES}) in or above {here}: "
        "start from the root of the repository"
    )


def require_own_library(book: Path) -> None:
    """Refuse to build a book with the library of another checkout.

    A copied ``.venv`` starts the programs of the one from which it was copied.

    Raises:
        ValueError: this library is another one than lies beside the book.
    """
    beside, running = book.resolve().parent / "src" / "vaelib", Path(__file__).resolve().parents[1]
    if (beside / "__init__.py").exists() and beside != running:
        raise ValueError(
            f"the library that runs is {running}, and the checkout of this book has its own, "
            f"{beside}: make a new .venv here (make book does)"
        )


def require_readable(book: Path) -> None:
    """Refuse a path that some process could not read, for names of files are bytes.

    Raises:
        ValueError: it has other letters than those of ASCII, and either they are no UTF-8 or this
            Python takes them for something else, as in some locales.
    """
    path, encoding = str(book.resolve()), sys.getfilesystemencoding()
    lost = any("\udc80" <= letter <= "\udcff" for letter in path)  # how Python keeps other bytes
    if lost or (encoding != "utf-8" and not path.isascii()):
        raise ValueError(
            f"the path of the book, {path!a}, cannot be read as {encoding}: rename the folder, "
            "or set PYTHONUTF8=1 if its letters are UTF-8"
        )


def by_hand(name: str) -> Path:
    """Name a new folder, under ``by-hand`` in the current one, for what no book shows."""
    return Path("by-hand", f"{name}-{datetime.now():%Y%m%d-%H%M%S-%f}")


def new_folder(given: str, name: str) -> Path:
    """Return a folder in which nothing is replaced: the one that is given, or else a new one.

    Raises:
        FileExistsError: there is something in the given folder.
    """
    folder = Path(given) if given else by_hand(name)
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty, and nothing is replaced: choose another one")
    return folder


def run_folder(run: str, runs: str) -> Path:
    """Return the folder of a run: in a folder of runs, or else itself, or else in the book."""
    if runs or Path(run).is_dir():
        return Path(runs, run)
    return find_book() / EXECUTED / run
