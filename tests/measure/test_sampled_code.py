"""Code lengths by samples: against exact ones in the plane."""

import pytest

from vaelib.evidence.odds import ProportionalOdds
from vaelib.measure.code_length import bits_per_pixel
from vaelib.measure.sampled_code import measure_sampled_code
from vaelib.training.run import model_of, train
from vaelib.training.settings import Settings
from vaelib.vae.objective import Objective


def test_samples_are_as_long_as_the_exact_code_or_a_little_longer(few):
    settings = Settings("odds", 1.0, "smoke", device="cpu")
    model = model_of(train(settings, few))
    found = measure_sampled_code(model, settings.objective, few, 0)
    exact, error = bits_per_pixel(model, ProportionalOdds(model.edges()), few.test_images)
    assert float(error.max()) < 0.0002
    assert float(exact.mean()) - 0.001 < found["bits_per_pixel"] < float(exact.mean()) + 0.02
    assert found["bound"] > found["bits_per_pixel"]


def test_a_model_without_thresholds_is_refused(smoke_run, few):
    with pytest.raises(ValueError, match="no thresholds"):
        measure_sampled_code(model_of(smoke_run[0]), Objective("bce", 0.5), few, 0)
