"""Rate and distortion of recorded runs, and how many latent dimensions they use.

What is drawn are entries of :func:`vaelib.study.rate_distortion.summarise_rate_distortion`.
"""

from matplotlib.figure import Figure

from vaelib.figures.style import legend_below, styled, subplots
from vaelib.plumbing.words import printed

MARKED = {"1/2": ("C1", "s", "β = 1/2, the original's"), "1": ("C2", "D", "β = 1, the ELBO's")}


@styled
def rate_distortion(curves: dict[str, dict[str, dict]]) -> Figure:
    """Draw the distortion against the rate, every run a point, the means joined, β beside them."""
    figure, panels = subplots(3.8, 1, len(curves))
    for axes, (loss, curve) in zip(panels, curves.items(), strict=True):
        means = [(part["rate"]["mean"], part["distortion"]["mean"]) for part in curve.values()]
        axes.plot(*zip(*means, strict=True), color="0.4", lw=1.2, zorder=1)
        for (beta, part), (rate, _) in zip(curve.items(), means, strict=True):
            colour, marker, label = MARKED.get(beta, ("C0", "o", "other β"))
            points = part["rate"]["values"], part["distortion"]["values"]
            axes.plot(*points, marker, color=colour, mfc="none", ms=4, ls="", label=label)
            top = rate, max(part["distortion"]["values"])
            axes.annotate(beta, top, (0, 5), textcoords="offset points", ha="center", fontsize=10)
        axes.set(title=printed(loss), xlabel="rate (nats per image)")
        axes.margins(0.12)
    panels[0].set_ylabel("distortion (reconstruction loss)")
    legend_below(figure, panels[0])
    return figure


@styled
def weights(curves: dict[str, dict[str, dict]]) -> Figure:
    """Draw against β how far the aggregate posterior is from the prior, and what classes do."""
    figure, panels = subplots(3.4, 1, 2)
    names = {
        "aggregate": "aggregate from prior (nats)",
        "accuracy": "codes voted into their own class",
    }
    for axes, (name, title) in zip(panels, names.items(), strict=True):
        for at, (loss, curve) in enumerate(curves.items()):
            betas = range(len(curve))
            spreads = [part[name] for part in curve.values()]
            axes.plot(betas, [s["mean"] for s in spreads], color=f"C{at}", label=printed(loss))
            for beta, spread in zip(betas, spreads, strict=True):
                values = spread["values"]
                axes.plot([beta] * len(values), values, "o", color=f"C{at}", mfc="none", ms=3.5)
        axes.set_xticks(range(len(curve)), list(curve))
        axes.set(title=title, xlabel="β")
        axes.set_ylim(bottom=0)
    panels[0].legend()
    return figure


@styled
def dimensions(found: dict[str, dict], least: float) -> Figure:
    """Draw the divergence of each dimension, the greatest first, and from where on one is used."""
    figure, axes = subplots(3)
    for at, (loss, part) in enumerate(found.items()):
        ranks = range(1, len(part["nats"]) + 1)
        axes.plot(ranks, part["nats"], "os"[at], color=f"C{at}", label=printed(loss))
    axes.axhline(least, color="0.4", lw=1, ls="--", label="counts as used")
    axes.set(xlabel="latent dimension, by its divergence", ylabel="nats per image", yscale="log")
    axes.set_xticks(list(ranks))
    axes.legend()
    return figure
