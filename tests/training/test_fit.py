from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from vaelib.study.original import original_history
from vaelib.training.fit import EarlyStopping, fit
from vaelib.training.recipes import RECIPES
from vaelib.vae.losses import draw_noise, image_losses, mean_losses
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

SMOKE = RECIPES["smoke"]


def new_model(seed=0):
    return VAE(2, generator=torch.Generator().manual_seed(seed))


def train(digits, recipe=SMOKE, seed=0):
    model = new_model(seed)
    noise = draw_noise(len(digits.images), 2, seed)
    return model, fit(model, Objective("mse", 0.5), recipe, digits, noise, seed)


def validation_losses(model, digits):
    noise = draw_noise(len(digits.images), 2, 0)[digits.training_number :]
    return image_losses(model, Objective("mse", 0.5), digits.validation_images, noise)


@pytest.fixture(scope="module")
def trained(digits):
    return train(digits)


def test_training_lowers_the_validation_loss(digits, trained):
    before = mean_losses(validation_losses(new_model(), digits))
    assert trained[1].history[-1]["val_total"] < 0.5 * before["total"]


def test_the_best_weights_are_the_ones_left(digits, trained):
    model, result = trained
    losses = validation_losses(model, digits)
    assert torch.equal(losses, result.validation)
    after = mean_losses(losses)
    best = result.history[result.best_epoch - 1]
    assert after == {name: best[f"val_{name}"] for name in after}


def test_the_same_seed_gives_the_same_weights_bit_for_bit(digits, trained):
    again, result = train(digits)
    for name, weight in trained[0].state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert result.history == trained[1].history
    assert result.trace == trained[1].trace


def test_the_step_is_adams(digits):
    """Two steps against a loop of its own, with the original's constant rate."""
    recipe = replace(RECIPES["original"], batch_size=255, epochs=1)
    model, result = train(digits, recipe)
    reference = new_model()
    adam = torch.optim.Adam(reference.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-7)
    order = torch.randperm(510, generator=torch.Generator().manual_seed(0))
    noise = torch.Generator().manual_seed(0)
    totals = []
    for half in order.split(255):
        x = digits.training_images[half].reshape(-1, 1, 28, 28) / 255
        logits, mean, v, _ = reference(x, torch.randn(255, 2, generator=noise))
        kl = (mean**2 + v.exp() - v - 1).mean() / 2
        total = ((logits.sigmoid() - x) ** 2).sum() / 255 + kl
        adam.zero_grad()
        total.backward()
        adam.step()
        totals.append(total.item())
    assert result.history[0]["total"] == pytest.approx(sum(totals) / 2, rel=1e-5)
    for name, weight in reference.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], weight, rtol=1e-3, atol=1e-5)


def test_an_epoch_is_the_mean_over_its_images_and_the_trace_is_finer(digits):
    recipe = replace(SMOKE, batch_size=16, epochs=1)  # 31 full batches and one of 14
    _, result = train(digits, recipe)
    assert [row["epoch"] for row in result.trace] == sorted(row["epoch"] for row in result.trace)
    assert len(result.trace) == 20
    assert result.trace[-1]["epoch"] == 1
    sizes, start = [], 0
    for row in result.trace:
        end = round(row["epoch"] * 32)
        sizes.append(min(510, 16 * end) - 16 * start)
        start = end
    weighted = sum(s * row["total"] for s, row in zip(sizes, result.trace, strict=True))
    assert weighted / 510 == pytest.approx(result.history[0]["total"])


class Constant(nn.Module):
    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()))


def stop_at(totals, patience=3):
    """Feed validation totals to early stopping; return the epoch that ends it, and its memory."""
    model, stopping = Constant(), EarlyStopping(patience)
    for epoch, total in enumerate(totals, 1):
        model.value.data.fill_(epoch)
        if stopping.update(epoch, total, model):
            return epoch, stopping
    return None, stopping


def test_three_epochs_in_a_row_without_a_better_total_stop():
    epoch, stopping = stop_at([5, 4, 4.5, 4.2, 4.1, 3])
    assert epoch == 5
    assert stopping.best_epoch == 2
    assert stopping.weights["value"] == 2


def test_an_equal_total_is_not_better():
    assert stop_at([5, 5, 5, 5])[0] == 4


def test_a_better_total_starts_the_count_again():
    assert stop_at([5, 6, 6, 4, 6, 6])[0] is None


def test_the_original_history_stops_where_the_original_did():
    """The rule, fed with the original's validation totals, ends at epoch 33 as its run did."""
    book = Path(__file__).parents[2] / "book"
    totals = [row["val_total"] for row in original_history(book)]
    assert stop_at(totals)[0] == len(totals) == 33


def test_early_stopping_brings_the_best_weights_back(digits):
    """With a rate that wrecks the model after a good epoch, the good epoch's weights return."""
    recipe = replace(SMOKE, schedule="constant", learning_rate=0.05, epochs=8, patience=1)
    model, result = train(digits, recipe)
    totals = [row["val_total"] for row in result.history]
    assert result.stopped_early
    assert result.best_epoch == 1 + totals.index(min(totals)) < len(totals)
    losses = validation_losses(model, digits)
    assert mean_losses(losses)["total"] == min(totals)
    assert torch.equal(losses, result.validation)


def test_a_loss_that_is_not_finite_stops_the_training(digits):
    recipe = replace(SMOKE, schedule="constant", learning_rate=1e9)
    with pytest.raises(FloatingPointError, match=r"epoch 1, .*learning_rate=1000000000.0"):
        train(digits, recipe)


def test_the_one_cycle_rate_rises_and_falls(digits, monkeypatch):
    rates = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam,
        "step",
        lambda self: (rates.append(self.param_groups[0]["lr"]), step(self))[1],
    )
    train(digits)
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(SMOKE.learning_rate, rel=0.02)
    assert peak == pytest.approx(SMOKE.warm_up * len(rates), abs=1)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 1e-3 * max(rates)
