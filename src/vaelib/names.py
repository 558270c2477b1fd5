"""One sentence for a name that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches


def require(kind: str, received: object, known: Iterable[str]) -> None:
    """Check that a name is known.

    Args:
        kind: what is named, for the message.
        received: the name.
        known: the names there are, at least one.

    Raises:
        ValueError: it is not; the message lists the known names and picks out the nearest.
    """
    known = list(known)
    if received not in known:
        (close,) = get_close_matches(str(received), known, n=1, cutoff=0)
        raise ValueError(
            f"{kind} is {received!r}; expected one of {', '.join(known)}: did you mean {close!r}?"
        )
