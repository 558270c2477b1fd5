"""The data set that a run was trained on, found again."""

from vaelib.data.dataset import ImageSet
from vaelib.data.load import load_data
from vaelib.training.folder import Run


def data_of(run: Run, source: str = "") -> ImageSet:
    """Load the data set that a run was trained on.

    Args:
        run: from :func:`vaelib.training.folder.load_run`.
        source: where it is, see :func:`vaelib.data.load.load_data`; what the recipe names if not
            given.

    Raises:
        ValueError: it is another data set, by its fingerprint.
    """
    data = load_data(source or run.settings.recipe_settings.data)
    if data.fingerprint != run.environment["data"]:
        raise ValueError(
            f"the run was trained on {run.environment['data_name']!r}, and not on the images of "
            f"{data.name!r}, by their SHA-256: name the file or folder that it was trained on"
        )
    return data
