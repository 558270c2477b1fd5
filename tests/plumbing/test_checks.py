import pytest

from vaelib.plumbing.checks import require
from vaelib.plumbing.words import LOSSES, printed


def test_a_known_name_passes():
    require("loss", "bce", ["bce", "mse"])


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(ValueError, match=r"loss is 'bcee'; expected one of mse, bce: .*'bce'\?"):
        require("loss", "bcee", ["mse", "bce"])


def test_a_name_near_to_none_still_gets_a_hint():
    with pytest.raises(ValueError, match="did you mean"):
        require("loss", "#", ["mse", "bce"])


def test_losses_and_quantities_are_printed_in_one_way():
    assert [printed(name) for name in LOSSES] == ["total", "reconstruction", "KL"]
    assert printed("mse_sharper_than_bce") == "MSE sharper than BCE"
