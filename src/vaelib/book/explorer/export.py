"""The data of a run as a script that a page can load from a file."""

import json


def script(name: str, data: dict) -> str:
    """Write the script that leaves a run's data in ``explorerRuns``.

    Args:
        name: of the run.
        data: what :func:`vaelib.measure.explored.explored` returns.
    """
    # No text may end the script within a page.
    content = (json.dumps(part).replace("<", "\\u003c") for part in (name, data))
    return "(globalThis.explorerRuns ??= {{}})[{}] = {};\n".format(*content)
