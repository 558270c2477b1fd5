"""What a process that a test starts does with signals, whatever this one was told to ignore."""

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heed() -> None:
    """Let signals end this process: the ``preexec_fn`` of one that a test will end.

    A child inherits what is ignored or blocked, and so do the tests themselves, below ``nohup``, in
    a job runner or as a container's first process.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
