"""The summary of recorded runs, on made-up records whose answers are known."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from vaelib import cli
from vaelib.plumbing.files import read_json, write_json
from vaelib.plumbing.names import CODED, LOSSES, OBJECTIVES, training_name
from vaelib.plumbing.places import EARLIER
from vaelib.study import agreement, claims, grid, records, summary, verdicts
from vaelib.study.questions import BETAS
from vaelib.training.recipes import RECIPES

from .made_up import BOOK, ORIGINAL, on_the_scale, record


def made_up(recipe, loss, beta, seed, dimension=2):
    content = record("mse" if loss in ("mse", "gaussian") else "bce", seed)
    content["settings"] |= {
        "recipe": recipe,
        "reconstruction_loss": loss,
        "beta": beta,
        "latent_dim": dimension,
    }
    rng = np.random.default_rng([seed, dimension, int(16 * beta)])
    shown = content["losses"]["table_validation"]
    shift = 1 + rng.random()
    content["losses"]["validation"] = {name: value + shift for name, value in shown.items()}
    content["losses"]["training"] = content["losses"]["table_training"]
    content["measures"]["high_frequency_share"] = {"decoded": 0.1 + seed / 100, "test": 0.2}
    content["history"] = [
        {
            "epoch": epoch,
            **{f"{p}{name}": 1 / epoch for p in ("", "val_") for name in LOSSES},
            "of": [recipe, loss, beta, seed, dimension],  # no two trainings are equal
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
    if recipe == "report":
        content |= on_the_scale(loss, beta, dimension, seed)
    if recipe == "report" and dimension == 2 and (loss, beta) in OBJECTIVES.values():
        content["evidence"] = evidence(loss, beta, seed)
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
        "confirmed": {"evidence": {"mean_score": 0.1 * (1 - seed), "rms_score": 1 + seed / 100}},
        "split": {"gap": 5.0, "family": 1.0, "amortisation": 4.0, "full": 0.5},
        "below": {"500": 3.0},
        "aggregate": {"divergence": 0.6, "empty": 0.07},
    }
    if (loss, beta) == ("bce", 0.5):
        found["weighted"] = {"posterior": 6.0, "weighted": 11.0 + seed}
    return found


@pytest.fixture
def book(tmp_path):
    (tmp_path / "recorded" / "runs").mkdir(parents=True)
    for name in ("claims.yml", "questions.yml"):
        shutil.copy(BOOK / name, tmp_path)
    yardsticks = {"bits_per_pixel": {"independent_pixels": 1.8, "png": 2.5}}
    write_json(yardsticks, tmp_path / "recorded" / "yardsticks.json")
    shutil.copytree(BOOK / "recorded" / "original", tmp_path / "recorded" / "original")
    points = [("original", loss, 0.5, seed, 2) for loss in ("bce", "mse") for seed in range(3)]
    points += [
        ("report", *objective, seed, 2) for objective in OBJECTIVES.values() for seed in range(4)
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
    for recipe, loss, beta, seed, dimension in points:
        name = training_name(recipe, loss, beta, dimension, seed)
        content = made_up(recipe, loss, beta, seed, dimension)
        write_json(content, tmp_path / "recorded" / "runs" / f"{name}.json")
    earlier = tmp_path / "recorded" / "runs-first-edition"
    earlier.mkdir()
    for loss in ("bce", "mse"):
        for seed in range(3):
            far, own = record(loss, seed, shift=0.1), made_up("original", loss, 0.5, seed)
            write_json(
                own | {"losses": own["losses"] | far["losses"]},
                earlier / f"{training_name('original', loss, 0.5, 2, seed)}.json",
            )
    return tmp_path


def test_intervals_are_those_of_students_distribution():
    values = [3.0, 5.0, 4.0, 8.0]
    spread = verdicts.over_seeds(values)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert spread["confidence"] == pytest.approx({"low": low, "high": high})
    half = (high - low) / 2 * np.sqrt(5)  # √(1 + 1/4) is √5 times √(1/4)
    assert spread["prediction"] == pytest.approx({"low": 5 - half, "high": 5 + half})
    assert spread["values"] == values


def test_the_summary_of_a_book(book):
    found = summary.summarise(book)
    assert list(found["claims"]) == [f"C{number}" for number in range(1, 13)]
    assert found["claims"]["C5"]["verdict"] == "reproduced"
    recorded = found["recorded"]["original"]
    assert (recorded["runs"], recorded["seeds"]) == (6, 3)
    assert (recorded["first"], recorded["last"]) == ("2026-01-01", "2026-01-03")
    verdicts = [claim["verdict"] for claim in found["claims"].values()]
    assert found["verdicts"] == {
        name: verdicts.count(name)
        for name in ("proved", "reproduced", "not reproduced", "undecided")
    }
    assert found["original_history"] == {
        "best": 148.2046,
        "first_epoch": {"total": 281.7537, "val_total": 172.428},
        "epochs": 33,
    }
    assert found["epochs"]["mse"] == {"fewest": 4, "most": 4}
    assert {name: part["values"] for name, part in found["first_epoch"].items()} == {
        "total": [1, 1, 1],
        "val_total": [1, 1, 1],
    }


def test_the_divergence_is_the_sum_whatever_was_minimised(book):
    objectives = summary.summarise(book)["objectives"]["report"]
    kl = ORIGINAL["bce"]["test"]["kl"]
    for name, factor in (("bce", 2), ("bce-elbo", 1)):
        values = objectives[name]["divergence"]["values"]
        divergences = [factor * kl * (1 + 0.002 * (s % 2 - 0.4)) for s in range(4)]
        assert values == pytest.approx(divergences)
        reconstruction = ORIGINAL["bce"]["test"]["reconstruction"]
        shares = objectives[name]["divergence_share"]["values"]
        assert shares == pytest.approx(
            [kl / (kl + reconstruction * (1 + 0.001 * (s - 1))) for s, kl in enumerate(divergences)]
        )


def test_only_what_is_recorded_has_an_objective(book):
    objectives = summary.summarise(book)["objectives"]
    assert list(objectives["original"]) == ["bce", "mse"]
    found = objectives["original"]["bce"]
    assert found["seeds"] == [0, 1, 2]
    assert found["high_frequencies"]["values"] == pytest.approx([0.5, 0.55, 0.6])
    assert found["greatest_step"]["values"] == [0.2, 0.2, 0.2]
    assert found["accuracy"]["values"] == pytest.approx([0.92, 0.918, 0.916])


def test_effects_of_the_recipe_report_come_from_its_own_pairs(book):
    effects = summary.summarise(book)["report_effects"]
    assert list(effects) == list(claims.QUANTITIES)
    sharper = effects["mse_sharper_than_bce"]
    assert sharper["values"] == pytest.approx([0.1] * 4)


def test_overlaps_are_averaged_over_seeds(book):
    overlap = summary.summarise(book)["overlap"]["bce"]
    assert overlap["pairs"]["1"] == {"digits": "4 and 9", "share": pytest.approx(0.41)}
    assert overlap["confusion"][4][9] == pytest.approx(0.41)
    assert overlap["confusion"][0][0] == 1


def test_the_first_editions_records_are_judged_alone(book):
    found = summary.summarise(book)
    earlier = found["earlier"]
    assert found["claims"]["C5"]["verdict"] == "reproduced"
    assert earlier["verdicts"]["C5"] == "not reproduced"
    assert earlier["verdicts"]["C7"] == found["claims"]["C7"]["verdict"]
    kl = [1.1 * value for value in found["objectives"]["original"]["bce"]["kl"]["values"]]
    middle = (earlier["test_kl"]["low"] + earlier["test_kl"]["high"]) / 2
    assert middle == pytest.approx(np.mean(kl), rel=1e-3)
    assert earlier["test_kl"]["p_value"] < 0.01
    assert earlier["recorded"]["runs"] == 6


def test_slices_are_compared_run_by_run(book):
    part = summary.summarise(book)["slices"]["mse"]
    validation = part["validation"]
    assert all(1 < value < 2 for value in validation["difference"]["values"])
    assert validation["difference"]["mean"] == pytest.approx(
        validation["split"]["mean"] - validation["table"]["mean"]
    )
    assert part["training"]["difference"]["values"] == [0, 0, 0]


def test_a_run_is_held_against_the_others(book):
    objective = summary.summarise(book)["objectives"]["report"]["bce-elbo"]
    assert list(objective["others"]) == ["0", "1", "2", "3"]
    values = objective["total"]["values"]
    without = [value for seed, value in enumerate(values) if seed != 2]
    spread = np.std(without, ddof=1) * np.sqrt(1 + 1 / 3)
    low, high = stats.t.interval(0.95, 2, np.mean(without), spread)
    assert objective["others"]["2"]["total"] == pytest.approx({"low": low, "high": high})


def test_the_originals_losses_are_judged_together(book):
    together = summary.summarise(book)["numbers"]["bce"]
    # The made-up KL losses go together on all slices; the original's lie within the spread.
    assert together["kl_correlation"] == pytest.approx({"least": 1, "greatest": 1})
    assert together["joint_p_value"] > 0.3
    assert 0.05 < together["chance_of_a_miss"] < 1 - 0.95**2 + 0.02


def test_what_the_chapter_on_cost_says_of_schedules():
    schedules = read_json(BOOK / "recorded" / "schedules.json")
    totals = {
        (row["variant"], row["loss"], row["seed"]): row["validation"][-1]
        for row in schedules["trainings"]
    }
    seeds = range(100, 105)
    for loss in ("BCE", "MSE"):
        alone, base = (schedules["summary"][f"{name}, {loss}"] for name in ("Adam alone", "base"))
        assert alone["live_units"] < base["live_units"]
        paired = stats.ttest_rel(
            *(
                [totals[name, loss.lower(), seed] for seed in seeds]
                for name in ("Adam alone", "base")
            )
        ).confidence_interval(0.95)
        recorded = alone["above_base"]["confidence"]
        assert (recorded["low"], recorded["high"]) == pytest.approx((paired.low, paired.high))
        assert recorded["low"] > 0
    found = schedules["summary"]
    assert all(part["seeds"] == len(seeds) for part in found.values())
    assert found["two epochs, BCE"]["above_base"]["confidence"]["low"] > 0
    assert found["two epochs, BCE"]["steps"] * 3 == found["base, BCE"]["steps"] * 2
    assert found["batches of 256, BCE"]["above_base"]["confidence"]["low"] > 0
    for rates in ("half of both rates, BCE", "twice both rates, BCE"):
        part = found[rates]["above_base"]["confidence"]
        assert part["low"] < 0 < part["high"]


def test_the_evidence_is_summarised_by_objective_and_over_all_models(book):
    found = summary.summarise(book)["evidence"]
    gap = found["bce-elbo"]["gap"]
    assert gap["values"] == [5.0] * 4
    assert found["mse"]["log_evidence"]["mean"] == pytest.approx(-136.5)
    assert found["mse-elbo"]["amortisation_share"]["mean"] == pytest.approx(0.8)
    assert found["bce"]["weighted"]["values"] == [5, 6, 7, 8]
    assert "weighted" not in found["bce-elbo"]
    assert found["all"]["models"] == 16
    assert (found["all"]["least"], found["all"]["greatest"]) == (0.01, 103.0)
    assert found["all"]["mean_score"] == pytest.approx(-0.2)
    assert found["all"]["greatest_rms_score"] == pytest.approx(1.03)
    difference = found["half_minus_whole"]
    assert difference["log_evidence"]["values"] == [2.0] * 4
    assert difference["bound"]["values"] == [1.0] * 4


def test_the_one_scale_is_summarised_by_objective_and_weight(book):
    found = summary.summarise(book)["one_scale"]
    assert found["seeds"] == 4
    assert {name: list(kinds) for name, kinds in found["code"].items()} == {
        **{name: ["assumed"] for name in ("bce", "bce-elbo", "cb-levels")},
        **{name: ["assumed", "fitted"] for name in ("mse", "mse-elbo", "gaussian")},
    }
    fitted = found["code"]["gaussian"]["fitted"]
    assert fitted["bits_per_pixel"]["values"] == pytest.approx([1.4, 1.403, 1.406, 1.409])
    assert fitted["above"]["mean"] == pytest.approx(1.4045 - 1.8)
    assert fitted["variance"]["values"] == pytest.approx([0.3, 0.301, 0.302, 0.303])
    assert found["error"] == pytest.approx(4e-5)
    assert found["samples"]["mse-elbo"] == "mse 0"
    curve = found["curves"]["mse"]
    assert list(curve) == ["1/16", "1/8", "1/4", "1/2", "1", "2", "4"]
    assert curve["1/4"]["aggregate"]["values"] == pytest.approx([4, 4.001, 4.002, 4.003])
    assert curve["4"]["rate"]["values"] == pytest.approx([6, 5.999, 5.998, 5.997])
    assert found["merged"]["bce"]["digits"] == "4 and 9, 4 and 9, 4 and 9, 4 and 9"
    assert found["merged"]["bce"]["betas"] == "1/16, 1/16, 1/16, 1/16"
    assert found["dimensions"]["mse"]["nats"] == pytest.approx([1.0] * 9 + [0.01] * 7)
    assert found["dimensions"]["mse"]["used"]["values"] == [9] * 4
    assert found["questions"]["Q4"]["answer"] == "yes"


def test_latent_dimensions_are_compared_on_the_same_seeds(book):
    dimensions = summary.summarise(book)["latent_dimensions"]
    assert list(dimensions) == ["2", "4", "16"]
    assert [len(part["total"]["values"]) for part in dimensions.values()] == [3, 3, 3]


def test_the_command_computes_what_is_missing_and_sums_up(book, monkeypatch):
    def compute(point, kept):
        return made_up(
            point.recipe,
            point.reconstruction_loss,
            point.beta,
            point.seed,
            point.latent_dim,
        )

    monkeypatch.setattr(grid, "compute", compute)
    monkeypatch.chdir(book)
    Path("runs.yml").touch()
    shutil.rmtree(Path("recorded", "runs"))
    points = [point.name for point in grid.book_points()]
    listed = CliRunner().invoke(cli.main, ["sweep", "--list"])
    assert listed.output.split() == points
    done = CliRunner().invoke(cli.main, ["sweep"])
    assert done.output.splitlines() == [f"recorded {name}" for name in points]
    written = read_json(Path("recorded", "reproduction.json"))
    assert written["recorded"]["report"]["runs"] == 91
    assert list(written["latent_dimensions"]) == ["2", "4", "8", "16"]
    (book / "claims.yml").write_text(
        "C1: {claim: one, rule: prooved, checked: two, evidence: intro}\n"
    )
    wrong = CliRunner().invoke(cli.main, ["sweep"])
    assert wrong.exit_code == 1
    assert "did you mean 'proved'?" in wrong.output
    assert read_json(Path("recorded", "reproduction.json")) == written


def test_the_summary_in_the_book_is_that_of_its_records():
    agreement.check(BOOK)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("claims", "C5", "verdict"), "not reproduced"),
        (("claims", "C5", "parts", 0, "claimed"), 1.0),
        (("objectives", "report", "bce", "total", "mean"), 100.0),
        (("recorded", "report", "runs"), 92),
        (("verdicts", "proved"), None),
    ],
)
def test_an_edited_summary_is_refused_by_key(book, keys, value):
    write_json(summary.summarise(book), book / "recorded" / "reproduction.json")
    agreement.check(book)
    edited = read_json(book / "recorded" / "reproduction.json")
    place = edited
    for key in keys[:-1]:
        place = place[key]
    assert place[keys[-1]] != value
    place[keys[-1]] = value
    write_json(edited, book / "recorded" / "reproduction.json")
    key = re.escape(".".join(map(str, keys)))
    with pytest.raises(ValueError, match=rf"not what the records say: {key} is .*; expected"):
        agreement.check(book)


def test_a_rounding_of_another_processor_is_no_edit(book):
    found = summary.summarise(book)
    found["objectives"]["report"]["bce"]["total"]["mean"] *= 1 + 1e-13
    write_json(found, book / "recorded" / "reproduction.json")
    agreement.check(book)


def test_what_is_asked_of_bce_is_asked_of_mse_too(book):
    parts = {part["name"]: part for part in summary.summarise(book)["mse_too"]}
    assert list(parts) == list(claims.MSE_TOO)
    runs = records.select(
        records.read(book / "recorded" / "runs"), recipe="original", reconstruction_loss="mse"
    )
    expected = [1 - run["measures"]["sharpness"] for run in runs]
    smoothed = parts["mse_reconstructions_smoothed"]
    assert smoothed["values"] == expected
    low, high = verdicts.confidence_interval(expected)
    assert smoothed["interval"] == (low, high)
    expected = [run["measures"]["recognised"] - 0.5 for run in runs]
    assert parts["mse_reconstructions_recognised"]["values"] == expected


def test_what_the_chapter_says_in_words_holds_of_its_records():
    found = summary.summarise(BOOK)
    assert {part["verdict"] for part in found["mse_too"]} == {"reproduced"}
    original, report = (found["objectives"][recipe] for recipe in ("original", "report"))
    parts = {part["name"]: part for claim in found["claims"].values() for part in claim["parts"]}
    undecided = [name for name, claim in found["claims"].items() if claim["verdict"] == "undecided"]
    assert undecided == ["C5", "C11"]
    # The rule, and its words
    widths = {
        part["name"]: (part["interval"][1] - part["interval"][0]) / part["claimed"]
        for part in found["claims"]["C5"]["parts"]
    }
    for name, width in widths.items():
        assert (0.2 < width < 0.25) == name.endswith("kl")
    assert all(
        part["interval"][0] <= part["claimed"] <= part["interval"][1]
        for claim in found["claims"].values()
        for part in claim["parts"]
        if part["p_value"]
    )
    # C7, C8 and C9
    tiles, rule = found["tiles"], 0.1
    assert tiles["mean"] < rule
    for loss in ("bce", "mse"):
        assert max(original[loss]["greatest_step"]["values"]) < tiles["greatest"] / 2
        assert found["overlap"][loss]["pairs"]["1"]["digits"] == "4 and 9"
    # Where it does not agree, and why
    assert found["numbers"]["bce"]["joint_p_value"] > 0.05
    assert found["numbers"]["bce"]["kl_correlation"]["least"] > 0.9
    numbers = {part["name"]: part for part in found["claims"]["C5"]["parts"]}
    for name, part in numbers.items():
        expected = "undecided" if name.endswith("kl") else "reproduced"
        assert part["verdict"] == expected
        if expected == "undecided":
            assert part["claimed"] < min(part["values"])
    by_a_thousandth = found["earlier"]["test_kl"]["low"] - numbers["test, kl"]["claimed"]
    assert 0.0005 < by_a_thousandth < 0.0015
    keras = read_json(BOOK / "recorded" / "cost.json")["keras"]["original"]["test"]
    for loss in ("kl", "total"):
        low, high = numbers[f"test, {loss}"]["interval"]
        assert low <= keras[loss] <= high
    bce = records.select(
        records.read(BOOK / "recorded" / "runs"), recipe="original", reconstruction_loss="bce"
    )
    after_five = [run["history"][4]["val_total"] for run in bce]
    kl = numbers["test, kl"]["values"]
    slow, low = np.argsort(after_five)[-2:], np.argsort(kl)[:2]
    assert set(slow) == set(low)
    first, theirs = found["first_epoch"], found["original_history"]["first_epoch"]
    assert theirs["total"] > first["total"]["prediction"]["high"]
    assert theirs["val_total"] < first["val_total"]["prediction"]["low"]
    clear = {name: part["confidence"]["low"] > 0 for name, part in found["report_effects"].items()}
    assert clear["mse_less_dispersed_than_bce"]
    for name in (
        "bce_four_and_nine_overlap_most",
        "mse_sharper_than_bce",
        "mse_less_dispersed_than_bce_robustly",
    ):
        part = found["report_effects"][name]["confidence"]
        assert part["low"] < 0 < part["high"]
    for name in ("mse_less_dispersed_than_bce", "mse_sharper_than_bce"):
        assert min(parts[name]["values"]) < 0 < max(parts[name]["values"])
    assert max(parts["mse_less_dispersed_than_bce_robustly"]["values"]) < 0
    for loss in ("bce", "mse"):
        assert 0.2 < original[loss]["sharpness"]["mean"] < 0.3
        assert found["epochs"][loss]["most"] < RECIPES["original"].max_epochs
    assert min(parts["bce_four_and_nine_overlap_most"]["values"]) > 0
    for part in found["claims"]["C10"]["parts"]:
        assert part["interval"][0] < part["claimed"] < part["interval"][1]
        wide = (part["interval"][1] - part["interval"][0]) / part["claimed"]
        assert (0.17 < wide < 0.2) == part["name"].endswith("kl")
    # The audit
    assert original["bce"]["divergence_share"]["confidence"]["high"] < 0.1
    assert original["mse"]["divergence_share"]["confidence"]["low"] > 0.1

    def more_with_half(loss, measure):
        pair = (report[name][measure]["values"] for name in (loss, f"{loss}-elbo"))
        return verdicts.over_seeds(m - s for m, s in zip(*pair, strict=True))["confidence"]

    for loss in ("bce", "mse"):
        assert more_with_half(loss, "divergence")["low"] > 0
        assert more_with_half(loss, "deviation")["low"] > 0
        robust = more_with_half(loss, "robust_deviation")
        assert robust["low"] < 0 < robust["high"]
    difference = more_with_half("bce", "reconstruction")
    assert difference["low"] < 0 < difference["high"]
    assert more_with_half("mse", "reconstruction")["high"] < 0
    assert min(found["slices"]["bce"]["validation"]["difference"]["values"]) > 0
    assert min(found["slices"]["mse"]["validation"]["difference"]["values"]) < 0
    # More latent dimensions
    for dimension in found["latent_dimensions"].values():
        assert len(dimension["total"]["values"]) == 3
    dimensions = found["latent_dimensions"].values()
    for loss, sign in (("total", -1), ("reconstruction", -1), ("kl", 1)):
        means = [sign * dimension[loss]["mean"] for dimension in dimensions]
        assert means == sorted(means)


def first_edition(seeds):
    """Judge the claims by the first seeds of the first edition's records."""
    pairs = claims.pair_up(records.read(BOOK / EARLIER), "original")
    assert [pair["mse"]["settings"]["seed"] for pair in pairs] == [0, 1, 2, 3, 4]
    return claims.judge(claims.read_claims(BOOK), pairs[:seeds], ORIGINAL)


def test_what_the_chapter_says_of_the_first_editions_records():
    now = summary.summarise(BOOK)["claims"]
    earlier = first_edition(5)
    changed = [name for name in now if now[name]["verdict"] != earlier[name].verdict]
    assert changed == ["C5", "C9", "C10"]
    assert earlier["C5"].verdict == "not reproduced"
    for name in ("C5", "C10"):
        for part in earlier[name].parts:
            width = (part.interval[1] - part.interval[0]) / part.claimed
            assert (0.2 < width < 0.22) == part.name.endswith("kl")
            outside = not part.interval[0] <= part.claimed <= part.interval[1]
            assert outside == (name == "C5" and part.name.endswith("kl"))
    (overlap,) = (p for p in earlier["C9"].parts if p.name == "bce_four_and_nine_overlap_most")
    assert min(overlap.values) > 0
    assert overlap.interval[0] < 0


def test_two_seeds_more_changed_no_verdict_of_the_first_edition():
    after_three = first_edition(3)
    for name, finding in first_edition(5).items():
        assert after_three[name].verdict == finding.verdict


def test_what_the_chapter_on_the_evidence_says_of_its_records():
    found = read_json(BOOK / "recorded" / "reproduction.json")["evidence"]
    objectives = [found[name] for name in OBJECTIVES]
    assert found["all"]["models"] == 32
    assert all(len(objective["gap"]["values"]) == 8 for objective in objectives)
    assert found["all"]["least"] > -0.01
    assert found["all"]["error"] <= 0.01
    assert abs(found["all"]["mean_score"]) < 0.25
    assert 0.8 < found["all"]["least_rms_score"] < found["all"]["greatest_rms_score"] < 1.2
    for objective in objectives:
        assert min(objective["amortisation_share"]["values"]) > 0.9
        assert min(objective["below"]["values"]) > 0.1
        assert max(objective["full"]["values"]) < 0.1
        spread = max(objective["log_evidence"]["values"]) - min(objective["log_evidence"]["values"])
        assert objective["gap"]["mean"] > spread
    assert min(found["bce"]["weighted"]["values"]) > 0
    # One seed would have told either story.
    for name in ("log_evidence", "bound"):
        difference = found["half_minus_whole"][name]
        assert min(difference["values"]) < 0 < max(difference["values"])
        assert difference["confidence"]["low"] < 0 < difference["confidence"]["high"]


def test_what_the_chapter_on_the_one_scale_says_of_its_records():
    found = read_json(BOOK / "recorded" / "reproduction.json")["one_scale"]
    yardsticks = read_json(BOOK / "recorded" / "yardsticks.json")
    bits = {
        (name, kind): part["bits_per_pixel"]["values"]
        for name, kinds in found["code"].items()
        for kind, part in kinds.items()
    }
    assert found["seeds"] == 5
    assert all(len(values) == 5 for values in bits.values())
    assert found["error"] < 0.0002
    # Squared error is better than both families of Bernoulli, and no code is a good one.
    worst_fitted = max(max(values) for (_, kind), values in bits.items() if kind == "fitted")
    for name in ("bce", "bce-elbo", "cb-levels"):
        assert min(bits[name, "assumed"]) > max(worst_fitted, *bits["mse", "assumed"])
    assert min(min(values) for values in bits.values()) > 2.138
    assert yardsticks["bits_per_pixel"]["independent_pixels"] < 1.7
    assert 2.13 < yardsticks["bits_per_pixel"]["jpeg_xl"] < 2.14
    assert 0.8 < yardsticks["black"] < 0.81
    # Which Gaussian hardly matters.
    fitted = {name: found["code"][name]["fitted"] for name in ("mse", "mse-elbo", "gaussian")}
    means = {name: part["bits_per_pixel"]["mean"] for name, part in fitted.items()}
    assert min(means, key=means.get) == "gaussian"
    assert max(means.values()) - min(means.values()) < 0.01
    assert abs(found["code"]["mse"]["assumed"]["bits_per_pixel"]["mean"] - means["mse"]) < 0.002
    assert max(found["code"]["gaussian"]["assumed"]["variance"]["values"]) < 0.05
    assert min(fitted["gaussian"]["variance"]["values"]) > 0.2
    assert max(found["sharpness"][name]["mean"] for name in found["sharpness"]) < 0.4
    # The loss of the continuous Bernoulli's density has no minimum.
    assert max(found["unbounded"]["reconstruction"]["values"]) < -3000
    assert min(found["unbounded"]["kl"]["values"]) > 30
    for loss, curve in found["curves"].items():
        assert list(curve) == ["1/16", "1/8", "1/4", "1/2", "1", "2", "4"]
        distortion = [part["distortion"]["mean"] for part in curve.values()]
        assert abs(distortion[0] - distortion[2]) < 0.02 * distortion[0]
        assert distortion[6] > distortion[5] > distortion[4] > distortion[3] > distortion[2]
        assert set(found["merged"][loss]["betas"].split(", ")) == {"1/16"}
        assert found["merged"][loss]["digits"].count("4 and 9") == 2
        for name in ("rate", "aggregate"):
            means = [part[name]["mean"] for part in curve.values()]
            assert means == sorted(means, reverse=True), (loss, name)
        assert max(found["dimensions"][loss]["used"]["values"]) < 16
    accuracy = {
        loss: c["1"]["accuracy"]["mean"] - c["4"]["accuracy"]["mean"]
        for loss, c in found["curves"].items()
    }
    assert accuracy["mse"] > 0.1 > 0.02 > accuracy["bce"] > 0
    answers = {name: part["answer"] for name, part in found["questions"].items()}
    assert [name for name, answer in answers.items() if answer == "no"] == ["Q2", "Q6"]
    used = {loss: part["used"]["mean"] for loss, part in found["dimensions"].items()}
    assert used["mse"] < used["bce"]
    rate = found["curves"]["mse"]
    variance = found["code"]["gaussian"]["assumed"]["variance"]["mean"]
    assert 1 / 16 < 2 * variance < 1 / 8
    assert rate["1/16"]["rate"]["mean"] > rate["1/8"]["rate"]["mean"]
