import base64
import io
import re

import numpy as np
import pytest
import torch
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from vaelib.book.explorer.join import HERE
from vaelib.figures import images as pictures
from vaelib.figures import network, style, theory
from vaelib.figures.curves import curves
from vaelib.figures.labels import APART, label_places
from vaelib.plumbing.words import LOSSES
from vaelib.vae import architecture
from vaelib.vae.model import VAE

HISTORY = [
    {"epoch": e} | {f"{p}{n}": 10.0 / e for p in ("", "val_") for n in LOSSES} for e in (1, 2, 3)
]
TRACE = [{"epoch": e / 4} | dict.fromkeys(LOSSES, 12.0 / e) for e in range(1, 13)]


def test_curves_show_what_they_are_given():
    figure = curves(HISTORY, TRACE, "nats per image")
    total, _, kl = figure.axes
    fine, validation = total.lines
    np.testing.assert_allclose(fine.get_xdata(), [row["epoch"] for row in TRACE])
    np.testing.assert_allclose(validation.get_ydata(), [row["val_total"] for row in HISTORY])
    assert total.get_ylabel() == "loss (nats per image)"
    assert kl.get_title() == "KL"
    low, high = total.get_ylim()
    assert low < 12 / 12 < 12 / 3 < high < 12 / 1  # the first fall is off the scale


def test_cross_entropy_leaves_the_entropy_of_a_grey_pixel_and_squared_error_nothing():
    bernoulli, squared = theory.pixel_losses().axes
    for axes, least in ((bernoulli, [0, np.log(2), 0]), (squared, [0, 0, 0])):
        found = [line.get_ydata().min() for line in axes.lines]
        np.testing.assert_allclose(found, least, atol=0.003)


def test_curves_lie_over_the_original_ones():
    past = [row | {"epoch": 5 * row["epoch"]} for row in HISTORY]
    figure = curves(HISTORY, TRACE, "nats per image", past)
    assert figure.axes[0].get_xscale() == "log"
    assert figure.axes[0].lines[0].get_xdata().tolist() == [5, 10, 15]


def test_the_grid_keeps_rows_and_columns():
    images = np.zeros((4, 28, 28))
    images[1] = 1  # first row, second column
    axes = pictures.image_grid(images, 2, limit=2.0).axes[0]
    canvas = np.asarray(axes.images[0].get_array())
    assert canvas[:28, 28:].all()
    assert canvas.sum() == 784
    # The centre of the upper right image is the code (2, 2).
    left, right, bottom, top = axes.images[0].get_extent()
    assert left + 0.75 * (right - left) == pytest.approx(2)
    assert bottom + 0.75 * (top - bottom) == pytest.approx(2)


def test_grids_side_by_side_are_each_the_grid_of_its_images():
    random = np.random.default_rng(0)
    panels = {name: random.random((9, 28, 28)) for name in ("bce", "mse")}
    both = pictures.image_grids(panels, 3, 2.0).axes
    for axes, (name, images) in zip(both, panels.items(), strict=True):
        (alone,) = pictures.image_grid(images, 3, 2.0).axes
        assert axes.get_title() == name
        assert np.array_equal(axes.images[0].get_array(), alone.images[0].get_array())
        assert axes.images[0].get_extent() == alone.images[0].get_extent()


def test_the_scatter_writes_classes_and_shares_axes():
    random = np.random.default_rng(0)
    labels = np.arange(200) % 10
    points = random.normal(size=(200, 2)) + labels[:, None]
    figure = pictures.latent_scatter({"a": points, "b": points / 2}, labels, ("$z_1$", "$z_2$"))
    first, second = figure.axes[:2]
    assert first.get_xlim() == second.get_xlim()
    texts = {text.get_text(): text.get_position() for text in first.texts}
    assert texts == label_places(points, labels)
    assert first.collections[0].get_rasterized()


def test_a_class_is_written_where_it_is_dense_and_alone():
    """Not between its two parts, and not where another is denser."""
    random = np.random.default_rng(0)
    parts = [random.normal(centre, 0.1, (100, 2)) for centre in ((0, 0), (4, 0), (4, 0), (2, 3))]
    labels = np.repeat([0, 0, 1, 1], 100)
    places = label_places(np.concatenate(parts), labels)
    assert places["0"] == pytest.approx((0, 0), abs=0.3)
    assert places["1"] == pytest.approx((2, 3), abs=0.3)


@pytest.mark.parametrize("spread", [0.0, 0.01, 1.0])
def test_labels_do_not_collide(spread):
    random = np.random.default_rng(1)
    points = np.concatenate([random.normal(0, spread, (300, 2)), [(-5, -5), (5, 5)]])
    labels = np.arange(302) % 10
    places = np.array(list(label_places(points, labels).values()))
    distance = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(10)
    assert distance.min() >= 0.9 * APART * 10


def test_colours_of_classes_can_be_told_apart():
    """In CIELAB, also without red or green cones (Machado et al., 2009)."""
    sights = {
        "ordinary": (np.eye(3), 40),
        "protan": ([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]], 25),
        "deutan": ([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]], 25),
    }
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    coded = pictures.CLASS_COLOURS(range(10))[:, :3]
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    for name, (sight, least) in sights.items():
        xyz = np.clip(linear @ np.transpose(sight), 0, 1) @ to_xyz.T / (0.9505, 1, 1.089)
        f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        lab = np.stack(
            [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1
        )
        distance = np.linalg.norm(lab[:, None] - lab, axis=2) + 99 * np.eye(10)
        assert distance.min() > least, name


def test_the_explorer_has_the_same_colours():
    style = (HERE / "explorer.css").read_text()
    (colours,) = re.findall(r"--explorer-classes: (.+);", style)
    assert tuple(colours.split()) == pictures.COLOURS


def test_a_digit_without_images_is_not_written():
    labels = np.arange(20) % 2
    figure = pictures.latent_scatter({"": np.ones((20, 2))}, labels, ("x", "y"))
    assert [text.get_text() for text in figure.axes[0].texts] == ["0", "1"]


def test_few_points_are_drawn_larger_than_ten_thousand():
    few, many = (
        pictures.latent_scatter({"": np.zeros((number, 2))}, None, ("x", "y")).axes[0]
        for number in (400, 10_000)
    )
    assert few.collections[0].get_sizes() > 5 * many.collections[0].get_sizes()


def test_diagrams_name_every_layer(generator):
    model = VAE(2, generator=generator)
    steps = architecture.layers(model.encoder, torch.zeros(1, 1, 28, 28))
    texts = [text.get_text() for text in network.layer_diagram(steps).axes[0].texts]
    for step in steps:
        assert any(text.startswith(step.operation) for text in texts)
    assert any("50,192 parameters" in text for text in texts)


def test_files_are_equal_for_equal_figures_and_whole(tmp_path):
    rows = {"original": np.eye(28)[None].repeat(3, 0)}
    first = style.save(pictures.image_rows(rows), tmp_path / "a", "rows")
    style.save(pictures.image_rows(rows), tmp_path / "b", "rows")
    for format in style.FORMATS:
        one, two = ((tmp_path / f / "figures" / f"rows.{format}").read_bytes() for f in ("a", "b"))
        assert one == two
        assert one
    assert sorted(p.suffix for p in (tmp_path / "a" / "figures").iterdir()) == [
        ".pdf",
        ".png",
        ".svg",
    ]
    assert first.svg == (tmp_path / "a" / "figures" / "rows.svg").read_text()
    assert first.svg == style.inline(pictures.image_rows(rows)).svg
    assert set(first._repr_mimebundle_()) == {"image/svg+xml"}  # the others are files beside it
    alone = style.inline(pictures.image_rows(rows))
    assert set(alone._repr_mimebundle_()) == {"image/svg+xml", "application/pdf"}
    assert len(repr(alone)) < 100  # a notebook keeps it too


def test_the_last_digit_of_the_layout_does_not_matter(monkeypatch):
    lay_out = ConstrainedLayoutEngine.execute

    def elsewhere(engine, figure):
        lay_out(engine, figure)
        for axes in figure.axes:
            x, y, width, height = axes.get_position(original=True).bounds
            axes._set_position([x + 1e-15, y, width - 1e-15, height])

    codes = np.random.default_rng(0).standard_normal((50, 2))
    found = []
    for _ in range(2):
        figure = pictures.latent_scatter({"": codes}, np.arange(50) % 10, ("a", "b"))
        found.append([style.render(figure, format) for format in style.FORMATS])
        monkeypatch.setattr(ConstrainedLayoutEngine, "execute", elsewhere)
    assert found[0] == found[1]


def test_an_image_in_an_svg_is_light_and_looks_the_same():
    grey = np.random.default_rng(0).random((60, 60)).cumsum(0).cumsum(1)
    grey /= grey.max()
    codes = np.random.default_rng(0).standard_normal((2000, 2))
    plane = pictures.latent_scatter({"": codes}, np.arange(2000) % 10, ("a", "b"))
    for figure in (pictures.image_grid(grey.reshape(1, 60, 60), 1), plane):
        svg = io.BytesIO()
        figure.savefig(svg, format="svg")
        heavy = max(style.EMBEDDED.findall(svg.getvalue().decode()), key=len)
        light = style.lighter(heavy)
        assert len(light) < 0.6 * len(heavy)
        before, after = (on_white(png) for png in (heavy, light))
        assert np.abs(before - after).mean() < 3 / 255
        assert np.sqrt(np.square(before - after).mean()) < 5 / 255


def on_white(png):
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    ground = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(ground, image).convert("RGB")) / 255
