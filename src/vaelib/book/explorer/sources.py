"""What the explorer's script of a run is made of: files of the build, or a record."""

from pathlib import Path

from safetensors.numpy import load_file

from vaelib.measure.explored import explored
from vaelib.plumbing.files import read_json
from vaelib.plumbing.places import EXECUTED, OFFERED, RECORDS
from vaelib.study.design import CODED, OBJECTIVES
from vaelib.study.records import path_of
from vaelib.training import folder
from vaelib.training.settings import Settings


def files(book: Path, name: str) -> list[Path]:
    """List the files that the script of a run is made of.

    Of a run of the build, its weights and what its notebook chose; of any other, its record.
    """
    runs = book / EXECUTED
    if name in OBJECTIVES:
        return [runs / name / folder.FILES["weights"], runs / f"evidence-{name}" / OFFERED]
    return [path_of(book / RECORDS, Settings(*CODED[name]))]


def data_of(file: Path, chosen: Path | None = None) -> dict:
    """Read what the explorer needs of a run, from its :func:`files`."""
    return explored(load_file(file), read_json(chosen)) if chosen else read_json(file)["explored"]
