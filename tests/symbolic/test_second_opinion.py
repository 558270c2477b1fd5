"""Every statement of the book once more, by ball arithmetic instead of algebra.

The left side comes from a definition: a sum, or an integral that FLINT encloses. The right side is
the expression that the book prints. Their difference must be a ball around 0 with a radius below
1e-30; that of a wrong variant must not contain 0.
"""

from functools import partial
from itertools import pairwise

import pytest
import sympy as sp
from flint import acb, arb, arb_mat, arb_series

from vaelib import symbolic
from vaelib.symbolic import bound, divergence, gaussian, gradients, likelihoods, odds

from .balls import exactly, normal_mean, points, value

RADIUS = 1e-30


def log_normal(x, mean, variance):
    """Logarithm of a Gaussian density, of balls real or complex."""
    return -(2 * arb.pi() * variance).log() / 2 - (x - mean) ** 2 / (2 * variance)


def book(expression, symbols):
    """Turn an expression of the book into a function of balls by keyword."""
    return lambda **at: value(expression, {symbols[name]: ball for name, ball in at.items()})


def powers(*coefficients):
    """Bound a polynomial of degree at most 4 for :func:`normal_mean`."""
    return sum(abs(c).upper() for c in coefficients) + 1


# Gaussians: expectations under q by certified integration over ε, with x = μ_q + σ_q ε.
GAUSSIAN = {
    "mean_q": gaussian.mu_q,
    "mean_p": gaussian.mu_p,
    "sd_q": gaussian.sigma_q,
    "sd_p": gaussian.sigma_p,
}
PAIRS = partial(points, mean_q="real", mean_p="real", sd_q="positive", sd_p="positive")


def square_about(mean_q, sd_q, centre):
    shift = mean_q - centre
    size = powers(shift * shift, 2 * shift * sd_q, sd_q * sd_q)
    return normal_mean(lambda e: (shift + sd_q * e) ** 2, size)


def integrated_kl(mean_q, mean_p, sd_q, sd_p):
    def ratio(e):
        x = mean_q + sd_q * e
        return log_normal(x, mean_q, sd_q**2) - log_normal(x, mean_p, sd_p**2)

    shift = mean_q - mean_p
    size = powers((sd_p / sd_q).log(), (shift / sd_p) ** 2, 2 * shift * sd_q / sd_p**2)
    return normal_mean(ratio, size + powers((sd_q / sd_p) ** 2))


def log_ratio(x, mean_q, mean_p, sd_q, sd_p):
    return log_normal(x, mean_q, sd_q**2) - log_normal(x, mean_p, sd_p**2)


def encoder_kl(mu, v):
    return integrated_kl(mu, arb(0), (v / 2).exp(), arb(1))


VAE_KL = {"mu": gaussian.mu, "v": gaussian.log_variance}


# Several dimensions: lower triangular factors with a positive diagonal.
def factors(size, seed):
    """Return L_q and L_p (size, size) and a shift (size, 1), of rational numbers."""
    numbers = iter(points(f"{seed} {size}", count=2 * size * size + size, n="real"))

    def entry(i, j):
        number = next(numbers)["n"]
        if i == j:
            return abs(number) + 1
        return number if i > j else sp.S.Zero

    root_q, root_p = (sp.Matrix(size, size, entry) for _ in "qp")
    return root_q, root_p, sp.Matrix(size, 1, lambda *_: next(numbers)["n"])


def moments_kl(size, seed):
    """½ (E|Mε + c|² − d) + log det L_p/det L_q, with M and c from linear systems in balls."""
    root_q, root_p, shift = factors(size, seed)

    def matrix(rows):
        return arb_mat(*rows.shape, [exactly(number) for number in rows])

    m, c = (matrix(root_p).solve(matrix(rows)) for rows in (root_q, shift))
    square = sum(x * x for rows in (m, c) for x in rows.entries())
    logs = sum((exactly(root_p[i, i]) / exactly(root_q[i, i])).log() for i in range(size))
    return (square - size) / 2 + logs


def printed_full(size, seed, exchange=False):
    root_q, root_p, shift = factors(size, seed)
    if exchange:
        root_q, root_p = root_p, root_q
    return value(gaussian.full_kl(shift, root_q * root_q.T, root_p * root_p.T), {})


def three_dimensions(mu, v):
    return sum(encoder_kl(mu + j, v / (1 + j)) for j in range(3))


def printed_sum(mu, v):
    one = book(gaussian.KL_STANDARD_NORMAL, VAE_KL)
    return sum(one(mu=mu + j, v=v / (1 + j)) for j in range(3))


# A discrete latent variable with several values.
def model(values, seed):
    """Prior, likelihoods and q of a latent variable with some values, and the evidence."""
    drawn = points(f"{seed} {values}", count=values, w="positive", f="positive", a="positive")
    weights, likelihood, amounts = ([exactly(at[n]) for at in drawn[:values]] for n in "wfa")
    prior = [w / sum(weights) for w in weights]
    q = [a / sum(amounts) for a in amounts]
    return prior, likelihood, q, sum(p * f for p, f in zip(prior, likelihood, strict=True))


def discrete_kl(p, q):
    return sum(a * (a / b).log() for a, b in zip(p, q, strict=True))


def discrete_elbo(values, seed):
    prior, likelihood, q, _ = model(values, seed)
    return sum(a * (p * f / a).log() for p, f, a in zip(prior, likelihood, q, strict=True))


def discrete_gap(values, seed):
    prior, likelihood, q, evidence = model(values, seed)
    posterior = [p * f / evidence for p, f in zip(prior, likelihood, strict=True)]
    return discrete_kl(q, posterior)


def expected_log_likelihood(values, seed):
    _, likelihood, q, _ = model(values, seed)
    return sum(a * f.log() for a, f in zip(q, likelihood, strict=True))


def to_prior(values, seed):
    prior, _, q, _ = model(values, seed)
    return discrete_kl(q, prior)


DISCRETE = [{"values": k, "seed": seed} for k in (2, 3, 7) for seed in range(4)]


# The linear-Gaussian model: evidence and posterior by integration over the prior.
LINEAR = {"w": bound.w, "c": bound.c, "s": bound.s, "x": bound.x}
MODEL = bound.linear_gaussian()
LINEAR_POINTS = points(
    "linear", 8, w="real", c="real", s=[sp.Rational(3, 5), 1, 2], x=[-2, 0, sp.Rational(7, 5)]
)


def moment(power, w, c, s, x):
    """E[zⁿ p(x|z)] over the prior."""
    size = 1 / (s * (2 * arb.pi()).sqrt())
    return normal_mean(lambda z: z**power * log_normal(x, w * z + c, s * s).exp(), size)


def linear_evidence(w, c, s, x, **_):
    return moment(0, w, c, s, x).log()


def posterior_moments(w, c, s, x):
    zeroth, first, second = (moment(n, w, c, s, x) for n in range(3))
    mean = first / zeroth
    return mean, second / zeroth - mean * mean


def of_posterior(which):
    return lambda **at: posterior_moments(**at)[which]


# Gradients of E[f(z)] with f(z) = sin 2z + z³: by the score function, and along the path.
def score(mu, sigma, theta):
    weight = {"mu": lambda e: e / sigma, "sigma": lambda e: (e * e - 1) / sigma}[theta]

    def estimate(e):
        z = mu + sigma * e
        return ((2 * z).sin() + z**3) * weight(e)

    return normal_mean(estimate, 100 * powers(mu**3, sigma**3) / sigma.lower())


def pathwise(mu, sigma, theta, wrong=False):
    along = {"mu": lambda e: acb(1), "sigma": lambda e: e if not wrong else 2 * e}[theta]

    def estimate(e):
        z = mu + sigma * e
        return (2 * (2 * z).cos() + 3 * z**2) * along(e) + (1 if wrong else 0)

    return normal_mean(estimate, 100 * powers(mu**2, sigma**2))


HALF = sp.Rational(1, 2)
PATHS = [
    at | {"theta": theta}
    for at in points("path", 5, mu="real", sigma=[HALF, 1, 2])
    for theta in ("mu", "sigma")
]


# Pixels.
PIXEL = {"x": likelihoods.x, "a": likelihoods.logit, "r": likelihoods.p}
LEVEL = {"x": likelihoods.x, "a": likelihoods.logit, "h": likelihoods.half}
AS = (-25, -1, 1, 3, 25)


def of_coin(x, r):
    """BCE, with 0 log 0 = 0."""
    return sum(-weight * chance.log() for weight, chance in ((x, r), (1 - x, 1 - r)) if weight != 0)


def of_logit(x, a):
    return of_coin(x, 1 / (1 + (-a).exp()))


def grey_integral(a):
    on = 1 / (1 + (-a).exp())
    return acb.integral(lambda y, _: (y * on.log() + (1 - y) * (1 - on).log()).exp(), 0, 1).real


def grey_loss(x, a):
    return of_logit(x, a) + grey_integral(a).log()


def level_integral(x, a, h):
    return acb.integral(lambda y, _: a * (a * y).exp() / (acb(a).exp() - 1), x - h, x + h).real


def second_derivative(x):
    decoded = arb_series([x, 1], prec=4)
    return 2 * (-x * decoded.log() - (1 - x) * (1 - decoded).log())[2]


def minus_log_density(S, number=784, variance=None):
    variance = exactly(sp.Rational(1, 2)) if variance is None else variance
    return number * (2 * arb.pi() * variance).log() / 2 + S / (2 * variance)


def weighted_total(beta, S, K):
    return S + beta * K


def scaled_bound(beta, S, K, factor=1):
    """β times the negative bound with the book's variance, less its constant."""
    variance = factor * value(likelihoods.beta / 2, {likelihoods.beta: beta})
    constant = minus_log_density(arb(0), variance=variance)
    return beta * (minus_log_density(S, variance=variance) + K - constant)


ODDS = {"a": likelihoods.logit, "t": odds.lower, "g": odds.gap}
BIN = {"a": likelihoods.logit, "x": likelihoods.x, "h": likelihoods.half, "m": odds.mean}
BIN |= {"s": odds.scale}


def below(t, a):
    """The share of a logistic distribution around a that lies below t."""
    return 1 / (1 + (a - t).exp())


def log_difference(a, t, g):
    series = arb_series([a, 1], prec=2)
    shares = [1 / (1 + (series - edge).exp()) for edge in (t + g, t)]
    return (shares[0] - shares[1]).log()[1]


def of_ink(x, a, t):
    return -(1 - below(t, a) if x == 1 else below(t, a)).log()


def logistic_integral(x, h, m, s, a):
    def density(y, _):
        tail = (-(y - m) / s).exp()
        return tail / (s * (1 + tail) ** 2)

    return acb.integral(density, x - h, x + h).real


def mean_of_levels(a, t, g):
    shares = [below(t + k * g, a) for k in range(255)] + [arb(1)]
    masses = [shares[0], *(high - low for low, high in pairwise(shares))]
    return sum(mass * k for k, mass in enumerate(masses)) / 255


def printed_mean(a, t, g):
    return sum(below(a, t + k * g) for k in range(255)) / 255


right = {label: prove().right for label, prove in symbolic.STATEMENTS.items()}
X = {**GAUSSIAN, "x": gaussian.x}
KL_TERM = divergence.p * divergence.gap(divergence.q / divergence.p) + divergence.p - divergence.q
TERM = {"p": divergence.p, "q": divergence.q}

EQUAL = {  # label → points, left side, right side as in the book, a wrong one
    "kl-term": (
        points("term", p="positive", q="positive"),
        lambda p, q: p * (p / q).log(),
        book(KL_TERM, TERM),
        book(divergence.p * divergence.gap(divergence.q / divergence.p), TERM),
    ),
    "elbo-decomposition": (
        DISCRETE,
        lambda **at: model(**at)[3].log(),
        lambda **at: discrete_gap(**at) + discrete_elbo(**at),
        lambda **at: discrete_elbo(**at) - discrete_gap(**at),
    ),
    "elbo-two-terms": (
        DISCRETE,
        discrete_elbo,
        lambda **at: expected_log_likelihood(**at) - to_prior(**at),
        lambda **at: expected_log_likelihood(**at) + to_prior(**at),
    ),
    "weighted-bound": (
        [at | {"beta": b} for at in DISCRETE for b in (sp.Rational(1, 2), 1, 4)],
        lambda beta, **at: expected_log_likelihood(**at) - beta * to_prior(**at),
        lambda beta, **at: discrete_elbo(**at) + (1 - beta) * to_prior(**at),
        lambda beta, **at: discrete_elbo(**at) - (2 - beta) * to_prior(**at),
    ),
    "linear-gap": (
        [
            at | {"m": m, "nu": nu}
            for at in LINEAR_POINTS
            for m, nu in ((0, 1), (2, sp.Rational(1, 9)))
        ],
        linear_evidence,
        book(MODEL["elbo"] + MODEL["gap"], LINEAR | {"m": bound.m, "nu": bound.nu}),
        book(MODEL["elbo"] - MODEL["gap"], LINEAR | {"m": bound.m, "nu": bound.nu}),
    ),
    "linear-maximum": (
        LINEAR_POINTS,
        of_posterior(1),
        book(MODEL["posterior_variance"], LINEAR),
        book(2 * MODEL["posterior_variance"], LINEAR),
    ),
    "linear-maximum, mean": (
        LINEAR_POINTS,
        of_posterior(0),
        book(MODEL["posterior_mean"], LINEAR),
        book(MODEL["posterior_mean"] + 1, LINEAR),
    ),
    "reparameterised-gradient": (PATHS, score, pathwise, partial(pathwise, wrong=True)),
    "gaussian-log-ratio": (
        PAIRS("ratio", x="real"),
        log_ratio,
        book(right["gaussian-log-ratio"], X),
        book(-right["gaussian-log-ratio"], X),
    ),
    "gaussian-variance": (
        points("variance", mean_q="real", sd_q="positive"),
        lambda mean_q, sd_q: square_about(mean_q, sd_q, mean_q),
        book(right["gaussian-variance"], GAUSSIAN),
        book(right["gaussian-variance"] + gaussian.mu_q**2 + 1, GAUSSIAN),
    ),
    "gaussian-second-moment": (
        points("second", mean_q="real", sd_q="positive", mean_p="real"),
        lambda mean_q, sd_q, mean_p: square_about(mean_q, sd_q, mean_p),
        book(right["gaussian-second-moment"], GAUSSIAN),
        book(gaussian.sigma_q**2 + gaussian.mu_q**2 - gaussian.mu_p**2 - 1, GAUSSIAN),
    ),
    "gaussian-kl": (
        PAIRS("kl"),
        integrated_kl,
        book(right["gaussian-kl"], GAUSSIAN),
        lambda mean_q, mean_p, sd_q, sd_p: integrated_kl(mean_p, mean_q, sd_p, sd_q),
    ),
    "kl-standard-normal": (
        points("encoder", mu="real", v="real"),
        encoder_kl,
        book(right["kl-standard-normal"], VAE_KL),
        book(right["kl-standard-normal"] + gaussian.log_variance / 2, VAE_KL),
    ),
    "kl-full": (
        [{"size": size, "seed": seed} for size in (1, 2, 3, 5) for seed in range(3)],
        moments_kl,
        printed_full,
        partial(printed_full, exchange=True),
    ),
    "kl-sum": (
        points("sum", 4, mu="real", v="real"),
        three_dimensions,
        printed_sum,
        lambda **at: printed_sum(**at) / 3,
    ),
    "bce-logit": (
        points("logit", x="unit", a="real")
        + [{"x": x, "a": a} for x in (0, 1) for a in (-30, 0, 30)],
        of_logit,
        book(right["bce-logit"], PIXEL),
        book(right["bce-logit"] + likelihoods.logit, PIXEL),
    ),
    "bce-binarisation": (
        points("coin", x="unit", r="unit"),
        lambda x, r: x * of_coin(arb(1), r) + (1 - x) * of_coin(arb(0), r),
        book(right["bce-binarisation"], PIXEL),
        lambda x, r: of_coin(1 - x, r),
    ),
    "bce-curvature": (
        points("curvature", x="unit"),
        second_derivative,
        book(right["bce-curvature"], PIXEL),
        book(1 / likelihoods.x, PIXEL),
    ),
    "continuous-bernoulli": (
        points("grey", a=[sp.Rational(n, 10**6) for n in (-(10**6), -1, 1, 3 * 10**6)] + [-25, 25]),
        grey_integral,
        book(right["continuous-bernoulli"], PIXEL),
        book(right["continuous-bernoulli"] * 2, PIXEL),
    ),
    "continuous-bernoulli-loss": (
        [{"x": sp.Rational(x, 7), "a": a} for x in (0, 3, 7) for a in AS],
        grey_loss,
        book(right["continuous-bernoulli-loss"], PIXEL),
        book(right["continuous-bernoulli-loss"] - likelihoods.logit, PIXEL),
    ),
    "continuous-bernoulli-levels": (
        [{"x": sp.Rational(x, 7), "a": a, "h": sp.Rational(1, 510)} for x in (1, 4) for a in AS],
        level_integral,
        book(right["continuous-bernoulli-levels"], LEVEL),
        book(right["continuous-bernoulli-levels"] * 2, LEVEL),
    ),
    "proportional-odds-level": (
        points("level", a="real", t="real", g="positive"),
        lambda a, t, g: below(t + g, a) - below(t, a),
        book(odds.LEVEL_PROBABILITY, ODDS),
        book(odds.LEVEL_PROBABILITY * 2, ODDS),
    ),
    "proportional-odds-slope": (
        points("slope", a="real", t="real", g="positive"),
        log_difference,
        lambda a, t, g: below(t + g, a) + below(t, a) - 1,
        lambda a, t, g: below(t + g, a) - below(t, a),
    ),
    "proportional-odds-one": (
        points("ink", x=[0, 1], a="real", t="real"),
        of_ink,
        lambda x, a, t: book(likelihoods.CROSS_ENTROPY_OF_LOGIT, PIXEL)(x=x, a=a - t),
        lambda x, a, t: book(likelihoods.CROSS_ENTROPY_OF_LOGIT, PIXEL)(x=x, a=a + t + 1),
    ),
    "proportional-odds-logistic": (
        points("bin", x="unit", h=[sp.Rational(1, 510), 1], m="real", s="positive", a=[0]),
        logistic_integral,
        book(odds.LOGISTIC_BIN, BIN),
        book(odds.LOGISTIC_BIN * 2, BIN),
    ),
    "proportional-odds-mean": (
        points("mean level", a="real", t="real", g=[sp.Rational(1, 100), 1]),
        mean_of_levels,
        printed_mean,
        lambda a, t, g: 1 - printed_mean(a, t, g),
    ),
    "gaussian-likelihood": (
        points("likelihood", S="positive"),
        minus_log_density,
        book(likelihoods.error + 392 * sp.log(sp.pi), {"S": likelihoods.error}),
        book(likelihoods.error + 391 * sp.log(sp.pi), {"S": likelihoods.error}),
    ),
    "beta-variance": (
        points("beta", beta="positive", S="positive", K="positive"),
        weighted_total,
        scaled_bound,
        partial(scaled_bound, factor=2),
    ),
}


def balls(at):
    """Turn the exact coordinates of a point into balls."""
    kept = ("values", "seed", "size", "theta")
    return {name: x if name in kept else exactly(x) for name, x in at.items()}


@pytest.mark.parametrize("label", EQUAL)
def test_both_sides_are_equal_to_thirty_digits(label):
    where, left, printed, _ = EQUAL[label]
    for at in where:
        difference = left(**balls(at)) - printed(**balls(at))
        assert difference.contains(0), at
        assert difference.rad() < RADIUS, at


@pytest.mark.parametrize("label", EQUAL)
def test_a_wrong_side_is_told_apart(label):
    where, left, _, wrong = EQUAL[label]
    assert any(not (left(**balls(at)) - wrong(**balls(at))).contains(0) for at in where)


def best_variance(S, D, s2):
    claimed = value(
        likelihoods.error / likelihoods.pixels, {likelihoods.error: S, likelihoods.pixels: D}
    )
    return tuple(minus_log_density(S, D, variance) for variance in (claimed, s2))


def least_loss(S, D, s2):
    claimed = value(likelihoods.BEST_VARIANCE_LOSS, {likelihoods.error: S, likelihoods.pixels: D})
    return claimed, minus_log_density(S, D, s2)


def distributions(values, seed):
    prior, _, q, _ = model(values, seed)
    return arb(0), discrete_kl(prior, q)


def entropy(x):
    return book(right["bce-floor"], PIXEL)(x=x)


ORDERED = {  # label → points, (smaller, greater) there, a point of equality, a wrong greater side
    "log-bound": (
        points("lemma", t="positive"),
        lambda t: (t.log(), book(right["log-bound"], {"t": divergence.t})(t=t)),
        {"t": 1},
        lambda t: (t - 1) / 2,
    ),
    "kl-nonnegative": (DISCRETE, distributions, None, lambda **at: -distributions(**at)[1]),
    "elbo-bound": (
        DISCRETE,
        lambda **at: (discrete_elbo(**at), model(**at)[3].log()),
        None,
        lambda **at: model(**at)[3].log() - 2 * discrete_gap(**at),
    ),
    "bce-floor": (
        points("floor", x="unit", r="unit"),
        lambda x, r: (entropy(x), of_coin(x, r)),
        {"x": sp.Rational(1, 3), "r": sp.Rational(1, 3)},
        lambda x, r: of_coin(x, r) / 2,
    ),
    "bce-pinsker": (
        points("pinsker", x="unit", r="unit"),
        lambda x, r: (book(right["bce-pinsker"], PIXEL)(x=x, r=r), of_coin(x, r) - of_coin(x, x)),
        {"x": sp.Rational(1, 3), "r": sp.Rational(1, 3)},
        lambda x, r: (of_coin(x, r) - of_coin(x, x)) / 2,
    ),
    "best-variance": (
        points("best", S="positive", D=[1, 784], s2="positive"),
        best_variance,
        {"S": 392, "D": 784, "s2": sp.Rational(1, 2)},
        lambda S, D, s2: best_variance(S, D, 2 * S / D)[0] - 1,
    ),
    "best-variance-loss": (
        points("best", S="positive", D=[1, 784], s2="positive"),
        least_loss,
        {"S": 392, "D": 784, "s2": sp.Rational(1, 2)},
        lambda S, D, s2: least_loss(S, D, s2)[0] - 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", ORDERED)
def test_one_side_is_the_greater(label):
    where, sides, equality, wrong = ORDERED[label]
    for at in where:
        smaller, greater = sides(**balls(at))
        assert greater > smaller, at
    if equality:
        smaller, greater = sides(**balls(equality))
        assert (greater - smaller).contains(0)
        assert (greater - smaller).rad() < RADIUS
    assert any(wrong(**balls(at)) < sides(**balls(at))[0] for at in where)


@pytest.mark.parametrize("x", [0, 1])
def test_a_pixel_at_the_edge_reaches_its_floor_in_the_limit_only(x):
    for nines in (1, 10, 40):
        decoded = abs(x - arb(10) ** -nines)
        loss = of_coin(arb(x), decoded)
        assert 0 < loss < 2 * arb(10) ** -nines


def test_every_statement_has_a_second_opinion():
    assert {label.partition(",")[0] for label in [*EQUAL, *ORDERED]} == set(symbolic.STATEMENTS)


def test_the_variances_of_the_two_estimates_are_those_of_integrals():
    f = sp.sin(2 * gradients.z)
    at = {gradients.mu: 0, gradients.sigma: 1}
    printed = gradients.estimator_variances(f, at)
    along = normal_mean(lambda e: (2 * (2 * e).cos()) ** 2, 4)
    score = normal_mean(lambda e: ((2 * e).sin() * e) ** 2, 1)
    mean = normal_mean(lambda e: 2 * (2 * e).cos(), 2)
    for name, square in (("pathwise", along), ("score", score)):
        difference = square - mean**2 - value(printed[name], {})
        assert difference.contains(0)
        assert difference.rad() < RADIUS
