"""Words that every room uses, and how they are printed."""

LOSSES = ("total", "reconstruction", "kl")
"""The three losses, in the order in which tensors hold them, and tables and figures show them."""

CAPITALS = {"bce": "BCE", "mse": "MSE", "kl": "KL"}
"""Words that are printed in capitals."""


def printed(name: str) -> str:
    """Return a name as it is printed: words apart, abbreviations in capitals."""
    return " ".join(CAPITALS.get(word, word) for word in name.replace("_", " ").split(" "))
