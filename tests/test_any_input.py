"""Whatever the public functions are given: the right result, or one sentence.

A result is compared with a slow reference in float64, written with loops or with NumPy. A refusal
is a ValueError that says what was expected.
"""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vaelib.data import dataset
from vaelib.data.synthetic import synthetic_digits
from vaelib.evidence import aggregate, likelihood, quadrature
from vaelib.measure import appearance
from vaelib.plumbing.checks import require, require_whole
from vaelib.study import statistics
from vaelib.training.settings import Settings
from vaelib.vae import latent, losses, objective, reconstruction
from vaelib.vae.model import VAE, Posterior

DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.uint8, torch.int64)
ACCURACY = {torch.float64: 1e-9, torch.float32: 2e-4, torch.float16: 3e-2, torch.bfloat16: 2e-1}
SPECIAL = (0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e-30, 255.0)
FEW = settings(max_examples=60, derandomize=True)  # the same examples in every run


@st.composite
def tensors(draw, *shapes, dtypes=DTYPES, low=-8.0, high=8.0, special=SPECIAL):
    """Draw a tensor: one of some shapes, or such a shape with one number changed."""
    shape = list(draw(st.sampled_from(shapes)))
    if draw(st.integers(0, 3)) == 0:
        change = draw(st.sampled_from(["longer", "one", "none", "more", "less"]))
        place = draw(st.integers(0, len(shape) - 1))
        if change in ("more", "less"):
            shape = [*shape, 1] if change == "more" else shape[1:]
        else:
            shape[place] = {"longer": shape[place] + 1, "one": 1, "none": 0}[change]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    values = low + (high - low) * torch.rand(shape, generator=generator, dtype=torch.float64)
    if special and values.numel() and draw(st.integers(0, 4)) == 0:
        place = draw(st.integers(0, values.numel() - 1))
        values.view(-1)[place] = draw(st.sampled_from(special))
    dtype = draw(st.sampled_from(dtypes))
    if not dtype.is_floating_point:
        values = values.nan_to_num().abs()
    made = values.to(dtype)
    stride = draw(st.sampled_from(["plain", "turned", "every second", "stretched"]))
    if stride == "turned" and made.ndim > 1:  # the same numbers, laid otherwise in memory
        made = made.transpose(0, -1).contiguous().transpose(0, -1)
    elif stride == "every second" and made.ndim:
        made = torch.repeat_interleave(made, 2, dim=-1)[..., ::2]
    elif stride == "stretched" and made.ndim and len(made):
        made = made[:1].expand(made.shape)
    return made


def images(**more):
    return tensors((2, 28, 28), (1, 28, 28), low=0, high=255, special=(), **more)


def grey():
    """Mostly what is expected."""
    return st.one_of(images(dtypes=(torch.uint8,)), images())


def right_or_refused(function, reference, *arguments, close=None):
    """Call a function; compare with a reference, unless it refuses in one sentence."""
    try:
        result = function(*arguments)
    except ValueError as error:
        require_a_sentence(error)
        return
    floating = [a.dtype for a in arguments if torch.is_tensor(a) and a.is_floating_point()]
    close = close or max((ACCURACY[dtype] for dtype in floating), default=1e-6)
    expected = reference(*(array(a) for a in arguments))
    np.testing.assert_allclose(array(result), expected, rtol=close, atol=close, equal_nan=True)


def require_a_sentence(error):
    assert "expected" in str(error), error
    assert "\n" not in str(error)


def array(value):
    if torch.is_tensor(value):
        value = value.detach()
        return (value.double() if value.is_floating_point() else value).numpy()
    return value


def log(x):
    return np.log(x) if x > 0 else -math.inf


# The losses, pixel by pixel.


def bce(a, x):
    return x * np.logaddexp(0, -a) + (1 - x) * np.logaddexp(0, a)


def normaliser(a):
    if abs(a) < 1e-4:
        return -math.log(2) - a * a / 12
    return math.log(math.tanh(abs(a) / 2) / abs(a))


def level(a, x):
    """The probability of a bin of width 1/255 around x, cut off at 0 and 1, by its ends."""
    low, high = max(x - 1 / 510, 0), min(x + 1 / 510, 1)
    if abs(a) < 1e-6:
        return -math.log(high - low)
    # of the density proportional to exp(a y): e^{a low} (e^{a (high - low)} - 1) / (e^a - 1)
    if a > 0:
        inner = a * (high - 1) + math.log(-math.expm1(-a * (high - low)))
        return -(inner - math.log(-math.expm1(-a)))
    inner = a * low + math.log(-math.expm1(a * (high - low)))
    return -(inner - math.log(-math.expm1(a)))


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


PIXELS = {
    "bce": bce,
    "cb": lambda a, x: bce(a, x) + normaliser(a),
    "cb-levels": level,
    "mse": lambda a, x: (sigmoid(a) - x) ** 2,
}


def summed(pixel, a, x):
    rows = zip(a.reshape(len(a), -1), x.reshape(len(x), -1), strict=True)
    return np.array(
        [sum(pixel(*pair) for pair in zip(*row, strict=True)) for row in rows], dtype=float
    )


SMALL = ((2, 1, 3, 3), (1, 1, 3, 3))


@pytest.mark.parametrize("name", PIXELS)
@FEW
@given(data=st.data())
def test_losses(name, data):
    logits = data.draw(tensors(*SMALL, special=(0.0, 1e-30, 30.0, -30.0)))
    pixels = data.draw(tensors(*SMALL, low=0, high=1, special=(0.0, 1.0)))
    if name == "cb-levels" and pixels.is_floating_point():  # of grey levels
        pixels = (255 * pixels).round() / 255
    function = objective.RECONSTRUCTION_LOSSES[name]
    if not logits.is_floating_point() or logits.dtype.itemsize >= 4:
        right_or_refused(function, lambda a, x: summed(PIXELS[name], a, x), logits, pixels)


@FEW
@given(tensors(*SMALL, special=()), tensors(*SMALL, low=0, high=1, special=()))
def test_the_gaussian_with_the_batches_variance(logits, pixels):
    def reference(a, x):
        errors = summed(PIXELS["mse"], a, x)
        variance = errors.mean() / x[0].size
        return [
            sum(-math.log(NormalDist(0, math.sqrt(variance)).pdf(0)) for _ in range(x[0].size))
            + error / (2 * variance)
            for error in errors
        ]

    if logits.dtype.itemsize >= 4:
        right_or_refused(reconstruction.gaussian, reference, logits, pixels)


PLANE = ((3, 2), (1, 2))


@FEW
@given(st.data())
def test_the_divergence_of_gaussians(data):
    four = [data.draw(tensors(*PLANE, low=-3, high=3, special=(0.0,))) for _ in range(4)]

    def reference(m, s, n, t):
        return ((m - n) ** 2 / np.exp(t) + np.exp(s - t) - 1 - (s - t)) / 2

    if all(a.dtype.itemsize >= 4 for a in four):
        right_or_refused(objective.gaussian_kl, reference, *four)


@FEW
@given(tensors(*PLANE, low=-3, high=3), tensors(*PLANE, low=-3, high=3, special=SPECIAL[:-1]))
def test_the_divergence_from_the_prior(mean, log_variance):
    def reference(m, s):
        with np.errstate(all="ignore"):
            return (m**2 + np.exp(s) - 1 - s) / 2

    if mean.dtype.itemsize >= 4 and log_variance.dtype.itemsize >= 4:
        right_or_refused(objective.kl_per_dimension, reference, mean, log_variance)


@FEW
@given(st.data())
def test_an_objective(data):
    logits, pixels = (data.draw(tensors(*SMALL, low=0, high=1, special=())) for _ in range(2))
    mean, log_variance = (data.draw(tensors((2, 2), (1, 2), special=())) for _ in range(2))

    def reference(a, x, m, s):
        kl = 0.5 * ((m**2 + np.exp(s) - 1 - s) / 2).sum(1)
        return [summed(bce, a, x) + kl, summed(bce, a, x), kl]

    def total(*arguments):
        return objective.Objective("bce", 0.5)(*arguments)

    if min(a.dtype.itemsize for a in (logits, pixels, mean, log_variance)) >= 4:
        right_or_refused(total, reference, logits, pixels, mean, log_variance)


# Images and codes.


@FEW
@given(grey())
def test_images_for_the_network(images):
    right_or_refused(dataset.to_unit, lambda x: x[:, None] / 255, images)


@FEW
@given(grey())
def test_the_least_bce(images):
    def reference(x):
        p = x / 255
        return sum(-(v * log(v) + (1 - v) * log(1 - v)) for v in p.ravel() if 0 < v < 1) / len(x)

    right_or_refused(losses.entropy_floor, reference, images)


def test_a_network_in_double_precision_computes_in_it(digits):
    model = VAE(2, generator=torch.Generator().manual_seed(0)).double()
    found = losses.image_losses(
        model, objective.Objective("bce", 1.0), digits.test_images[:3], losses.draw_noise(3, 2, 0)
    )
    assert found.dtype == torch.float64
    assert latent.encode(model, digits.test_images[:3]).mean.dtype == torch.float64
    assert latent.decode(model, torch.zeros(2, 2).double()).dtype == torch.float64


def one_by_one(model, images, noise):
    """Losses of each image by itself, in float64, from the layers' own functions."""
    rows = []
    for image, epsilon in zip(images, noise, strict=True):
        x = torch.from_numpy(image / 255)[None, None].double()
        mean, log_variance = model.encoder(x)
        z = mean + torch.exp(log_variance / 2) * torch.from_numpy(epsilon).double()
        a, x = array(model.decoder(z)).ravel(), x.numpy().ravel()
        m, s = array(mean).ravel(), array(log_variance).ravel()
        kl = sum((m**2 + np.exp(s) - 1 - s) / 2)
        reconstruction = sum(map(bce, a, x))
        rows.append([reconstruction + kl, reconstruction, kl])
    return np.array(rows).T


@settings(max_examples=25, derandomize=True)
@given(data=st.data())
def test_losses_of_images(data):
    images = data.draw(grey())
    noise = data.draw(tensors((2, 2), (1, 2), dtypes=(torch.float32, torch.float64, torch.int64)))
    batch = data.draw(st.sampled_from([1, 2, 250, 0, -1, True, 1.5]))
    model = VAE(2, generator=torch.Generator().manual_seed(0))

    def found(images, noise):
        elbo = objective.Objective("bce", 1.0)
        return losses.image_losses(model, elbo, images, noise, batch)

    def reference(x, e):
        return one_by_one(model_in_double(model), x, e)

    right_or_refused(found, reference, images, noise, close=ACCURACY[torch.float32])


def model_in_double(model):
    copy = VAE(model.latent_dim, generator=torch.Generator())
    copy.load_state_dict(model.state_dict())
    return copy.double()


@settings(max_examples=25, derandomize=True)
@given(data=st.data())
def test_codes_and_decoded_images(data):
    model = VAE(2, generator=torch.Generator().manual_seed(0))
    double = model_in_double(model)

    def encoded(x):
        return [array(part) for part in double.encoder(torch.from_numpy(x)[:, None].double() / 255)]

    def decoded(z):
        return 1 / (1 + np.exp(-array(double.decoder(torch.from_numpy(z).double()))[:, 0]))

    images, close = data.draw(grey()), ACCURACY[torch.float32]
    right_or_refused(lambda x: torch.stack(latent.encode(model, x)), encoded, images, close=close)
    right_or_refused(lambda z: latent.decode(model, z), decoded, data.draw(tensors(*PLANE)))


@FEW
@given(
    st.sampled_from([1, 2, 3, 0, -1, True, 2.0, "3", None, 10**9]),
    st.sampled_from([1.0, 2, 0, -1.0, math.nan, math.inf]),
)
def test_a_grid_over_the_plane(number, limit):
    def reference(number, limit):
        step = 2 * limit / (number - 1) if number > 1 else 0
        return [
            (-limit + column * step, limit - row * step if number > 1 else -limit)
            for row in range(number)
            for column in range(number)
        ]

    right_or_refused(latent.latent_grid, reference, number, limit)


@FEW
@given(tensors((6, 2), (6, 3), (6, 5)))
def test_codes_in_a_plane(codes):
    def distances(points):
        return [sum((a - b) ** 2) for a in points for b in points]

    def reference(codes):
        if codes.shape[1] == 2:
            return distances(codes)
        centred = codes - codes.mean(0)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        return distances(centred @ vectors[:, ::-1][:, :2])

    wide = codes.ndim == 2 and codes.shape[1] >= 2
    if wide and codes.dtype in (torch.float32, torch.float64) and len(codes):
        right_or_refused(lambda c: distances(array(latent.plane(c)[0])), reference, codes)
    elif codes.ndim != 2 or not codes.is_floating_point():
        with pytest.raises(ValueError, match="expected"):
            latent.plane(codes)


# Measures.

DECODED = ((3, 28, 28), (1, 28, 28))


@FEW
@given(st.data())
def test_gradient_energy_and_sharpness(data):
    def energy(x):
        return [
            sum((np.diff(image, axis=0) ** 2).ravel()) + sum((np.diff(image, axis=1) ** 2).ravel())
            for image in x
        ]

    a, b = (data.draw(tensors(*DECODED, low=0, high=1, special=(math.nan,))) for _ in range(2))
    if a.dtype.itemsize >= 4 or not a.is_floating_point():
        right_or_refused(appearance.gradient_energy, energy, a)
        right_or_refused(
            appearance.sharpness, lambda a, b: np.mean(energy(a)) / np.mean(energy(b)), a, b
        )


@FEW
@given(tensors(*DECODED, low=0, high=1))
def test_the_share_of_high_frequencies(images):
    def reference(x):
        power = (abs(np.fft.fft2(x)) ** 2).sum(0)
        power[0, 0] = 0
        frequency = np.fft.fftfreq(28)
        radius = np.hypot(frequency[:, None], frequency[None])
        return power[radius > 0.15].sum() / power.sum()

    right_or_refused(appearance.high_frequency_share, reference, images)


@FEW
@given(tensors((5, 2), (5, 3)))
def test_dispersion(codes):
    def reference(codes):
        ordered = np.sort(codes, axis=0)
        middle = ordered[(len(codes) - 1) // 2]  # the lower of two, as PyTorch's
        distances = sorted(np.sqrt(((codes - middle) ** 2).sum(1)))
        robust = distances[(len(codes) - 1) // 2]
        return [math.sqrt(sum(codes.var(0, ddof=1))), robust]

    if not (codes.ndim == 2 and len(codes) == 1):
        right_or_refused(lambda c: list(appearance.dispersion(c).values()), reference, codes)
    else:
        with pytest.raises(ValueError, match="expected"):
            appearance.dispersion(codes)


@FEW
@given(st.data())
def test_the_vote_of_neighbours(data):
    codes = data.draw(tensors((6, 2), dtypes=(torch.float64, torch.float32, torch.int64)))
    labels = data.draw(
        tensors((6,), low=0, high=9.9, special=(), dtypes=(torch.uint8, torch.int64))
    )
    neighbours = data.draw(st.sampled_from([1, 2, 5, 0, 6, True, 2.0]))

    def reference(codes, labels, neighbours):
        table = np.zeros((10, 10))
        for k, own in enumerate(codes):
            others = [j for j in range(len(codes)) if j != k]
            others.sort(key=lambda j: sum((codes[j] - own) ** 2))
            votes = [list(labels[others[:neighbours]]).count(digit) for digit in range(10)]
            table[labels[k], votes.index(max(votes))] += 1
        return table

    distances = torch.pdist(codes.double()) if codes.ndim == 2 and len(codes) > 1 else torch.ones(1)
    if len(distances.unique()) == len(distances):  # of equal distances any may be taken
        right_or_refused(appearance.confusion, reference, codes, labels, neighbours)


@FEW
@given(tensors((10, 10), (10, 1), low=0, high=9), st.booleans())
def test_shares_of_a_table(table, empty):
    if empty and table.ndim and len(table):
        table = table.clone()
        table[0] = 0

    def share(table):
        return sum(table[k, k] for k in range(10)) / table.sum()

    def overlaps(table):
        return [
            (table[a, b] + table[b, a]) / (table[a].sum() + table[b].sum())
            for a in range(10)
            for b in range(a + 1, 10)
        ]

    right_or_refused(appearance.accuracy, share, table)
    right_or_refused(lambda t: list(appearance.overlap_shares(t).values()), overlaps, table)


@FEW
@given(tensors((4, 4, 28, 28), (2, 2, 28, 28), low=0, high=1))
def test_roughness(grid):
    def reference(grid):
        n = len(grid)
        steps = [
            ((grid[i + a, j + b] - grid[i, j]) ** 2).sum()
            for a, b in ((1, 0), (0, 1))
            for i in range(n - a)
            for j in range(n - b)
        ]
        flat = grid.reshape(n * n, -1)
        pairs = [((a - b) ** 2).sum() for a in flat for b in flat]
        at_random = sum(pairs) / (len(flat) * (len(flat) - 1))
        return [np.mean(steps) / at_random, max(steps) / at_random]

    flat = grid.ndim == 4 and grid.numel() and grid.is_floating_point() and grid.isfinite().all()
    if not flat or grid.flatten(0, 1).double().var(0).sum() > 0:
        right_or_refused(lambda g: list(appearance.roughness(g).values()), reference, grid)


# Likelihoods, the aggregate posterior and the evidence.


@FEW
@given(st.data(), st.sampled_from(["bce", "cb", "mse"]))
def test_densities_of_all_pairs(data, name):
    pixels = data.draw(tensors((2, 9), (1, 9), low=0, high=1, special=(0.0, 1.0)))
    logits = data.draw(tensors((3, 9), (1, 9), special=(0.0,)))
    kind = likelihood.assumed(objective.Objective(name, 1.0))

    def reference(x, a):
        constant = 9 * math.log(math.pi) / 2 if name == "mse" else 0
        return [[-sum(map(PIXELS[name], logit, pixel)) - constant for logit in a] for pixel in x]

    if min(pixels.dtype.itemsize, logits.dtype.itemsize) >= 4:
        right_or_refused(kind.log_density, reference, pixels, logits)


@settings(max_examples=15, derandomize=True)
@given(
    tensors(*PLANE, low=-2, high=2, dtypes=(torch.float64, torch.int64)),
    tensors(*PLANE, low=-3, high=0, dtypes=(torch.float64,)),
)
def test_the_aggregate_posterior_is_a_density(mean, log_variance):
    def total(mean, log_variance):
        q = Posterior(mean, log_variance.clamp(max=0))  # or much lies beyond the grid
        return aggregate.aggregate(q).density.sum() / 64**2

    right_or_refused(total, lambda m, s: 1.0, mean, log_variance)


@settings(max_examples=15, derandomize=True)
@given(data=st.data())
def test_the_evidence_of_a_linear_decoder(data):
    """A Gaussian likelihood around a linear map has a Gaussian evidence."""
    pixels = data.draw(tensors((2, 4), (1, 4), low=0.3, high=0.7, dtypes=(torch.float64,)))
    mean = data.draw(tensors((2, 2), (1, 2), low=-1, high=1, dtypes=(torch.float64,)))
    log_variance = data.draw(tensors((2, 2), (1, 2), low=-3, high=-1, dtypes=(torch.float64,)))
    tolerance = data.draw(st.sampled_from([0.01, 0.01, 0.01, 0.0, -1.0, math.nan]))
    weights = torch.tensor([[0.05, 0.02], [-0.03, 0.04], [0.01, 0.01], [0.02, -0.05]]).double()

    def decoder(z):
        return torch.logit((0.5 + z.double() @ weights.T).clamp(1e-6, 1 - 1e-6))

    def found(x, m, s):
        q = Posterior(m, s)
        return quadrature.integrate(
            decoder, likelihood.Gaussian(0.01), x, q, tolerance
        ).log_evidence

    def reference(x, m, s):
        w = array(weights)
        covariance = w @ w.T + 0.01 * np.eye(4)
        away = x - 0.5
        squares = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        return -(squares + np.linalg.slogdet(2 * math.pi * covariance)[1]) / 2

    try:
        result = found(pixels, mean, log_variance)
    except ValueError as error:
        require_a_sentence(error)
    else:
        expected = reference(*map(array, (pixels, mean, log_variance)))
        np.testing.assert_allclose(array(result), expected, atol=0.02)


# Numbers and names.

ANYTHING = st.one_of(
    st.integers(-3, 5),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
    st.sampled_from(["bce", "mse", "report", "smoke", "cpu", "auto", 2**64, 10**6]),
)


@settings(max_examples=300, derandomize=True)
@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING, ANYTHING)
def test_settings_are_meant_or_refused(loss, beta, recipe, seed, latent_dim, device):
    """One setting after the other, and all at once."""
    plain = {
        "reconstruction_loss": loss,
        "beta": beta,
        "recipe": recipe,
        "seed": seed,
        "latent_dim": latent_dim,
        "device": device,
    }
    for chosen in [*({name: value} for name, value in plain.items()), plain]:
        try:
            made = Settings(**chosen)
        except ValueError as error:
            require_a_sentence(error)
            continue
        assert made.reconstruction_loss in objective.RECONSTRUCTION_LOSSES
        assert type(made.beta) in (int, float)
        assert 0 < made.beta < math.inf
        assert type(made.seed) is type(made.latent_dim) is int
        assert 0 <= made.seed < 2**63
        assert 1 <= made.latent_dim <= 784
        torch.Generator().manual_seed(made.seed)


@given(ANYTHING)
def test_a_model_has_dimensions(latent_dim):
    try:
        model = VAE(latent_dim, generator=torch.Generator())
    except ValueError as error:
        require_a_sentence(error)
    else:
        assert (model.latent_dim, type(latent_dim)) == (latent_dim, int)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_noise_and_digits_for_tests(number, latent_dim, seed):
    whole = [type(value) is int for value in (number, latent_dim, seed)]
    fits = all(whole) and 1 <= number <= 1000 and 1 <= latent_dim <= 784 and 0 <= seed < 2**63
    if fits:
        assert losses.draw_noise(number, latent_dim, seed).shape == (number, latent_dim)
        assert synthetic_digits(number, seed)[0].shape == (number, 28, 28)
    elif not all(whole) or number < 1 or latent_dim < 1 or seed < 0 or seed >= 2**63:
        with pytest.raises(ValueError, match="expected a whole number"):
            losses.draw_noise(number, latent_dim, seed)
    if type(number) is not int or number < 1:
        with pytest.raises(ValueError, match="expected a whole number"):
            synthetic_digits(number, 0)


@given(ANYTHING)
def test_a_variance_is_above_nothing(variance):
    try:
        likelihood.Gaussian(variance)
    except ValueError as error:
        require_a_sentence(error)
    else:
        assert type(variance) in (int, float)
        assert 0 < variance < math.inf


@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.sampled_from([math.nan, math.inf])), max_size=6))
def test_verdicts_of_any_values(values):
    sound = len(values) > 1 and all(map(math.isfinite, values))
    for interval in (statistics.confidence_interval, statistics.prediction_interval):
        if sound:
            low, high = interval(values)
            assert low <= high
            assert statistics.of_effect((low, high), above=0.0) in statistics.ALL
        else:
            with pytest.raises(ValueError, match="expected"):
                interval(values)


@given(ANYTHING, st.lists(st.sampled_from(["one", "two", "three"])))
def test_a_name_is_known_or_refused(received, known):
    if received in known:
        require("word", received, known)
    else:
        with pytest.raises(ValueError, match="expected one of"):
            require("word", received, known)


@given(ANYTHING)
def test_a_whole_number_is_in_its_range(received):
    if type(received) is int and 0 <= received <= 9:
        require_whole("number", received, 0, 9)
    else:
        with pytest.raises(ValueError, match="expected a whole number from 0 to 9"):
            require_whole("number", received, 0, 9)
