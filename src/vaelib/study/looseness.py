"""Why the bound is loose: width, training and generalisation told apart, seed by seed.

The quantities are those of ``looseness.yml``, written before the runs that answer its questions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vaelib.measure.encoders import EPOCHS
from vaelib.measure.refinement import STEPS
from vaelib.plumbing.places import LOOSENESS
from vaelib.study.design import HELD, WHOLE, Key, whole_models
from vaelib.study.questions import answer, read_questions
from vaelib.study.records import select, settings_of, uses_all
from vaelib.study.statistics import each_over_seeds, over_seeds
from vaelib.vae.model import UNITS

ANEW = {int(part.removeprefix("encoders_")): part for part in HELD if part != "encoders_again"}
"""Units of encoders that start anew → their part."""
LAST = EPOCHS[-1]
CHANGES: dict[str, tuple[Key, Key]] = {
    "wider": ((256, 3), (16, 3)),
    "wider_later": ((256, 12), (16, 12)),
    "longer": ((16, 12), (16, 3)),
    "longer_wide": ((256, 12), (256, 3)),
    "both": ((256, 12), (16, 3)),
    "protocol": (("original", "elbo"), (16, 3)),
    "weight": (("original", "half"), ("original", "elbo")),
}
"""Pairs of whole models, keys of ``WHOLE``, that are compared, the first minus the second."""
LOST = 30  # nats, the mean gap from which on a class counts as lost

Cell = dict[str, float]


@dataclass(frozen=True)
class Seed:
    """What was measured of one seed, nats per image.

    Args:
        own: of the model whose decoder is held, as in ``held``, and what its ``family`` leaves.
        again: of its own encoder, trained on for ``LAST`` epochs, as in ``held``.
        controls: of :func:`vaelib.measure.encoder_controls.measure_encoder_controls`, likewise.
        held: units and epochs → means and median of the gap, and living units, see
            :func:`summarise_looseness`.
        whole: keys of ``WHOLE`` → as in ``own``, ``log_evidence`` and ``bound``.
    """

    own: Cell
    again: Cell
    controls: dict[str, Cell]
    held: dict[tuple[int, int], Cell]
    whole: dict[Key, Cell]

    def gap(self, units: int, epochs: int) -> float:
        """Return the gap of an encoder on the held decoder."""
        return self.held[units, epochs]["gap"]

    def best(self) -> Cell:
        """Return the encoder that started anew with the least gap on test images."""
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
    """Summarise what of the gap is left on held decoders, and what width and length change.

    Args:
        book: its folder, with ``looseness.yml``.
        records: from :func:`vaelib.study.records.read`.

    Returns:
        ``own``, of the encoder that each decoder was trained with, and ``held``, by units of an
        encoder that started anew, or ``again`` for the own one trained on, and by number of epochs:
        the mean and the median of the ``gap``, its mean on training images, how much more it is on
        ``unseen`` ones, and living units; ``lost``, of how many encoders that started anew some
        class of test images has a mean gap of over ``LOST`` nats, by units and number of epochs;
        ``closes``, after the longest training, how much smaller these are than the own encoder's:
        ``again`` and with 16 units anew; with more units, than with the next fewer, with 1,024 than
        with 256 both by Adam alone; with 256 units and ``muon``, than by Adam alone; with these on
        ``moved`` images, which leave what ``moved`` has; ``trained``, by units of encoders that
        started anew, how much smaller after the longest than after the shortest training;
        ``whole``, of whole models, by units and number of epochs, or by recipe and weight;
        ``protocol``, of ``all`` recorded models of the original's protocol and weight, and of those
        ``alike`` that use both latent dimensions; ``changes``, by name, see ``CHANGES``, what the
        first model of a pair has more than the second; ``steps``, of ``test`` and ``training``
        images, by number of steps, the gap; ``full``, of the model with full covariance;
        ``differences``, seed by seed: what ``steps`` close, and what the full covariance adds to
        evidence and gap. ``own`` and ``whole`` also have ``family``, what the nearest diagonal
        Gaussians leave of 100 images. All but ``lost`` are summaries over seeds, in nats but for
        ``living``. And ``questions``, see :func:`vaelib.study.questions.answer`.
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
    weighed = select(records, recipe="original", **loss | {"beta": 0.5})
    protocol = {"all": weighed, "alike": [record for record in weighed if uses_all(record)]}
    seeds = [_seed(of_seed) for of_seed in whole]
    return {
        "own": each_over_seeds([seed.own for seed in seeds]),
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
        "closes": {
            "again": _minus([(s.own, s.again) for s in seeds]),
            str(UNITS): _minus([(s.own, s.held[UNITS, LAST]) for s in seeds]),
            **{
                str(more): _minus([(s.held[less, LAST], s.held[more, LAST]) for s in seeds])
                for less, more in ((16, 64), (64, 256))
            },
            "1024": _minus([(s.controls["adam"], s.held[1024, LAST]) for s in seeds]),
            "muon": _minus([(s.controls["adam"], s.held[256, LAST]) for s in seeds]),
            "moved": _minus([(s.held[256, LAST], s.controls["moved"]) for s in seeds]),
        },
        "moved": each_over_seeds([seed.controls["moved"] for seed in seeds]),
        "trained": {
            str(units): _minus([(s.held[units, EPOCHS[0]], s.held[units, LAST]) for s in seeds])
            for units in ANEW
        },
        "whole": {
            str(first): {
                str(second): each_over_seeds([seed.whole[first, second] for seed in seeds])
                for of, second in WHOLE
                if of == first
            }
            for first, _ in WHOLE
        },
        "protocol": {
            name: each_over_seeds([_whole(record) for record in chosen if "evidence" in record])
            for name, chosen in protocol.items()
        },
        "changes": {
            name: _minus([(seed.whole[new], seed.whole[old]) for seed in seeds])
            for name, (new, old) in CHANGES.items()
        },
        "steps": {
            name: {
                str(steps): over_seeds(r["refinement"][name][str(steps)]["gap"] for r in base)
                for steps in STEPS
            }
            for name in ("test", "training")
        },
        "full": each_over_seeds([record["full_covariance"] for record in base]),
        "differences": each_over_seeds([_differences(record) for record in base]),
        "questions": answer(read_questions(book / LOOSENESS), values_of(seeds)),
    }


def values_of(seeds: list[Seed]) -> dict[str, list[float]]:
    """Return every quantity, one value per seed."""
    return {name: [of(seed) for seed in seeds] for name, of in QUANTITIES.items()}


def _seed(whole: dict[Key, dict]) -> Seed:
    """Gather what was measured of a seed's models."""
    base = whole[UNITS, 3]
    held = {(n, at): _cell(base[part][str(at)]) for n, part in ANEW.items() for at in EPOCHS}
    again = _cell(base["encoders_again"][str(LAST)])
    controls = {name: _cell(found) for name, found in base["encoder_controls"].items()}
    return Seed(
        _own(base), again, controls, held, {at: _whole(record) for at, record in whole.items()}
    )


def _cell(found: dict) -> Cell:
    rest = {name: value for name, value in found.items() if name != "by_class"}
    return rest | {"unseen": found["gap"] - found["training_gap"]}


def _own(record: dict) -> Cell:
    return _cell(record["encoder"]) | {"family": record["evidence"]["split"]["family"]}


def _whole(record: dict) -> Cell:
    evidence = {name: record["evidence"][name] for name in ("log_evidence", "bound")}
    return _own(record) | evidence


def _minus(pairs: list[tuple[Cell, Cell]]) -> dict:
    """Summarise over seeds what the first of each pair has more than the second."""
    return each_over_seeds([{name: a[name] - b[name] for name in a if name in b} for a, b in pairs])


def _differences(record: dict) -> Cell:
    steps, full = record["refinement"]["test"], record["full_covariance"]
    return {
        "steps": steps["0"]["gap"] - steps[str(STEPS[-1])]["gap"],
        "full_evidence": full["log_evidence"] - record["evidence"]["log_evidence"],
        "full_gap": full["gap"] - record["encoder"]["gap"],
    }
