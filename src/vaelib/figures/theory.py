"""The figures of the theory chapters, drawn from the symbolic expressions."""

import numpy as np
import sympy as sp
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from vaelib.figures.style import styled, subplots
from vaelib.symbolic import bound, gaussian, gradients, likelihoods


@styled
def tangent_and_areas() -> Figure:
    """Draw log t below its tangent, and p log(p/q) for two Gaussians with its signed areas."""
    figure, (left, right) = subplots(3.1, 1, 2)
    t = np.linspace(0.05, 3.5, 300)
    left.plot(t, np.log(t), label=r"$\log t$")
    left.plot(t, t - 1, "--", label="$t - 1$")
    left.plot(1, 0, "ko", markersize=5)
    left.set(xlabel="$t$", ylim=(-3, 2.6))
    left.legend(loc="lower right")
    x = np.linspace(-4, 6, 500)
    p, q = (np.exp(-((x - mean) ** 2) / 2) / np.sqrt(2 * np.pi) for mean in (0, 1.5))
    integrand = p * np.log(p / q)
    right.plot(x, integrand, color="black", lw=1.2)
    right.fill_between(x, integrand, where=integrand > 0, color="C0", alpha=0.5, label="positive")
    right.fill_between(
        x, integrand, where=integrand < 0, color="C1", alpha=0.5, hatch="//", label="negative"
    )
    right.set(xlabel="$x$", ylabel=r"$p(x) \log \frac{p(x)}{q(x)}$ (nats)")
    right.legend(loc="upper right")
    return figure


@styled
def graphical_model() -> Figure:
    """Draw the model as a graph: z and x of each image, and who leads from one to the other."""
    figure, axes = subplots(2.1, width=3.6)
    axes.set(xlim=(-2.2, 2.2), ylim=(-0.7, 2.6), aspect="equal")
    axes.axis("off")
    places = {"$z$": (0, 2), "$x$": (0, 0)}
    for name, at in places.items():
        color = "0.8" if name == "$x$" else "white"
        axes.add_patch(Circle(at, 0.4, facecolor=color, edgecolor="black", lw=1.2))
        axes.annotate(name, at, ha="center", va="center")
    for start, end, name, dashes, side in (
        ("$z$", "$x$", "decoder", "-", -1),
        ("$x$", "$z$", "encoder", "--", 1),
    ):
        style = {"arrowstyle": "-|>", "color": "black", "ls": dashes, "lw": 1.2}
        style |= {"shrinkA": 20, "shrinkB": 20, "connectionstyle": "arc3,rad=0.3"}
        axes.annotate("", places[end], places[start], arrowprops=style)
        axes.annotate(name, (0.45 * side, 1), ha="right" if side < 0 else "left", va="center")
    axes.add_patch(Rectangle((-1.9, -0.6), 3.8, 3.1, fill=False, lw=1))
    axes.annotate("$N$", (1.75, -0.45), ha="right", va="bottom")
    return figure


@styled
def bound_and_gap() -> Figure:
    """Draw the linear-Gaussian ELBO against the mean of q, below log p(x)."""
    model = bound.linear_gaussian()
    numbers = {bound.w: 1, bound.c: 0, bound.s: sp.Rational(1, 2), bound.x: 1}
    evidence = float(model["log_evidence"].subs(numbers))
    best_mean, best_variance = (
        float(model[name].subs(numbers)) for name in ("posterior_mean", "posterior_variance")
    )
    elbo = sp.lambdify([bound.m, bound.nu], model["elbo"].subs(numbers))
    mean = np.linspace(-0.3, 1.9, 200)
    figure, axes = subplots(3.4)
    axes.axhline(evidence, color="black", lw=1.2, label=r"$\log p(x)$")
    for factor, times, dashes in ((1, "", "-"), (3, "3 × ", "--")):
        label = f"ELBO, variance of $q$ {times}that of the posterior"
        axes.plot(mean, elbo(mean, factor * best_variance), dashes, label=label)
    axes.fill_between(mean, elbo(mean, best_variance), evidence, alpha=0.15, color="C0")
    axes.axvline(best_mean, color="0.6", lw=1, ls=":")
    axes.set(xlabel="mean $m$ of $q$", ylabel="nats", ylim=(evidence - 4, evidence + 0.4))
    axes.legend(loc="lower center")
    return figure


@styled
def estimator_variances() -> Figure:
    """Draw the variances of the pathwise and the score-function estimate for f(z) = z²."""
    variances = gradients.estimator_variances(gradients.z**2)
    mean = np.linspace(0, 3, 100)
    figure, axes = subplots(3.1)
    names = {"pathwise": ("pathwise (reparameterised)", "-"), "score": ("score function", "--")}
    for name, (label, dashes) in names.items():
        curve = sp.lambdify(gradients.mu, variances[name].subs(gradients.sigma, 1))
        axes.plot(mean, curve(mean) * np.ones_like(mean), dashes, label=label)
    axes.set(xlabel=r"$\mu$", ylabel="variance of the estimate", yscale="log")
    axes.legend()
    return figure


@styled
def pixel_losses() -> Figure:
    """Draw a pixel's cross-entropy and squared error over its decoded value, for three greys."""
    x, decoded = likelihoods.x, likelihoods.p
    losses = {
        "cross-entropy": likelihoods.cross_entropy(x, decoded),
        "squared error": (x - decoded) ** 2,
    }
    at = np.linspace(0.002, 0.998, 300)
    figure, panels = subplots(2.9, 1, 2)
    for axes, (name, loss) in zip(panels, losses.items(), strict=True):
        for grey, dashes in ((0, "-"), (sp.Rational(1, 2), "--"), (1, ":")):
            curve = sp.lambdify(decoded, loss.subs(x, grey))
            axes.plot(at, curve(at), dashes, label=f"x = {grey}")
        axes.set(title=name, xlabel=r"$\hat{x}$")
    panels[0].set(ylabel="loss of a pixel (nats)", ylim=(0, 4))
    panels[1].set(ylim=(0, 1))
    panels[0].legend(loc="upper center")
    return figure


@styled
def kl_contours() -> Figure:
    """Draw contours of the KL divergence from N(μ, σ²) to N(0, 1) over μ and σ."""
    formula = gaussian.KL_STANDARD_NORMAL.subs(gaussian.log_variance, 2 * sp.log(gaussian.sigma_q))
    kl = sp.lambdify([gaussian.mu, gaussian.sigma_q], formula)
    mean, deviation = np.meshgrid(np.linspace(-3, 3, 300), np.geomspace(0.05, 3, 300))
    figure, axes = subplots(3.6)
    levels = [0.1, 0.25, 0.5, 1, 2, 3, 4, 5]
    lines = axes.contour(mean, deviation, kl(mean, deviation), levels, cmap="viridis")
    axes.clabel(lines, fmt="%g", fontsize=10.5)
    axes.plot(0, 1, "k+", markersize=9)
    axes.set(xlabel=r"$\mu$", ylabel=r"$\sigma$", yscale="log")
    axes.set_yticks([0.05, 0.1, 0.3, 1, 3], ["0.05", "0.1", "0.3", "1", "3"])
    return figure
