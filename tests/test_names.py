import pytest

from vaelib.names import require


def test_a_known_name_passes():
    require("loss", "bce", ["bce", "mse"])


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(ValueError, match=r"loss is 'bcee'; expected one of mse, bce: .*'bce'\?"):
        require("loss", "bcee", ["mse", "bce"])


def test_a_name_near_to_none_still_gets_a_hint():
    with pytest.raises(ValueError, match="did you mean"):
        require("loss", "#", ["mse", "bce"])
