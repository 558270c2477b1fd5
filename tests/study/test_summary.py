"""The summary of recorded runs, on made-up records whose answers are known."""

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from vaelib.book.directives.values import look_up, look_up_interval
from vaelib.plumbing.files import read_json, write_derived, write_json
from vaelib.plumbing.words import LOSSES
from vaelib.study import claims, freshness, provenance, records, summary
from vaelib.study.design import BETAS, CODED, OBJECTIVES, trainings, whole_models
from vaelib.study.processors import KERNELS, PROCESSORS
from vaelib.training.settings import Settings

from .made_up import BOOK, YARDSTICKS, loose, on_the_scale, record

GOLDEN = Path(__file__).parent / "golden.json"


def made_up(recipe, loss, beta, seed, dimension=2):
    return of(Settings(loss, beta, recipe, seed, dimension))


def of(settings):
    recipe, loss, beta = settings.recipe, settings.reconstruction_loss, settings.beta
    seed, dimension = settings.seed, settings.latent_dim
    content = record("mse" if loss in ("mse", "gaussian") else "bce", seed)
    content["settings"] = settings.as_record()
    rng = np.random.default_rng([seed, dimension, int(16 * beta)])
    shown = content["losses"]["table_validation"]
    shift = 1 + rng.random()
    content["losses"]["validation"] = {name: value + shift for name, value in shown.items()}
    content["losses"]["training"] = content["losses"]["table_training"]
    content["appearance"]["high_frequency_share"] = {"decoded": 0.1 + seed / 100, "test": 0.2}
    content["history"] = [
        {
            "epoch": epoch,
            **{f"{p}{name}": rng.random() / epoch for p in ("", "val_") for name in LOSSES},
            "of": settings.name,  # no two trainings are equal
        }
        for epoch in range(1, 5)
    ]
    content["environment"] = {
        "date": f"2026-01-0{seed + 1}",
        "processor": "some",
        "threads": 1,
        "versions": {"torch": "2", "python": "3"},
        "commit": "abc",
        "data": "012345678901234",
    }
    content["outcome"] = {"epochs": 4, "training_seconds": 10.0 + seed}
    content["made"] = {
        part: {"stamp": f"{part} {recipe}", "commit": "abc", "date": "2026-01-01"}
        for part in freshness.parts_of(settings)
    }
    if settings in list(whole_models(seed).values())[1:]:
        content["rate"] = on_the_scale(loss, beta, dimension, seed)["rate"]
        content["evidence"] = evidence(loss, beta, seed)
        content["encoder"] = loose(seed)["encoder"]
        return content
    if recipe == "report":
        content |= on_the_scale(loss, beta, dimension, seed)
    if "evidence" in content["made"]:
        content["evidence"] = evidence(loss, beta, seed)
    if "autoencoder" in content["made"]:
        content["losses"]["test"]["reconstruction"] = 141.0 + seed
        content["autoencoder"] = {
            "reconstruction": 140.0 + 2 * seed,
            "vae_at_mean": 138.0 + 3 * seed,
            "deviation": 7.0,
            "log_evidence": -160.0,
            "fitted": -138.0 + seed,
            "error": 0.01,
            "samples": f"autoencoder {seed}",
        }
    if (recipe, loss, beta, dimension) == ("report", "bce", 1.0, 2):
        content |= loose(seed)
    if "explored" in content["made"]:
        content["explored"] = {name: {} for name in ("weights", "codes", "thresholds")}
    return content


def evidence(loss, beta, seed):
    """A gap of 5 nats and one more with the weight ½, 4 of them amortisation."""
    extra = float(beta == 0.5)
    found = {
        "log_evidence": -140.0 + seed + 2 * extra,
        "bound": -145.0 + seed + extra,
        "gap": 5.0 + extra,
        "quantiles": {"50": 2.0},
        "greatest": 100.0 + seed,
        "least": 0.01 + seed / 100,
        "error": 0.009,
        "two_modes": 0.02,
        "confirmed": {
            "evidence": {"mean_score": 0.1 * (1 - seed) + extra, "difference": 0.01 * seed - extra}
        },
        "split": {"gap": 5.0, "family": 1.0, "amortisation": 4.0, "full": 0.5},
        "below": {"500": 3.0},
    }
    if (loss, beta) == ("bce", 0.5):
        found["weighted"] = {"posterior": 6.0, "weighted": 11.0 + seed}
    return found


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of made-up records, which no test changes."""
    tmp_path = tmp_path_factory.mktemp("made up")
    (tmp_path / "recorded" / "records").mkdir(parents=True)
    for name in ("claims.yml", "codes.yml", "questions.yml", "looseness.yml"):
        shutil.copy(BOOK / name, tmp_path)
    write_json({"bits_per_pixel": YARDSTICKS}, tmp_path / "recorded" / "yardsticks.json")
    shutil.copytree(BOOK / "recorded" / "original", tmp_path / "recorded" / "original")
    points = [("original", loss, 0.5, seed, 2) for loss in ("bce", "mse") for seed in range(7)]
    points += [
        ("report", *objective, seed, 2)
        for objective in OBJECTIVES.values()
        for seed in [*range(4), *([8, 9] if objective[1] == 0.5 else [])]
    ]
    points += [("report", "bce", 1.0, seed, 4) for seed in range(3)]
    points += [("report", loss, 1.0, seed, 16) for loss in ("bce", "mse") for seed in range(4)]
    others = {
        ("cb", 1.0),
        *CODED.values(),
        *((loss, beta) for loss in ("bce", "mse") for beta in BETAS),
    }
    points += [
        ("report", *objective, seed, 2)
        for objective in others - {*OBJECTIVES.values()}
        for seed in range(4)
    ]
    wholes = [model for seed in range(4) for model in list(whole_models(seed).values())[1:]]
    for content in [*(made_up(*point) for point in points), *map(of, wholes)]:
        name = records.settings_of(content).name
        write_json(content, tmp_path / "recorded" / "records" / f"{name}.json")
    for name in (PROCESSORS, KERNELS):
        shutil.copyfile(BOOK / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="module")
def found(book):
    """What the made-up records say together."""
    return summary.summarise(book)


def test_the_summary_of_a_book(found):
    assert list(found["claims"]) == list(claims.read_claims(BOOK))
    assert found["claims"]["C6"]["verdict"] == "reproduced"
    # After the first epoch these are far from the original.
    assert found["claims"]["C5"]["verdict"] == "not reproduced"
    assert found["turned"] == {"number": 1, "named": "C10 without 0, 1, 2, 3, 4, 5, 6"}
    recorded = found["recorded"]["original"]
    assert (recorded["records"], recorded["seeds"]) == (14, 7)
    assert (recorded["first"], recorded["last"]) == ("2026-01-01", "2026-01-07")
    assert found["original_history"] == {
        "best": 148.2046,
        "first_epoch": {"total": 281.7537, "val_total": 172.428},
        "epochs": 33,
    }
    assert found["epochs"]["mse"] == {"fewest": 4, "most": 4}
    runs = [made_up("original", "bce", 0.5, seed) for seed in range(7)]
    assert {name: part["values"] for name, part in found["first_epoch"].items()} == {
        name: [run["history"][0][name] for run in runs] for name in ("total", "val_total")
    }


def test_the_divergence_is_the_sum_whatever_was_minimised(found):
    objectives = found["objectives"]["report"]
    for name, beta, factor in (("bce", 0.5, 2), ("bce-elbo", 1.0, 1)):
        tests = [made_up("report", "bce", beta, seed)["losses"]["test"] for seed in range(4)]
        divergences = [factor * test["kl"] for test in tests]
        assert objectives[name]["divergence"]["values"] == pytest.approx(divergences)
        assert objectives[name]["divergence_share"]["values"] == pytest.approx(
            [
                kl / (kl + test["reconstruction"])
                for kl, test in zip(divergences, tests, strict=True)
            ]
        )


def test_only_what_is_recorded_has_an_objective(found):
    objectives = found["objectives"]
    assert list(objectives["original"]) == ["bce", "mse"]
    found = objectives["original"]["bce"]
    assert found["seeds"] == list(range(7))
    assert found["high_frequencies"]["values"] == pytest.approx(
        [0.5 + seed / 20 for seed in range(7)]
    )
    assert found["greatest_step"]["values"] == [0.2] * 7
    assert found["accuracy"]["values"] == pytest.approx([0.92 - seed / 500 for seed in range(7)])


def test_what_stands_beside_the_claims_comes_from_the_pairs_of_each_recipe(found):
    assert list(found["effects"]) == ["original", "alike", "report"]
    for effects, pairs in zip(found["effects"].values(), (7, 7, 6), strict=True):
        assert effects["mse_minus_bce_sharpness"]["values"] == pytest.approx([0.1] * pairs)
        lead = effects["mse_lead_of_four_and_nine"]
        assert lead["median"] == np.median(lead["values"])
        assert (lead["low"], lead["high"]) == (min(lead["values"]), max(lead["values"]))


def test_runs_that_leave_a_dimension_unused_are_counted(book, tmp_path):
    book = shutil.copytree(book, tmp_path, dirs_exist_ok=True)
    file = book / "recorded" / "records" / "report-mse-beta0.5-d2-seed8.json"
    record = read_json(file)
    record["rate"]["dimensions"] = [5.0, 0.05]
    write_json(record, file)
    file = book / "recorded" / "records" / "original-mse-beta0.5-d2-seed3.json"
    record = read_json(file)
    record["rate"]["dimensions"] = [0.05, 5.0]
    write_json(record, file)
    found = summary.summarise(book)
    assert found["unused"] == {
        "original": {"runs": 14, "number": 1},
        "report": {"runs": 12, "number": 1},
    }
    every, alike = (
        found["effects"][of]["mse_lead_of_four_and_nine"]["values"] for of in ("original", "alike")
    )
    assert alike == every[:3] + every[4:]


def test_overlaps_are_averaged_over_seeds(found):
    overlap = found["overlap"]["bce"]
    assert overlap["pairs"]["1"] == {"digits": "4 and 9"}
    assert overlap["confusion"][4][9] == pytest.approx(0.43)
    assert overlap["confusion"][0][0] == 1


def test_slices_are_compared_run_by_run(found):
    part = found["slices"]["mse"]
    validation = part["validation"]
    assert all(1 < value < 2 for value in validation["difference"]["values"])
    assert validation["difference"]["mean"] == pytest.approx(
        validation["split"]["mean"] - validation["table"]["mean"]
    )
    assert part["training"]["difference"]["values"] == [0] * 7


def test_kl_losses_of_slices_are_correlated_over_seeds(found):
    kl = np.array(
        [
            [made_up("original", "mse", 0.5, seed)["losses"][name]["kl"] for seed in range(7)]
            for name in ("table_training", "table_validation", "test")
        ]
    )
    least = found["kl_correlation"]["mse"]
    assert least == pytest.approx(np.corrcoef(kl)[np.triu_indices(3, 1)].min())


def scores_of_seeds(name):
    return [
        np.mean(
            [
                evidence(loss, beta, seed)["confirmed"]["evidence"][name]
                for loss, beta in OBJECTIVES.values()
            ]
        )
        for seed in range(4)
    ]


def test_the_evidence_is_summarised_by_objective_and_over_all_models(found):
    found = found["evidence"]
    gap = found["bce-elbo"]["gap"]
    assert gap["values"] == [5.0] * 4
    assert found["mse"]["log_evidence"]["mean"] == pytest.approx(-136.5)
    assert found["mse-elbo"]["amortisation_share"]["mean"] == pytest.approx(0.8)
    assert found["bce"]["weighted"]["values"] == [5, 6, 7, 8]
    assert "weighted" not in found["bce-elbo"]
    assert found["all"]["models"] == 16
    assert (found["all"]["least"], found["all"]["greatest"]) == (0.01, 103.0)
    assert found["all"]["score"]["values"] == pytest.approx(scores_of_seeds("mean_score"))
    assert found["all"]["difference"]["values"] == pytest.approx(scores_of_seeds("difference"))
    difference = found["half_minus_whole"]
    assert difference["divergence"]["mean"] == pytest.approx(1 / 0.5 - 1)
    assert difference["below"]["values"] == [0.0] * 4
    assert difference["log_evidence"]["values"] == [2.0] * 4
    assert difference["bound"]["values"] == [1.0] * 4


def test_autoencoders_are_compared_with_the_models_of_their_seeds(found):
    found = found["autoencoder"]
    assert found["fitted"]["values"] == [-138.0, -137.0, -136.0]
    assert found["vae"]["values"] == [-140.0, -139.0, -138.0]
    assert found["fitted_more"]["values"] == [2.0, 2.0, 2.0]
    assert found["reconstruction_less"]["values"] == [1.0, 0.0, -1.0]
    assert found["less_at_mean"]["values"] == [-2.0, -1.0, 0.0]
    assert found["samples"] == "autoencoder 0"


def test_the_weight_is_summarised_by_loss(found):
    found = found["one_scale"]
    curve = found["curves"]["mse"]
    assert list(curve) == ["1/16", "1/8", "1/4", "1/2", "1", "2", "4"]
    assert curve["1/4"]["aggregate"]["values"] == pytest.approx([4, 4.001, 4.002, 4.003])
    assert curve["4"]["rate"]["values"] == pytest.approx([6, 5.999, 5.998, 5.997])
    assert found["merged"]["bce"]["digits"] == "4 and 9"
    assert found["merged"]["bce"]["betas"] == "1/16, 1/16, 1/16, 1/16"
    assert found["dimensions"]["mse"]["nats"] == pytest.approx([1.0] * 9 + [0.01] * 7)
    assert found["dimensions"]["mse"]["used"]["values"] == [9] * 4
    assert found["questions"]["Q9"]["answer"] == "yes"


def test_latent_dimensions_are_compared_on_the_same_seeds(found):
    dimensions = found["latent_dimensions"]
    assert list(dimensions) == ["2", "4", "16"]
    assert [len(part["total"]["values"]) for part in dimensions.values()] == [3, 3, 3]


def test_parts_are_counted_by_what_made_them_and_stale_ones_are_named(book, tmp_path):
    book = shutil.copytree(book, tmp_path, dirs_exist_ok=True)
    known = freshness.inputs_of("training", "report")
    other = known | {"modules": known["modules"] | {"vae.model": "other"}}
    stamps = {"training report": known, "training original": other}
    write_json(stamps, book / "recorded" / "stamps.json")
    found = provenance.parts(book)
    groups = {(group["part"], group["recipe"], group["why"]): group for group in found["groups"]}
    fresh = groups["training", "report", ""]
    assert (fresh["commits"], fresh["dates"], fresh["replayed"]) == ("abc", "2026-01-01", "")
    assert fresh["files"] == len(known["modules"])
    reason = "changed: modules.vae.model, recipe.epochs and "
    (why,) = (
        w
        for part, recipe, w in groups
        if (part, recipe) == ("training", "original") and w[0] == "c"
    )
    assert why.startswith(reason)
    missing = groups["training", "report", "not there"]
    planned = [settings for settings in trainings() if settings.recipe == "report"]
    assert fresh["records"] + missing["records"] == len(planned)
    assert found["all"] == sum(len(freshness.parts_of(settings)) for settings in trainings())
    assert found["stale"] == found["all"] - fresh["records"]
    reasons = {why for part, _, why in groups if part == "code"}
    assert reasons - {"not there"} == {"it is not known what it was made of"}


def test_what_is_asked_of_bce_is_asked_of_mse_too(found):
    parts = {(part["name"], part["above"], part["below"]): part for part in found["mse_too"]}
    expected = [
        made_up("original", "mse", 0.5, seed)["appearance"]["sharpness"] for seed in range(7)
    ]
    for limit in ((None, 1), (0.5, None)):
        part = parts["mse_sharpness", *limit]
        assert part["values"] == expected
        assert part["interval"] == (min(expected), max(expected))


def headlines(found, book):
    """Collect verdicts, answers, and the numbers that the first page and the conclusion print."""
    write_derived(found, "key", book / "_build" / "reproduction.json")
    printed = {}
    for page in ("intro.md", "conclusion.md"):
        text = (BOOK / page).read_text(encoding="utf-8")
        for role, path in re.findall(r"\{(value|interval)\}`(reproduction:[^`]+)`", text):
            look = {"value": look_up, "interval": look_up_interval}[role]
            printed[path] = look(book, *[*path.split(":"), ""][:3])[0]
    return {
        "verdicts": {name: claim["verdict"] for name, claim in found["claims"].items()},
        "answers": {
            name: part["answer"]
            for chapter in ("codes", "one_scale", "looseness")
            for name, part in found[chapter]["questions"].items()
        },
        "printed": printed,
    }


def test_verdicts_and_headline_numbers_are_those_that_were_looked_at(summary, tmp_path):
    """The golden file keeps what a change of records or rules does readable in a diff.

    Where the change is meant: python -m tests.study.test_summary
    """
    (tmp_path / "_build").mkdir()
    assert headlines(summary, tmp_path) == read_json(GOLDEN)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        Path(place, "_build").mkdir()
        write_json(headlines(summary.summarise(BOOK), Path(place)), GOLDEN)
