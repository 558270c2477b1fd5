"""Which images are worth a look: with ordinary gaps, with great ones, with two modes."""

from vaelib.measure.gap import Gap


def greatest_gaps(result: Gap, number: int) -> list[int]:
    """Name the images with the greatest gaps, the greatest first."""
    return result.gap.argsort(descending=True)[:number].tolist()


def most_equal_modes(result: Gap, number: int) -> list[int]:
    """Name the images whose posteriors have two modes, those of most equal mass first."""
    second = {image: modes[1].mass for image, modes in result.modes.items()}
    return sorted(second, key=lambda image: -second[image])[:number]


def ordinary(result: Gap, number: int) -> list[int]:
    """Name the images whose gaps are nearest to the median."""
    return (result.gap - result.gap.median()).abs().argsort(stable=True)[:number].tolist()
