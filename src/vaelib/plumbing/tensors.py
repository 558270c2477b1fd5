"""Refuse tensors that cannot be meant, in one sentence."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch  # slow, and not needed to look at a tensor


def require_tensor(
    name: str,
    received: object,
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
