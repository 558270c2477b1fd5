import pytest

from vaelib.plumbing.checks import require
from vaelib.plumbing.words import LOSSES, printed


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(ValueError, match=r"loss is 'bcee'; expected one of mse, bce: .*'bce'\?"):
        require("loss", "bcee", ["mse", "bce"])


def test_losses_and_quantities_are_printed_in_one_way():
    assert [printed(name) for name in LOSSES] == ["total", "reconstruction", "KL"]
    assert printed("mse_sharper_than_bce") == "MSE sharper than BCE"
