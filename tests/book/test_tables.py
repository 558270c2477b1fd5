"""The rows of tables that directives print."""

from vaelib.book.directives import losses, tables

SETTINGS = {"reconstruction_loss": "mse", "beta": 0.5, "latent_dim": 2}
LOSSES = {
    name: {"total": 3.0 + at, "reconstruction": 2.0 + at, "kl": 1.0}
    for at, name in enumerate(
        ("test", "training", "validation", "table_training", "table_validation")
    )
}


def test_one_template_makes_all_rows():
    rows = tables.rows_of(
        "| | time |", "| {label} | {value}`cost:{key}.ms:.1f` |", {"a b": "`A`", "c": "C"}
    )
    assert rows == [
        ["", "time"],
        ["`A`", "{value}`cost:a b.ms:.1f`"],
        ["C", "{value}`cost:c.ms:.1f`"],
    ]


def test_the_losses_of_a_run_by_slice():
    heads, *rows = losses.by_slice(LOSSES)
    assert heads == ["slice", "total", "reconstruction", "KL"]
    assert rows[0] == ["test", "3.000", "2.000", "1.000"]
    assert rows[2] == ["validation (last 15 %, held out)", "5.000", "4.000", "1.000"]
    assert len(rows) == 5


def test_runs_side_by_side_have_the_divergence_itself():
    _, row = losses.side_by_side({"mse": (SETTINGS, LOSSES)})
    assert row == ["`mse`", "MSE", "0.5", "3.000", "2.000", "1.000", "2.000"]
    _, row = losses.side_by_side({"mse-elbo": (SETTINGS | {"beta": 1.0}, LOSSES)})
    assert row[-1] == "1.000"


def test_runs_beside_the_original_on_its_own_slices():
    original = {
        "mse": {
            split: {"total": 9, "reconstruction": 8, "kl": 7}
            for split in ("train", "validation", "test")
        }
    }
    _, training, validation, test = losses.beside({"mse": (SETTINGS, LOSSES)}, original)
    assert training == ["MSE, training", "9.000", "6.000", "8.000", "5.000", "7.000", "1.000"]
    assert validation[:3] == ['MSE, "validation"', "9.000", "7.000"]
    assert test[:3] == ["MSE, test", "9.000", "3.000"]
