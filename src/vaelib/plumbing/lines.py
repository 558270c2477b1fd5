"""What the library says, as lines on standard output: for the commands and the book's notebooks.

The library itself logs below the name ``vaelib`` and prints nothing.
"""

import logging


class _Lines(logging.Handler):
    """Prints each message as a line, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        tqdm.write(self.format(record))


def show_lines() -> None:
    """Print what the library says from now on; once, however often this is called."""
    logger = logging.getLogger("vaelib")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())
