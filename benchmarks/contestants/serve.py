"""What all contestants share: requests in, answers out, one JSON object per line.

Runs in the environment of each contestant, so it imports the standard library only. A contestant
waits for its next line without using the processor, and so the driver can take turns.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator

# Libraries may print; what they print goes to the terminal, and answers go their own way.
ANSWERS, sys.stdout = sys.stdout, sys.stderr


def serve(answers: dict[str, Callable[..., dict]], versions: dict[str, str]) -> None:
    """Answer requests until the input ends.

    Args:
        answers: what can be asked for → the function that answers, called with the other
            entries of the request.
        versions: of the packages that decide the speed; the first line that is written.
    """
    print(json.dumps(versions), file=ANSWERS, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answers[request.pop("ask")](**request)), file=ANSWERS, flush=True)


def seconds(steps: Iterator, number: int) -> dict:
    """Take steps from an iterator; return the wall time of each."""
    times = []
    for _ in range(number):
        start = time.perf_counter()
        next(steps)
        times.append(time.perf_counter() - start)
    return {"seconds": times}


def endless(epoch: Callable[[], Iterable]) -> Iterator:
    """Go through an epoch's batches again and again."""
    while True:
        yield from epoch()
