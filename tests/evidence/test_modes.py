"""Modes of densities whose modes are known."""

import math

import pytest
import torch

from vaelib.evidence.modes import separate_modes
from vaelib.evidence.quadrature import integrate
from vaelib.vae.model import Posterior


class Mixture:
    """A likelihood that makes the posterior a mixture of Gaussians, whatever the image."""

    def __init__(self, modes):
        self.modes = modes  # weight, mean, deviation

    def log_density(self, images, nodes):
        nodes = nodes.double()
        parts = [
            math.log(weight / deviation**2)
            - (nodes - torch.tensor(mean)).square().sum(1) / (2 * deviation**2)
            for weight, mean, deviation in self.modes
        ]
        prior = nodes.square().sum(1) / 2  # is taken out again, so that the mixture is left
        return (torch.logsumexp(torch.stack(parts), 0) + prior).float().expand(len(images), -1)

    def divergence(self, a, b):
        return (a - b).square().sum(-1) / min(mode[2] for mode in self.modes) ** 2


def modes_of(*modes):
    q = Posterior(torch.zeros(1, 2), torch.zeros(1, 2))
    return separate_modes(integrate(lambda z: z, Mixture(modes), torch.zeros(1, 1), q)).get(0, [])


def test_one_mode_is_not_worth_a_list():
    assert modes_of((1.0, (0.3, -0.7), 0.05)) == []


@pytest.mark.parametrize("place", [(0.8, 0.1), (-2.0, 3.1)])
def test_two_modes_have_their_masses_and_their_places(place):
    first, second = modes_of((0.7, (0.1, 0.2), 0.04), (0.3, place, 0.06))
    assert first.mass == pytest.approx(0.7, abs=2e-3)
    assert second.mass == pytest.approx(0.3, abs=2e-3)
    assert first.peak == pytest.approx((0.1, 0.2), abs=0.03)
    assert second.peak == pytest.approx(place, abs=0.03)


def test_three_modes_are_three():
    modes = modes_of((0.5, (0.0, 0.0), 0.05), (0.3, (1.0, 1.0), 0.05), (0.2, (0.0, 1.5), 0.05))
    assert [mode.mass for mode in modes] == pytest.approx([0.5, 0.3, 0.2], abs=2e-3)


@pytest.mark.parametrize(("distance", "number"), [(2.6, 0), (4.2, 2)])
def test_a_shallow_dip_between_peaks_does_not_part_them(distance, number):
    """Two equal Gaussians at a distance of k deviations dip by about k²/8 - log 2 nats."""
    assert (distance**2 / 8 - math.log(2) > 1) == bool(number)
    assert len(modes_of((0.5, (0.0, 0.0), 0.1), (0.5, (0.1 * distance, 0.0), 0.1))) == number
