"""What ends a program ends it in order."""

import signal


def end_as_interrupted() -> None:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that what has begun is taken back.

    A signal that this process was told to ignore, as ``nohup`` does, stays ignored.
    """
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
