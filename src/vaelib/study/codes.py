"""Every network under every code: what the loss decides, and what the code, seed by seed.

The questions are those of ``codes.yml``, written before the runs that answer them. A quantity there
is a comparison such as ``bce:quarter < mse:quarter``, the network trained with ``bce`` under the
code ``quarter`` against that trained with ``mse`` under the same; its value is the difference in
bits per pixel, positive where the left side is the shorter one.
"""

from vaelib.plumbing.checks import require
from vaelib.study.records import select

NETWORKS = {
    "bce": ("bce", 0.5),
    "bce-elbo": ("bce", 1.0),
    "mse": ("mse", 0.5),
    "mse-elbo": ("mse", 1.0),
    "gaussian": ("gaussian", 1.0),
    "cb-levels": ("cb-levels", 1.0),
    "logistic": ("logistic", 1.0),
    "odds": ("odds", 1.0),
}
"""Objective → reconstruction loss and weight β, of the recipe ``report``."""

BEST = "best"  # the shortest code of any network

Seed = dict[str, dict[str, float]]
"""Network → code, see :func:`vaelib.measure.code_length.measure_code_lengths` → bits per pixel."""


def by_seed(records: list[dict]) -> list[Seed]:
    """Gather the code lengths of those seeds that have every network's."""
    found: dict[int, Seed] = {}
    for name, (loss, beta) in NETWORKS.items():
        for record in select(
            records, recipe="report", reconstruction_loss=loss, beta=beta, latent_dim=2
        ):
            if codes := record.get("code"):
                bits = {code: kind["bits_per_pixel"] for code, kind in codes.items()}
                found.setdefault(record["settings"]["seed"], {})[name] = bits
    return [seed for _, seed in sorted(found.items()) if seed.keys() == NETWORKS.keys()]


def values_of(
    questions: dict, seeds: list[Seed], yardsticks: dict[str, float]
) -> dict[str, list[float]]:
    """Return the value of every quantity that is asked for, one per seed.

    Args:
        questions: of ``codes.yml``.
        seeds: from :func:`by_seed`.
        yardsticks: code without a network → bits per pixel.

    Raises:
        ValueError: an unknown network, code or yardstick; the message names the nearest.
    """
    asked = {quantity for entry in questions.values() for quantity in entry["quantities"]}
    return {
        quantity: [
            length(longer, seed, yardsticks) - length(shorter, seed, yardsticks) for seed in seeds
        ]
        for quantity in sorted(asked)
        for shorter, longer in [quantity.split(" < ")]
    }


def length(side: str, seed: Seed, yardsticks: dict[str, float]) -> float:
    """Return one side of a comparison in bits per pixel; raise ValueError for an unknown name."""
    if side == BEST:
        return min(bits for codes in seed.values() for bits in codes.values())
    network, colon, code = side.partition(":")
    if not colon:
        require("yardstick", side, yardsticks)
        return yardsticks[side]
    require("network", network, seed)
    require(f"code of {network}", code, seed[network])
    return seed[network][code]
