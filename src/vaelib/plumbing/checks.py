"""One sentence for what cannot be meant: names, numbers, tensors, and what the system refuses."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch  # slow, and not needed to look at a tensor


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


def require_whole(kind: str, received: Any, least: int, most: int) -> None:
    """Check that a number is whole and in a range; True and False are no numbers.

    Raises:
        ValueError: it is not.
    """
    whole = isinstance(received, int) and not isinstance(received, bool)
    if not whole or not least <= received <= most:
        raise ValueError(f"{kind} is {received!r}; expected a whole number from {least} to {most}")


def require_tensor(
    name: str,
    received: Any,
    shape: tuple[int | str, ...],
    dtype: "torch.dtype | None" = None,
    *,
    finite: bool = False,
    hint: str = "",
) -> None:
    """Check what a tensor is.

    Args:
        name: of the argument, for the message.
        received: the argument.
        shape: that it must have: a number, or a letter for any number of at least 1.
        dtype: that it must have; any floating one if not given.
        finite: whether NaN and infinities are refused too.
        hint: what to do, for the message.

    Raises:
        ValueError: it is something else; the message says what was received and expected.
    """
    if not hasattr(received, "is_floating_point"):
        raise ValueError(f"{name} is {received!r:.40}; expected a tensor")
    fits = len(received.shape) == len(shape) and all(
        there >= 1 if isinstance(wanted, str) else there == wanted
        for there, wanted in zip(received.shape, shape, strict=True)
    )
    right = received.is_floating_point() if dtype is None else received.dtype == dtype
    if not (fits and right):
        letters = [place for place in shape if isinstance(place, str)]
        of_letters = f" with {letters[0]} of at least 1" if fits is False and letters else ""
        raise ValueError(
            f"{name} has shape {tuple(received.shape)} and dtype {received.dtype}; expected "
            f"{_written(shape)}{of_letters} and {dtype or 'a floating dtype'}"
            f"{': ' if hint else ''}{hint}"
        )
    if finite and not received.isfinite().all():
        raise ValueError(f"{name} has values that are NaN or infinite; expected finite numbers")


def require_alike(first: str, a: "torch.Tensor", second: str, b: "torch.Tensor") -> None:
    """Check that two tensors have one shape and dtype, so that none is stretched to the other's.

    Raises:
        ValueError: they have not.
    """
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(
            f"{first} has shape {tuple(a.shape)} and dtype {a.dtype}, {second} has shape "
            f"{tuple(b.shape)} and dtype {b.dtype}; expected the same"
        )


def _written(shape: tuple[int | str, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def in_words(error: BaseException) -> str:
    """Return an exception's message as a sentence that a user can read.

    Args:
        error: any; of what the operating system refused, the file comes after the reason.
    """
    if isinstance(error, ModuleNotFoundError):
        return f"{error}: install the packages of the book with `python install.py book`"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.strerror}: {error.filename}"
    return str(error) or type(error).__name__
