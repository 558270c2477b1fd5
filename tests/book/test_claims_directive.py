"""What pages say about verdicts and about a build among the recorded runs."""

from types import SimpleNamespace

import pytest

from vaelib.book.directives import claims
from vaelib.plumbing import files
from vaelib.study import statistics
from vaelib.training import folder

SPREAD = {
    "seeds": [0, 1, 2, 3],
    "total": {"values": [20.0, 11.0, 12.0, 13.0]},
    "reconstruction": {"values": [8.0, 7.0, 8.0, 9.0]},
    "kl": {"values": [3.0, 2.9, 3.0, 3.1]},
}
PART = {"above": None, "below": None, "claimed": None, "other": None, "verdict": ""}
NUMBER = {
    "claim": "It grows.",
    "words": "",
    "verdict": "reproduced",
    "checked": "One number.",
    "evidence": "experiments/trainings",
    "tests": {"table": 0.12345, "first_epoch": None},
    "parts": [
        PART
        | {
            "name": "test, total",
            "claimed": 9.5,
            "other": 3.25,
            "values": [9.0, 10.0],
            "interval": [8.0, 11.0],
        }
    ],
}
EFFECT = {
    "claim": "It grows.",
    "words": "crece",
    "verdict": "undecided",
    "checked": "Once.",
    "evidence": "theory/elbo",
    "tests": {},
    "parts": [
        PART
        | {
            "name": "kl_of_bce",
            "above": 0,
            "values": [-1.0, 1.0, 9.0],
            "interval": [-2.0, 3.0],
            "verdict": "undecided",
        }
    ],
}


def test_a_claim_has_its_words_its_size_and_its_evidence():
    heads, number, effect = claims.verdicts_of({"C5": NUMBER, "C6": EFFECT})
    assert number == [
        "C5",
        "It grows.",
        "table: p = 0.12; first epoch: too few runs; 2 runs",
        "[✓]{.verdict-good}\xa0**reproduced**",
        "One number. {doc}`/experiments/trainings`",
    ]
    assert effect[1:3] == [
        "It grows. *«crece»*",
        "1.000 (\N{MINUS SIGN}2.000 to 3.000), claimed above 0: 2 of 3 seeds",
    ]
    assert len(heads) == len(number) == len(effect)
    proved = NUMBER | {"parts": [], "tests": {}}
    assert claims.verdicts_of({"C2": proved})[1][2] == "–"


def test_every_verdict_has_a_mark_and_keeps_its_word():
    assert set(claims.MARKS) == set(claims.SPANISH) == set(statistics.ALL)
    texts = [claims.marked(verdict) for verdict in statistics.ALL]
    assert all(
        f"**{verdict}**" in text for verdict, text in zip(statistics.ALL, texts, strict=True)
    )
    good, bad, unsure = (claims.marked(v)[1] for v in ("proved", "not reproduced", "undecided"))
    assert len({good, bad, unsure}) == 3  # not by colour alone


def test_a_verdict_in_spanish_is_one_of_those_that_are_known(tmp_path):
    file = tmp_path / "_build" / "reproduction.json"
    file.parent.mkdir()
    files.write_derived({"claims": {"C1": {"verdict": "undecided", "claim": "x"}}}, "key", file)
    found = claims.verdict_in_spanish(tmp_path, "reproduction", "claims.C1.verdict", "")
    assert found == ("sin decidir", file)
    with pytest.raises(ValueError, match="verdict is 'x'"):
        claims.verdict_in_spanish(tmp_path, "reproduction", "claims.C1.claim", "")


def test_a_number_stands_beside_that_of_the_other_loss():
    heads, number = claims.numbers_of(NUMBER)
    assert number == ["test, total", "9.500", "9.500", "8.000 to 11.000", "3.250"]
    assert len(heads) == len(number)


def test_an_effect_has_median_interval_limit_and_verdict():
    (part,) = claims.of_effects(EFFECT)
    heads, effect = claims.effects_of([("C6", part)])
    size = "1.000 (\N{MINUS SIGN}2.000 to 3.000)"
    assert effect == ["C6", "KL of BCE", size, "above 0", claims.marked("undecided")]
    assert len(heads) == len(effect)
    assert claims.effects_of([("", part)])[1] == effect[1:]
    below = claims.limit_of(PART | {"below": 0.1})
    assert below == "claimed below 0.1"
    assert claims.seeds_of(part | {"above": None, "below": 0.0}) == "1 of 3 seeds"


def test_a_run_inside_the_intervals_of_the_other_seeds_is_a_sentence():
    lines = claims.compare("bce", {"total": 10.5, "reconstruction": 7.5, "kl": 3.0}, 0, SPREAD)
    assert len(lines) == 1
    assert "3 other seeds: total 10.500 (7.032 to 16.968)" in lines[0]
    assert "same seed had the total 20.000, 9.500 from this build's" in lines[0]


def test_a_run_is_not_held_against_itself():
    lines = claims.compare("bce", {"total": 18.5, "reconstruction": 7.5, "kl": 3.0}, 0, SPREAD)
    assert "total 18.500 (7.032 to 16.968)" in lines[2]  # inside with its own seed


def test_a_run_outside_is_a_box_that_says_which_loss():
    lines = claims.compare("bce", {"total": 10.5, "reconstruction": 7.0, "kl": 3.6}, 9, SPREAD)
    assert lines[0].startswith("```{admonition}")
    assert "KL 3.600 (2.709 to 3.291)" in lines[2]
    assert "total 10.500" not in lines[2]
    assert "same seed" not in lines[2]
    assert "4 other seeds" in lines[2]


@pytest.mark.parametrize(("loss", "said"), [("bce", "```{admonition} Outside"), ("mse", "")])
def test_a_build_is_held_against_the_recorded_runs_of_its_objective(
    tmp_path, monkeypatch, loss, said
):
    run = tmp_path / "executed" / "name"
    run.mkdir(parents=True)
    settings = {"reconstruction_loss": loss, "beta": 0.5, "recipe": "smoke", "seed": 7}
    losses = {"total": 35.0, "reconstruction": 8.0, "kl": 3.0}  # the total is too great
    files.write_json(settings, run / folder.FILES["settings"])
    files.write_json({"test": losses}, run / folder.FILES["losses"])
    files.seal(run)
    others = {"bce, whole": SPREAD | {"loss": "bce", "beta": 1.0}}  # says nothing of these runs
    recorded = {"smoke": {"bce": SPREAD | {"loss": "bce", "beta": 0.5}} | others, "report": {}}
    read = set()
    directive = SimpleNamespace(
        arguments=["name"], env=SimpleNamespace(srcdir=tmp_path, note_dependency=read.add)
    )
    monkeypatch.setattr(claims, "summary_for", lambda directive: {"objectives": recorded})
    monkeypatch.setattr(claims, "markdown", lambda directive, lines: lines)
    lines = claims.Recorded.run(directive)
    assert "\n".join(lines).startswith(said)
    assert bool(lines) == bool(said)
    assert "to 28.526)." in "".join(lines) or not said
    assert read == {str(run / folder.FILES[part]) for part in ("settings", "losses")}
