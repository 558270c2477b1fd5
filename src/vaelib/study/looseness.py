"""Why the bound is loose: width, training and generalisation told apart, seed by seed.

The questions are those of ``looseness.yml``, written before the runs that answer them.
"""

from collections.abc import Callable
from dataclasses import dataclass

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


def values_of(seeds: list[Seed]) -> dict[str, list[float]]:
    """Return every quantity, one value per seed."""
    return {name: [of(seed) for seed in seeds] for name, of in QUANTITIES.items()}
