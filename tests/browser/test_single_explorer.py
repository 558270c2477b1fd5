"""The explorer of a run on images of one's own: one file, without a network and without labels."""

from dataclasses import replace

import pytest
import torch

import vaelib
from vaelib.data.synthetic import synthetic_digits
from vaelib.evidence.likelihood import assumed
from vaelib.evidence.quadrature import integrate

from .test_explorer_in_a_browser import settled, shown

IMAGES = 10


@pytest.fixture(scope="module", params=["labels", "no labels", "odds"])
def own(request):
    """A run on upright figures upside down, and its data."""
    images, labels = synthetic_digits(350, seed=0)
    data = vaelib.ImageSet.of(images.flip(1), labels, name="shirts")
    recipe = vaelib.RECIPES["report"].replace(epochs=20, batch_size=32)
    loss = "odds" if request.param == "odds" else "bce"
    run = vaelib.train(vaelib.Settings(loss, beta=1.0, recipe=recipe, device="cpu"), data)
    if request.param == "no labels":
        data = replace(data, labels=None, test_labels=None)
    return run, data


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_run_opens_from_a_file_and_finds_the_librarys_evidence(
    own, visit, tmp_path, scheme
):
    run, data = own
    vaelib.explore(run, data, tmp_path / "a page.html")
    seen = visit((tmp_path / "a page.html").as_uri(), scheme=scheme)
    page = seen.page
    settled(page)
    images = data.test_images[:IMAGES]
    pixels = images.flatten(1).float() / 255
    found = [shown(page, image)["logEvidence"] for image in pixels]
    model = vaelib.model_of(run)
    likelihood = assumed(run.settings.objective, model.edges())
    exact = integrate(model.decoder, likelihood, pixels, None).log_evidence
    error = (torch.tensor(found, dtype=torch.float64) - exact).abs()
    print(f"\nlog p(x) to {float(error.max()):.4f} nats at worst")
    assert float(error.max()) <= 0.02
    assert [
        address for address in seen.requests if not address.startswith(("file:", "blob:"))
    ] == []
    assert seen.wrong == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
