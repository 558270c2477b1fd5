"""What another processor does to a training, on totals that are drawn."""

import numpy as np
import pytest
from scipy import stats

from vaelib.plumbing.files import write_json
from vaelib.study.processors import (
    KERNELS,
    PROCESSORS,
    summarise_kernels,
    summarise_processors,
)

SEEDS = 400


def recorded(book, carried):
    """Write totals of two processors: at each stage this share of the variance is the seed's."""
    rng = np.random.default_rng(1)
    trainings = []
    for loss, level, spread in (("bce", 145, 1.5), ("mse", 34, 0.5)):
        for seed in range(SEEDS):
            common, *own = rng.normal(size=(3, len(carried)))
            totals = [
                level + spread * (np.sqrt(carried) * common + np.sqrt(1 - carried) * each)
                for each in own
            ]
            trainings.append(
                {"loss": loss, "seed": seed, "totals": [list(total) for total in totals]}
            )
    (book / PROCESSORS).parent.mkdir(parents=True, exist_ok=True)
    environments = [{"processor": name} for name in ("one", "other")]
    write_json({"environments": environments, "trainings": trainings}, book / PROCESSORS)
    return trainings


def test_what_is_left_of_a_seed_is_found(tmp_path):
    recorded(tmp_path, np.array([0.99, 0.5, 0.0]))
    found = summarise_processors(tmp_path)
    assert found["processors"] == {"recorded": "one", "again": "other"}
    assert found["trainings"] == 2 * SEEDS
    assert list(found["after"]) == ["1", "2", "end"]
    for stage, expected in (("1", 0.1), ("2", np.sqrt(0.5)), ("end", 1.0)):
        part = found["after"][stage]
        assert part["ratio"]["mean"] == pytest.approx(expected, rel=0.08)
        assert part["ratio"]["confidence"]["low"] < expected < part["ratio"]["confidence"]["high"]
        assert part["bce"]["seeds"] == pytest.approx(1.5, rel=0.1)
        assert part["mse"]["processors"] == pytest.approx(0.5 * expected, rel=0.1)


def test_the_interval_is_that_of_a_ratio_of_variances(tmp_path, monkeypatch):
    """Where nothing of the seed is left, 95 of 100 intervals of few seeds hold 1."""
    monkeypatch.setattr(f"{__name__}.SEEDS", 2000)
    trainings, few, covered = recorded(tmp_path, np.array([0.0, 0.0])), 5, 0
    blocks = 2000 // few
    for block in range(blocks):
        some = range(block * few, (block + 1) * few)
        chosen = [training for training in trainings if training["seed"] in some]
        environments = [{"processor": name} for name in ("one", "other")]
        write_json({"environments": environments, "trainings": chosen}, tmp_path / PROCESSORS)
        ratio = summarise_processors(tmp_path)["after"]["end"]["ratio"]["confidence"]
        covered += ratio["low"] < 1 < ratio["high"]
    assert stats.binomtest(covered, blocks, 0.95).pvalue > 0.001


def test_trainings_that_other_kernels_repeat_are_counted(tmp_path):
    (tmp_path / KERNELS).parent.mkdir()
    again = {"processor": "third", "capability": "AVX512"}
    kernels = [("own", False), ("own", False), ("intel", True), ("intel", False), ("intel", True)]
    rows = [{"kernels": name, "same": same, "again": again} for name, same in kernels]
    write_json(rows, tmp_path / KERNELS)
    assert summarise_kernels(tmp_path) == again | {
        "own": {"trainings": 2, "same": 0},
        "intel": {"trainings": 3, "same": 2},
    }
