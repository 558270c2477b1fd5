"""The derivations of the book in sympy: each function proves something and returns it.

A check that does not hold raises :class:`~vaelib.symbolic.proof.NotProved`, which fails the build
of the book. The argument of a proof is something else to try in the place of what it proves, such
as another right side. The chapters take their equations from :data:`STATEMENTS`: what is printed is
what was proved.
"""

from collections.abc import Callable

from vaelib.symbolic import bound, divergence, gaussian, gradients, likelihoods, odds
from vaelib.symbolic.proof import NotProved, Statement

STATEMENTS: dict[str, Callable[[], Statement]] = {
    "log-bound": divergence.log_bound,
    "kl-term": divergence.prove_term,
    "kl-nonnegative": divergence.nonnegative,
    "elbo-bound": bound.lower_bound,
    "elbo-decomposition": bound.elbo_lines,
    "elbo-two-terms": bound.elbo_two_terms,
    "linear-gap": bound.prove_linear_gap,
    "linear-maximum": bound.prove_linear_maximum,
    "weighted-bound": bound.weighted_bound,
    "reparameterised-gradient": gradients.prove_reparameterisation,
    "gaussian-log-ratio": gaussian.prove_log_ratio,
    "gaussian-variance": gaussian.prove_variance,
    "gaussian-second-moment": gaussian.prove_second_moment,
    "gaussian-kl": gaussian.prove_gaussian_kl,
    "kl-standard-normal": gaussian.prove_kl_standard_normal,
    "kl-full": gaussian.prove_full,
    "kl-sum": gaussian.prove_diagonal,
    "bce-logit": likelihoods.prove_logit_form,
    "bce-binarisation": likelihoods.prove_binarisation,
    "bce-floor": likelihoods.prove_floor,
    "bce-curvature": likelihoods.prove_curvature,
    "bce-pinsker": likelihoods.prove_pinsker,
    "continuous-bernoulli": likelihoods.prove_continuous_bernoulli,
    "continuous-bernoulli-loss": likelihoods.prove_continuous_bernoulli_loss,
    "continuous-bernoulli-levels": likelihoods.prove_level_probability,
    "gaussian-likelihood": likelihoods.prove_gaussian_constant,
    "beta-variance": likelihoods.prove_beta_variance,
    "best-variance": likelihoods.prove_best_variance,
    "best-variance-loss": likelihoods.prove_best_variance_loss,
    "proportional-odds-level": odds.prove_level,
    "proportional-odds-slope": odds.prove_slope,
    "proportional-odds-one": odds.prove_one_threshold,
    "proportional-odds-logistic": odds.prove_logistic,
    "proportional-odds-mean": odds.prove_mean,
}
"""Label of an equation in the book → function that proves it and returns it as it is printed."""

__all__ = ["STATEMENTS", "NotProved", "Statement"]
