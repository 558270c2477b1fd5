"""Muon against PyTorch's, which computes in bfloat16, and against singular value decompositions."""

import pytest
import torch
from torch import nn

from vaelib.training.muon import Muon, nearly_orthogonal

SHAPES = [(64, 32, 3, 3), (16, 3136), (64, 64, 3, 3)]  # the network's


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_are_those_of_pytorch_within_the_accuracy_of_bfloat16(shape, generator):
    start = torch.randn(shape, generator=generator)
    ours = nn.Parameter(
        start.to(memory_format=torch.channels_last) if len(shape) == 4 else start.clone()
    )
    theirs = nn.Parameter(start.flatten(1).clone())
    optimizers = Muon([ours], lr=0.02), torch.optim.Muon([theirs], lr=0.02, weight_decay=0.0)
    drift = torch.randn(shape, generator=generator)
    for _ in range(5):
        gradient = drift + torch.randn(shape, generator=generator)
        ours.grad, theirs.grad = gradient.clone(), gradient.flatten(1).clone()
        for optimizer in optimizers:
            optimizer.step()
    move, expected = (weight.detach().flatten(1) - start.flatten(1) for weight in (ours, theirs))
    assert (move - expected).norm() < 0.02 * expected.norm()


@pytest.mark.parametrize("condition", [1, 10, 1000])
@pytest.mark.parametrize("shape", [(16, 3136), (64, 288), (5, 5)])
def test_singular_values_go_through_the_polynomial(shape, condition, generator):
    """In float64, from an exact decomposition, value by value."""
    u, _, v = torch.linalg.svd(
        torch.randn(shape, generator=generator, dtype=torch.float64), full_matrices=False
    )
    values = torch.logspace(0, -torch.log10(torch.tensor(condition)), len(u), dtype=torch.float64)
    expected = values / values.norm()
    for _ in range(5):
        expected = 3.4445 * expected - 4.7750 * expected**3 + 2.0315 * expected**5
    found = nearly_orthogonal((u * values @ v).float()).double()
    assert torch.allclose(found, u * expected @ v, atol=2e-6)
    if condition <= 10:  # it is near to the polar factor
        assert torch.linalg.matrix_norm(found - u @ v, 2) < 0.5


def test_what_has_no_gradient_stays(generator):
    """Dead units: rows of zeros."""
    matrix = torch.randn(16, 50, generator=generator)
    matrix[3:7] = 0
    move = nearly_orthogonal(matrix)
    assert (move[3:7] == 0).all()
    assert torch.linalg.matrix_norm(move, 2) < 1.5
    assert (nearly_orthogonal(torch.zeros(4, 9)) == 0).all()
