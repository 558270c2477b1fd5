"""What of the bound's gap other encoders leave, steps for each image, and other whole models.

The quantities are those of ``looseness.yml``, written before the runs; some await wider encoders
and models.
"""

from collections.abc import Callable
from dataclasses import dataclass

from vaelib.measure.encoders import EPOCHS
from vaelib.measure.refinement import STEPS
from vaelib.study.design import HELD, WHOLE, whole_models
from vaelib.study.records import select, settings_of
from vaelib.study.statistics import each_over_seeds, over_seeds
from vaelib.vae.model import UNITS

ANEW = {int(part.removeprefix("encoders_")): part for part in HELD if part != "encoders_again"}
"""Units of encoders that start anew → their part."""
LOST = 30  # nats, the mean gap from which on a class counts as lost

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

ANSWERED = (
    "training_closes_half",
    "own_is_nearer",
    "longer_training_widens",
    "longer_training_gains",
    "bound_hides_gain",
    "width_halves_whole",
)
"""Those for which all is recorded."""


def summarise_looseness(records: list[dict]) -> dict:
    """Summarise what of the gap is left on held decoders, and what a longer training changes.

    Args:
        records: from :func:`vaelib.study.records.read`.

    Returns:
        ``own``, of the encoder that each decoder was trained with, and ``held``, by units of an
        encoder that started anew, or ``again`` for the own one trained on, and by number of
        epochs: the mean and the median of the ``gap``, its mean on training images, and living
        units; ``lost``, of how many encoders that started anew some class has a mean gap of over
        ``LOST`` nats, by units and number of epochs; ``whole``, of whole models, by units and
        number of epochs; ``steps``, of ``test`` and ``training`` images, by number of steps, the
        gap; ``full``, of the model with full covariance; and ``differences``, by seed: what
        ``training`` the own encoder on closes, how much less it leaves on training images than on
        ``unseen`` ones, and how much it did before, what ``width``, 64 units instead of 16, closes
        after the longest training, and ``more_width``, 256 instead of 64, and what that closes on
        training images, ``more_width_seen``, what ``steps`` close,
        what the full covariance adds to evidence and gap, what 256 units instead of 16 add to a
        whole model's evidence, ``wider_gains``, and take from its gap, ``wider_narrows``, and
        those of ``QUANTITIES`` that are ``ANSWERED``. ``own`` and ``whole`` also have ``family``,
        what the nearest diagonal Gaussians leave of 100 images. All but ``lost`` are summaries over
        seeds, in nats but for ``living``.
    """
    loss = {"reconstruction_loss": "bce", "beta": 1.0, "latent_dim": 2}
    known = {settings_of(record): record for record in records}
    held = [one for one in select(records, recipe="report", **loss) if "encoder" in one]
    models = [whole_models(one["settings"]["seed"]) for one in held]
    whole = [
        {at: known[model] for at, model in of_seed.items()}
        for of_seed in models
        if known.keys() >= set(of_seed.values())  # else a record is gone, which the build counts
    ]
    base = [of_seed[UNITS, 3] for of_seed in whole]
    return {
        "own": each_over_seeds([_own(record) for record in base]),
        "held": {
            part.removeprefix("encoders_"): {
                str(epochs): each_over_seeds([_cell(record[part][str(epochs)]) for record in base])
                for epochs in EPOCHS
            }
            for part in HELD
        },
        "lost": {
            str(units): {
                str(epochs): sum(max(r[part][str(epochs)]["by_class"]) > LOST for r in base)
                for epochs in EPOCHS
            }
            for units, part in ANEW.items()
        },
        "whole": {
            f"{units}": {
                f"{epochs}": each_over_seeds([_whole(models[units, epochs]) for models in whole])
                for of, epochs in WHOLE
                if of == units
            }
            for units, _ in WHOLE
        },
        "steps": {
            name: {
                str(steps): over_seeds(r["refinement"][name][str(steps)]["gap"] for r in base)
                for steps in STEPS
            }
            for name in ("test", "training")
        },
        "full": each_over_seeds([record["full_covariance"] for record in base]),
        "differences": each_over_seeds(
            [_differences(*both) for both in zip(base, whole, strict=True)]
        ),
    }


def _cell(found: dict) -> Cell:
    return {name: value for name, value in found.items() if name != "by_class"}


def _own(record: dict) -> Cell:
    return _cell(record["encoder"]) | {"family": record["evidence"]["split"]["family"]}


def _whole(record: dict) -> Cell:
    evidence = {name: record["evidence"][name] for name in ("log_evidence", "bound")}
    return _own(record) | evidence


def _differences(record: dict, whole: dict[tuple[int, int], dict]) -> Cell:
    most = EPOCHS[-1]
    own, again = record["encoder"], record["encoders_again"][str(most)]
    seed = Seed(
        own,
        {(n, at): record[part][str(at)] for n, part in ANEW.items() for at in EPOCHS},
        {at: _whole(model) for at, model in whole.items()},
    )
    steps, full = record["refinement"]["test"], record["full_covariance"]
    usual, wider = seed.whole[16, 3], seed.whole[256, 3]
    return {
        "training": own["gap"] - again["gap"],
        "unseen": again["gap"] - again["training_gap"],
        "unseen_before": own["gap"] - own["training_gap"],
        "width": seed.gap(16, most) - seed.gap(64, most),
        "more_width": seed.gap(64, most) - seed.gap(256, most),
        "more_width_seen": seed.held[64, most]["training_gap"]
        - seed.held[256, most]["training_gap"],
        "wider_gains": wider["log_evidence"] - usual["log_evidence"],
        "wider_narrows": usual["gap"] - wider["gap"],
        "steps": steps["0"]["gap"] - steps[str(STEPS[-1])]["gap"],
        "full_evidence": full["log_evidence"] - record["evidence"]["log_evidence"],
        "full_gap": full["gap"] - own["gap"],
        **{name: QUANTITIES[name](seed) for name in ANSWERED},
    }


def values_of(seeds: list[Seed]) -> dict[str, list[float]]:
    """Return every quantity, one value per seed."""
    return {name: [of(seed) for seed in seeds] for name, of in QUANTITIES.items()}
