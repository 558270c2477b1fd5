"""The figures of every network under every code, on the book's records and on models."""

import numpy as np
import pytest
import torch

from vaelib.figures import codes
from vaelib.measure.levels import QUANTILES, measure_levels
from vaelib.measure.samples import NUMBER, measure_samples
from vaelib.training.run import model_of
from vaelib.vae.latent import decode
from vaelib.vae.model import VAE
from vaelib.vae.thresholds import GAPS, Thresholds


@pytest.fixture(scope="module")
def found(summary):
    return summary["codes"]


def test_every_network_has_its_place_in_every_row(found):
    whole, near = codes.decomposition(found["bits"]).axes
    rows = list(codes.NAMES)
    drawn = {
        (line.get_label(), rows[-round(line.get_ydata()[0])]): line.get_xdata()[0]
        for line in whole.lines
    }
    assert drawn == {
        (name, code): part["mean"]
        for name, by_code in found["bits"].items()
        for code, part in by_code.items()
        if code != "own" or name == "odds"
    }
    quarter = [line for line in near.lines if list(line.get_ydata()) == [-2] * found["seeds"]]
    bits = found["bits"]
    assert [list(line.get_xdata()) for line in quarter] == [
        pytest.approx(
            1000 * np.subtract(part["quarter"]["values"], bits["bce-elbo"]["quarter"]["values"])
        )
        for part in bits.values()
    ]


def test_recorded_samples_are_those_of_the_model(smoke_run):
    model = model_of(smoke_run[0])
    text = measure_samples(model, None, None, 3)
    figure = codes.samples({"one": text, "two": measure_samples(model, None, None, 4)})
    shown = np.stack([axes.images[0].get_array() for axes in figure.axes[:NUMBER]])
    z = torch.randn(NUMBER, 2, generator=torch.Generator().manual_seed(3))
    np.testing.assert_allclose(shown, decode(model, z).numpy(), atol=0.5 / 255 + 1e-6)
    assert measure_samples(model, None, None, 4) != text


def test_rows_of_levels_are_the_quantiles_of_their_distribution():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (50, 28, 28), generator=generator, dtype=torch.uint8)
    model = VAE(2, generator=generator, thresholds=Thresholds.of(images, GAPS["odds"]))
    found = measure_levels(model, None, None, 3)
    panels = codes.levels(found["images"]).axes
    shown = np.stack([axes.images[0].get_array() for axes in panels]).reshape(5, NUMBER, 28, 28)
    z = torch.randn(NUMBER, 2, generator=torch.Generator().manual_seed(3))
    thresholds = torch.tensor(found["thresholds"])
    below = torch.sigmoid(thresholds - model.decoder(z).detach().squeeze(1)[..., None])
    whole = torch.cat([below, torch.ones_like(below[..., :1])], dim=-1).numpy()
    levels = np.rint(255 * shown).astype(int)
    for share, rows in zip(QUANTILES, levels[1:4], strict=True):
        at = np.take_along_axis(whole, rows[..., None], -1)[..., 0]
        before = np.take_along_axis(whole, np.maximum(rows - 1, 0)[..., None], -1)[..., 0]
        assert (at >= share - 1e-4).all()
        assert ((before < share + 1e-4) | (rows == 0)).all()
    masses = np.diff(whole, axis=-1, prepend=0)
    mean = (masses * np.arange(256)).sum(-1)
    assert np.abs(levels[0] - mean).max() <= 0.51
    assert abs(levels[4].mean() - mean.mean()) < 4 * mean.std() / np.sqrt(mean.size) + 2


def test_a_model_without_thresholds_has_no_levels():
    with pytest.raises(ValueError, match="no thresholds; expected one trained with odds"):
        measure_levels(VAE(2), None, None, 0)
