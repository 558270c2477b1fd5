"""Why the bound is loose: width, training and generalisation told apart, seed by seed.

The questions are those of ``looseness.yml``, written before the runs that answer them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vaelib.measure.encoders import EPOCHS
from vaelib.measure.refinement import STEPS
from vaelib.plumbing.places import LOOSENESS
from vaelib.study.design import SEEDS, WHOLE, whole_models
from vaelib.study.questions import answer, read_questions
from vaelib.study.records import settings_of
from vaelib.study.statistics import each_over_seeds, over_seeds

FIRST = next(iter(WHOLE))  # of these the decoder is held
WIDTHS = (16, 64, 256, 1024)  # units of encoders on a held decoder

Cell = dict[str, float]


@dataclass(frozen=True)
class Seed:
    """What was measured of one seed, nats per image.

    Args:
        own: ``gap`` of the model whose decoder is held, and what its ``family`` leaves.
        held: units and epochs → what :func:`vaelib.measure.encoders.measure_encoders` found.
        whole: units and epochs of whole models → ``log_evidence``, ``bound`` and ``gap``.
    """

    own: Cell
    held: dict[tuple[int, int], Cell]
    whole: dict[tuple[int, int], Cell]

    def gap(self, units: int, epochs: int) -> float:
        """Return the gap of an encoder on the held decoder."""
        return self.held[units, epochs]["gap"]

    def best(self) -> Cell:
        """Return the encoder with the least gap on test images."""
        return min(self.held.values(), key=lambda cell: cell["gap"])

    def gain(self, name: str) -> float:
        """Return what 12 epochs instead of 3 add to a whole model with 16 units."""
        return self.whole[16, 12][name] - self.whole[16, 3][name]


QUANTITIES: dict[str, Callable[[Seed], float]] = {
    "width_closes_half": lambda s: s.gap(16, 30) / 2 - s.gap(1024, 30),
    "training_closes_half": lambda s: s.gap(16, 3) / 2 - s.gap(16, 30),
    "both_close_half": lambda s: s.gap(16, 3) / 2 - s.gap(1024, 30),
    "own_is_nearer": lambda s: s.gap(16, 3) - s.own["gap"],
    "left_is_not_family": lambda s: s.best()["gap"] - 10 * s.own["family"],
    "left_is_generalisation": lambda s: s.best()["gap"] / 2 - s.best()["training_gap"],
    "longer_training_widens": lambda s: s.gain("gap"),
    "longer_training_gains": lambda s: s.gain("log_evidence"),
    "bound_hides_gain": lambda s: s.gain("log_evidence") - s.gain("bound"),
    "width_halves_whole": lambda s: s.whole[16, 3]["gap"] / 2 - s.whole[256, 3]["gap"],
    "width_halves_whole_later": lambda s: s.whole[16, 12]["gap"] / 2 - s.whole[256, 12]["gap"],
}
"""Name → function of a seed; positive where the answer is yes."""


def summarise_looseness(book: Path, records: list[dict]) -> dict:
    """Summarise what encoders on held decoders, whole models and steps for each image leave.

    Args:
        book: its folder, with ``looseness.yml``.
        records: from :func:`vaelib.study.records.read`.

    Returns:
        ``own``, of the model whose decoder is held; ``held``, by units, or ``again`` for the
        model's own encoder trained on, and by number of epochs, what of encoders was found;
        ``whole``, by units and epochs such as ``256x12``; ``steps``, of ``test`` and ``training``
        images, by number of steps, the gap; and ``full``, of the model with full covariance, all
        of them summaries over seeds in nats; and ``questions``, see
        :func:`vaelib.study.questions.answer`.
    """
    runs = gather(records)
    seeds = [_seed(run) for run in runs]
    base = [run[FIRST] for run in runs]
    return {
        "own": each_over_seeds([seed.own for seed in seeds]),
        "held": {
            str(units): {
                str(epochs): each_over_seeds([record[part][str(epochs)] for record in base])
                for epochs in EPOCHS
            }
            for units, part in PARTS.items()
        },
        "whole": {
            f"{units}x{epochs}": each_over_seeds([seed.whole[units, epochs] for seed in seeds])
            for units, epochs in WHOLE
        },
        "steps": {
            name: {
                str(steps): over_seeds(r["refinement"][name][str(steps)]["gap"] for r in base)
                for steps in STEPS
            }
            for name in ("test", "training")
        },
        "full": each_over_seeds([record["full_covariance"] for record in base]),
        "questions": answer(read_questions(book / LOOSENESS), values_of(seeds)),
    }


PARTS = {units: f"encoders_{units}" for units in (*WIDTHS, "again")}
"""Units of encoders on a held decoder → the part of a record that has them."""


def gather(records: list[dict]) -> list[dict[tuple[int, int], dict]]:
    """Gather the seeds of which every whole model is recorded: units and epochs → record."""
    found = {settings_of(record): record for record in records}
    models = [whole_models(seed) for seed in range(SEEDS["few"])]
    return [
        {at: found[settings] for at, settings in each.items()}
        for each in models
        if found.keys() >= set(each.values())
    ]


def _seed(run: dict[tuple[int, int], dict]) -> Seed:
    base = run[FIRST]
    return Seed(
        own={"gap": base["evidence"]["gap"], "family": base["evidence"]["split"]["family"]},
        held={
            (units, epochs): base[PARTS[units]][str(epochs)]
            for units in WIDTHS
            for epochs in EPOCHS
        },
        whole={
            at: {name: record["evidence"][name] for name in ("log_evidence", "bound", "gap")}
            | record["encoder"]
            for at, record in run.items()
        },
    )


def values_of(seeds: list[Seed]) -> dict[str, list[float]]:
    """Return every quantity, one value per seed."""
    return {name: [of(seed) for seed in seeds] for name, of in QUANTITIES.items()}
