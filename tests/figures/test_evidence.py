import numpy as np
import pytest

from vaelib.figures import evidence


def one(x):
    return evidence.Portrait(
        image=np.eye(28),
        decoded={"at q": np.zeros((28, 28)), "at p": np.ones((28, 28))},
        mean=np.array([x, 0.5]),
        deviation=np.array([0.1, 0.2]),
        window=(-1.0, 1.0, 0.0, 2.0),
        density=np.outer(np.linspace(0, 1, 12), np.ones(12)),
    )


def test_the_shares_rise_to_one_at_the_greatest_gap():
    (line,) = evidence.gap_shares({"a": np.array([4.0, 1.0, 2.0])}).axes[0].lines
    assert line.get_xdata().tolist() == [1, 2, 4]
    assert line.get_ydata()[-1] == 1


def test_a_posterior_is_drawn_where_it_lies_beside_the_encoders_ellipse():
    codes = np.array([[3.0, -2.0], [0.0, 1.0]])
    figure = evidence.posteriors([one(0.3), one(-0.3)], codes)
    titles = [axes.get_title() for axes in figure.axes[:5]]
    assert titles == ["image", "at q", "at p", "latent plane", "magnified"]
    closer = figure.axes[4]
    (ellipse,) = closer.patches
    assert tuple(ellipse.center) == pytest.approx((0.3, 0.5))
    assert (ellipse.width, ellipse.height) == pytest.approx((0.4, 0.8))
    shown = closer.images[0]
    assert shown.get_extent() == [-1, 1, 0, 2]
    # The density grows with the first coordinate: to the right.
    assert np.asarray(shown.get_array())[0].tolist() == pytest.approx(np.linspace(0, 1, 12))
    assert figure.axes[3].get_xlim() == (-3, 3)


def test_contours_hold_shares_of_the_mass():
    """Of a Gaussian, by the distribution of its squared distance, chi-squared."""
    axis = np.linspace(-5, 5, 301)
    density = np.exp(-(axis[:, None] ** 2 + axis**2) / 2)
    half, most = evidence.mass_levels(density, (0.5, 0.95))
    assert half == pytest.approx(0.5, rel=0.005)  # exp(−d²/2) is 1 minus the share within d
    assert most == pytest.approx(0.05, rel=0.01)


def test_without_images_the_figure_says_so():
    (text,) = evidence.posteriors([], np.zeros((1, 2))).texts
    assert text.get_text() == "there is no such image"


def test_the_aggregate_lies_on_its_axes():
    axis = np.linspace(-2, 2, 9)
    density = np.zeros((9, 9))
    density[8, 0] = 4  # first coordinate high, second low: lower right
    axes = evidence.aggregate(axis, density, 2).axes[0]
    shown = np.asarray(axes.images[0].get_array())
    assert shown[0, 8] == 2
    assert axes.images[0].origin == "lower"
    assert len(axes.patches) == 3


def test_the_magnified_part_is_a_square_that_holds_window_and_ellipse():
    closer = evidence.posteriors([one(5.0)], np.array([[3.0, -2.0]])).axes[4]
    (left, right), (bottom, top) = closer.get_xlim(), closer.get_ylim()
    assert right - left == pytest.approx(top - bottom)
    assert left <= -1 + 1e-9
    assert right >= 5.2 - 1e-9
    assert bottom <= 1e-9
    assert top >= 2 - 1e-9
