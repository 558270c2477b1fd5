"""Names that every room uses, and one sentence for what cannot be meant."""

from collections.abc import Iterable
from difflib import get_close_matches

LOSSES = ("total", "reconstruction", "kl")
"""The three losses, in the order in which tables and figures show them."""

OBJECTIVES = {
    "bce": ("bce", 0.5),
    "bce-elbo": ("bce", 1.0),
    "mse": ("mse", 0.5),
    "mse-elbo": ("mse", 1.0),
}
"""The objectives of the book's runs, by name of the run; the reconstruction loss and the weight β
of the KL divergence."""

CODED = OBJECTIVES | {"cb-levels": ("cb-levels", 1.0), "gaussian": ("gaussian", 1.0)}
"""The objectives whose models are put on one scale of code lengths."""

CAPITALS = {"bce": "BCE", "mse": "MSE", "kl": "KL"}
"""Words that are printed in capitals."""


def printed(name: str) -> str:
    """Return a name as it is printed: words apart, abbreviations in capitals."""
    return " ".join(CAPITALS.get(word, word) for word in name.replace("_", " ").split(" "))


def training_name(
    recipe: str, reconstruction_loss: str, beta: float, latent_dim: int, seed: int
) -> str:
    """Name a training, such as ``report-bce-beta0.5-d2-seed0``."""
    return f"{recipe}-{reconstruction_loss}-beta{beta:g}-d{latent_dim}-seed{seed}"


def require(kind: str, received: object, known: Iterable[str]) -> None:
    """Check that a name is known.

    Args:
        kind: what is named, for the message.
        received: the name.
        known: the names there are.

    Raises:
        ValueError: it is not; the message lists the known names and picks out the nearest.
    """
    known = list(known)
    if received not in known:
        close = get_close_matches(str(received), known, n=1, cutoff=0)
        hint = f": did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"{kind} is {received!r}; expected one of {', '.join(known) or 'none'}{hint}"
        )


MOST_SEED = 2**63 - 1
"""The greatest seed."""


def require_whole(kind: str, received: object, least: int, most: int) -> None:
    """Check that a number is whole and in a range; True and False are no numbers.

    Raises:
        ValueError: it is not.
    """
    whole = isinstance(received, int) and not isinstance(received, bool)
    if not whole or not least <= received <= most:
        raise ValueError(f"{kind} is {received!r}; expected a whole number from {least} to {most}")


def in_words(error: Exception) -> str:
    """Return an exception's message as a sentence that a user can read.

    Args:
        error: any; of what the operating system refused, the file comes after the reason.
    """
    if isinstance(error, ModuleNotFoundError):
        return f"{error}: install the packages of the book with `python install.py book`"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.strerror}: {error.filename}"
    return str(error) or type(error).__name__
