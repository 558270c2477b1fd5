"""The parts of the data on which losses are reported."""

TRAINING_SHARE = 0.85  # the rest, the last 15 % of the training file, is held out for validation

SLICES = {
    "test": "test",
    "training": "training (first 85 %)",
    "validation": "validation (last 15 %, held out)",
    "table_training": "the original's training slice (last 85 %)",
    "table_validation": "the original's validation slice (first 15 %)",
}
"""Name → what it is. The last two, the slices of the original's table, mix images that were trained
on with images that were held out."""


def training_number(number: int) -> int:
    """Return how many of the images of a training file are trained on: 51,000 of MNIST's."""
    return round(number * TRAINING_SHARE)


def table_start(number: int) -> int:
    """Return where the original's training slice begins: after as many images as are held out."""
    return number - training_number(number)
