"""What ends a program ends it in order, or at once."""

import signal
from collections.abc import Callable
from types import FrameType

Handler = signal.Handlers | Callable[[int, FrameType | None], object]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Ctrl-C, a polite end, a closed terminal; not all exist


def end_as_interrupted() -> None:
    """Let each of these signals raise KeyboardInterrupt, so that what has begun is taken back.

    A signal that this process was told to ignore, as ``nohup`` does, stays ignored.
    """
    _change(signal.SIG_DFL, signal.default_int_handler)


def end_at_once() -> None:
    """Let each of these signals end the process where it stands: nothing has to be taken back.

    For code that swallows KeyboardInterrupt, such as autodoc's imports, and then goes on.
    """
    _change(signal.default_int_handler, signal.SIG_DFL)


def _change(old: Handler, new: Handler) -> None:
    for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
        if signal.getsignal(number) == old:
            signal.signal(number, new)
