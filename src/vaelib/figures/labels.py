"""Where the names of classes are written among codes."""

import numpy as np

APART = 0.06  # of the plane's width: two labels are at least so far from each other
NEAR = 0.04  # of it: whose codes are counted around a code


def label_places(points: np.ndarray, labels: np.ndarray) -> dict[str, tuple[float, float]]:
    """Find where classes are written on a plane: where they are dense, and apart from each other.

    Args:
        points: (N, 2); of many, the first 2,000 are looked at.
        labels: (N,), classes.

    Returns:
        Class → point.
    """
    points, labels = points[:2000].astype(float), labels[:2000]
    width = np.ptp(points, axis=0).max() or 1.0
    near = np.linalg.norm(points[:, None] - points, axis=2) < NEAR * width
    classes = np.unique(labels)
    own = np.stack([near[:, labels == each].sum(1) for each in classes])  # around each point
    places = np.empty((len(classes), 2))
    for place, each, count in zip(places, classes, own, strict=True):
        lead = np.where(labels == each, 2 * count - near.sum(1), -len(points))
        place[:] = points[lead.argmax()]
    for _ in range(100):
        between = places[:, None] - places
        distance = np.linalg.norm(between, axis=2)
        overlap = np.clip(APART * width - distance, 0, None)
        np.fill_diagonal(overlap, 0)
        if not overlap.any():
            break
        aside = np.subtract.outer(*2 * [np.arange(len(places))])[..., None] * np.array([1.0, 0])
        away = np.where(distance[..., None] > 0, between, aside)
        away /= np.linalg.norm(away, axis=2, keepdims=True) + np.eye(len(places))[..., None]
        places += 0.55 * (overlap[..., None] * away).sum(1)
    return {str(each): (float(x), float(y)) for each, (x, y) in zip(classes, places, strict=True)}
