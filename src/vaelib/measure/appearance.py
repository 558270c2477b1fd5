"""Quantities behind words about images and latent planes: blur, dispersion, overlap, smoothness.

All raise ValueError for tensors of another shape or dtype than they take.
"""

import torch
from torch import Tensor

from vaelib.data.dataset import ImageSet
from vaelib.plumbing.checks import require_alike, require_tensor, require_whole
from vaelib.vae.latent import decode, encode, latent_grid
from vaelib.vae.model import VAE
from vaelib.vae.objective import Objective

REFERENCES = 10_000  # training images among which the nearest to a reconstruction is sought
GRID = (30, 2.0)  # points along each axis of the decoded grid, and the axes' limit
HIGH = 0.15  # cycles per pixel from which on a spatial frequency is high; 0.5 is the highest
IMAGES = ("N", 28, 28)  # the shape of images in [0, 1]
NEIGHBOURS = 10
CHUNK = 1000  # rows of the matrix of distances at a time: 40 MB for 10,000 codes


def measure_appearance(model: VAE, objective: Objective, data: ImageSet, seed: int) -> dict:
    """Measure the reconstructions and the latent codes of the test images.

    Args:
        model, data: on the CPU.
        objective, seed: of the training; nothing here depends on them.

    Returns:
        ``sharpness``; ``high_frequency_share`` of the reconstructions and of the test images;
        ``dispersion``; of data with labels ``recognised`` and ``confusion``, counts by true and
        voted class; and, for two latent dimensions, ``roughness`` of the decoded grid: see the
        functions of these names.
    """
    codes = encode(model, data.test_images).mean
    decoded = decode(model, codes)
    images = data.test_images.float() / 255
    result = {
        "sharpness": sharpness(decoded, images),
        "high_frequency_share": {
            "decoded": high_frequency_share(decoded),
            "test": high_frequency_share(images),
        },
        "dispersion": dispersion(codes),
    }
    if data.test_labels is not None:
        result["recognised"] = recognised(decoded, data)
        result["confusion"] = confusion(codes, data.test_labels).tolist()
    if model.latent_dim == 2:
        grid = decode(model, latent_grid(*GRID)).view(GRID[0], GRID[0], 28, 28)
        result["roughness"] = roughness(grid)
    return result


def recognised(images: Tensor, data: ImageSet) -> float:
    """Ask of the test images, or their reconstructions, whether they look like their class.

    Args:
        images: (N, 28, 28), float, in the order of the test images.
        data: with labels, on the CPU.

    Returns:
        The :func:`share_recognised` among the first 10,000 training images.
    """
    labels, test_labels = data.require_labels("the share of recognised images")
    references = data.images[:REFERENCES].float() / 255
    return share_recognised(images, test_labels, references, labels[:REFERENCES])


def gradient_energy(images: Tensor) -> Tensor:
    """Sum the squared differences between neighbouring pixels: large where edges are sharp.

    Args:
        images: (N, 28, 28), float, pixels in [0, 1].

    Returns:
        (N,), squared grey value per image.

    Source: the focus measures reviewed by Pertuz, Puig and Garcia (2013).
    """
    require_tensor("images", images, IMAGES, hint="divide grey values of 0 to 255 by 255")
    down = images.diff(dim=1).square().sum((1, 2))
    across = images.diff(dim=2).square().sum((1, 2))
    return down + across


def sharpness(decoded: Tensor, images: Tensor) -> float:
    """Compare the gradient energy of decoded images with that of their inputs.

    Args:
        decoded, images: (N, 28, 28), float, pixels in [0, 1].

    Returns:
        The ratio of the mean energies, 1 if edges are as sharp as the inputs', less if blurred.
    """
    require_alike("decoded", decoded, "images", images)
    return float(gradient_energy(decoded).double().mean() / gradient_energy(images).double().mean())


def high_frequency_share(images: Tensor) -> float:
    """Measure the share of spectral power at high spatial frequencies, without the mean.

    Args:
        images: (N, 28, 28), float.

    Returns:
        A share between 0 and 1, of the power summed over the images, beyond the radius ``HIGH``.

    Source: spectra by radial frequency, as Durall, Keuper and Keuper (2020) use them to tell
    generated images from others.
    """
    require_tensor("images", images, IMAGES, finite=True)
    power = torch.fft.rfft2(images.double()).abs().square().sum(0)
    height, width = images.shape[1:]
    power[:, 1 : (width + 1) // 2] *= 2  # the transform of real images keeps one half of these
    power[0, 0] = 0
    radius = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
    return float(power[radius > HIGH].sum() / power.sum())


def share_recognised(
    decoded: Tensor, labels: Tensor, references: Tensor, reference_labels: Tensor
) -> float:
    """Ask of each decoded image whether the image nearest to it is of its class.

    Args:
        decoded: (N, 28, 28), float, pixels in [0, 1].
        labels: (N,), digits: of the images that were encoded.
        references: (M, 28, 28), float, images among which the nearest is sought by Euclidean
            distance.
        reference_labels: (M,), digits.

    Returns:
        The share of decoded images for which it is; 0.1 would be chance.

    Source: the nearest-neighbour rule, Cover and Hart (1967).
    """
    require_tensor("decoded", decoded, IMAGES, finite=True)
    require_tensor("references", references, IMAGES, decoded.dtype, finite=True)
    _check_labels("labels", labels, len(decoded))
    _check_labels("reference_labels", reference_labels, len(references))
    right = 0
    for batch, own in zip(decoded.split(CHUNK), labels.split(CHUNK), strict=True):
        nearest = torch.cdist(batch.flatten(1), references.flatten(1)).argmin(1)
        right += int((reference_labels[nearest] == own).sum())
    return right / len(decoded)


def dispersion(codes: Tensor) -> dict[str, float]:
    """Measure how widely latent codes are spread.

    Args:
        codes: (N, d).

    Returns:
        ``deviation``: the root of the variance summed over the dimensions; ``robust``: the median
        distance from the median of each dimension, which single far codes do not move.

    Source: robust alternatives to the standard deviation, Rousseeuw and Croux (1993).
    """
    require_tensor("codes", codes, ("N", "d"), finite=True)
    if len(codes) < 2:
        raise ValueError("there is one code, which has no spread; expected at least 2")
    codes = codes.double().contiguous()  # of rows that share memory, PyTorch's median is wrong
    distances = torch.linalg.vector_norm(codes - codes.median(0).values, dim=1)
    return {
        "deviation": float(codes.var(0).sum().sqrt()),
        "robust": float(distances.median()),
    }


def confusion(codes: Tensor, labels: Tensor, neighbours: int = NEIGHBOURS) -> Tensor:
    """Let the nearest other codes vote on the class of each code.

    Args:
        codes: (N, d).
        labels: (N,), digits.
        neighbours: k, how many codes vote; of classes with equally many votes the smallest wins.

    Returns:
        (10, 10), counts, with a row per true class and a column per voted class.

    Source: the k-nearest-neighbour rule, Cover and Hart (1967).
    """
    require_tensor("codes", codes, ("N", "d"), finite=True)
    _check_labels("labels", labels, len(codes))
    require_whole("neighbours", neighbours, 1, len(codes) - 1)
    labels = labels.long()
    voted = []
    for start in range(0, len(codes), CHUNK):
        distances = torch.cdist(codes[start : start + CHUNK].double(), codes.double())
        own = torch.arange(len(distances))
        distances[own, start + own] = torch.inf
        nearest = labels[distances.topk(neighbours, largest=False).indices]
        votes = torch.zeros(len(distances), 10, dtype=torch.long)
        voted.append(votes.scatter_add_(1, nearest, torch.ones_like(nearest)).argmax(1))
    return torch.bincount(10 * labels + torch.cat(voted), minlength=100).view(10, 10)


def accuracy(table: Tensor) -> float:
    """Return the share of the counts (10, 10) that lie on the diagonal."""
    _check_counts(table)
    return float(table.diag().sum() / table.sum())


def overlap_shares(table: Tensor) -> dict[tuple[int, int], float]:
    """Return for each pair of classes the share of their codes that is voted into the other one.

    Args:
        table: (10, 10), from :func:`confusion`.

    Returns:
        Pair (a, b), a < b → share, for all 45 pairs.
    """
    _check_counts(table)
    totals = table.sum(1)
    return {
        (a, b): float((table[a, b] + table[b, a]) / (totals[a] + totals[b]))
        for a in range(10)
        for b in range(a + 1, 10)
    }


def lead_of_four_and_nine(table: Tensor) -> float:
    """Return by how much the overlap of 4 and 9 exceeds the greatest of all other pairs."""
    shares = overlap_shares(table)
    return shares.pop((4, 9)) - max(shares.values())


def grouping(codes: Tensor, labels: Tensor) -> dict:
    """Read a scatter plot of latent codes: how well the classes are apart, and which are not.

    Args:
        codes: (N, d).
        labels: (N,), digits, some of each class.

    Returns:
        ``accuracy`` of the vote of :func:`confusion`; the pair of classes that ``overlap`` most by
        it, with their ``share``; the pair whose medians lie ``farthest`` apart; and the share of
        the codes ``within`` 2 of the origin in every coordinate, the decoded part of the plane.
    """
    table = confusion(codes, labels)
    shares = overlap_shares(table)
    a, b = max(shares, key=shares.__getitem__)
    medians = torch.stack([codes[labels == digit].median(0).values for digit in range(10)])
    c, d = divmod(int(torch.cdist(medians, medians).argmax()), 10)
    return {
        "accuracy": accuracy(table),
        "overlap": f"{a} and {b}",
        "share": shares[a, b],
        "farthest": f"{c} and {d}",
        "within": float((codes.abs() <= 2).all(1).double().mean()),
    }


def roughness(grid: Tensor) -> dict[str, float]:
    """Measure how much decoded images change from one point of a latent grid to the next.

    Args:
        grid: (n, n, 28, 28), decoded images in the order of the grid.

    Returns:
        ``mean`` and ``greatest`` squared difference between neighbours, summed over the pixels,
        in units of the mean squared difference between two images of the grid at random: far
        below 1 where digits change smoothly, about 1 where neighbours have nothing in common.

    Source: the smoothness of interpolations, Berthelot, Raffel, Roy and Goodfellow (2019).
    """
    require_tensor("grid", grid, ("n", "n", 28, 28), finite=True)
    if len(grid) < 2 or len(grid) != grid.shape[1]:
        raise ValueError(f"grid has shape {tuple(grid.shape)}; expected (n, n, 28, 28), n above 1")
    grid = grid.double()
    steps = torch.cat([grid.diff(dim=axis).square().sum((2, 3)).flatten() for axis in (0, 1)])
    at_random = 2 * grid.flatten(0, 1).var(0).sum()
    return {"mean": float(steps.mean() / at_random), "greatest": float(steps.max() / at_random)}


def _check_labels(name: str, labels: Tensor, number: int) -> None:
    """Check that labels are digits, one for each of so many images."""
    if labels.shape != (number,) or labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(
            f"{name} has shape {tuple(labels.shape)} and dtype {labels.dtype}; expected "
            f"({number},) and whole numbers"
        )
    if labels.min() < 0 or labels.max() > 9:
        raise ValueError(f"{name} has {labels.min()} to {labels.max()}; expected digits 0 to 9")


def _check_counts(table: Tensor) -> None:
    """Check that a table counts images by two classes, some of each true one."""
    counts = table.shape == (10, 10) and bool((table >= 0).all() and (table.sum(1) > 0).all())
    counts = counts and bool(table.isfinite().all())
    if not counts:
        raise ValueError(
            f"table has shape {tuple(table.shape)} and dtype {table.dtype}; expected (10, 10), "
            "counts of at least 0, with some in every row"
        )
