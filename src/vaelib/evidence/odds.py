"""p(x|z) with proportional odds, for many images and many latent vectors."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from vaelib.plumbing.checks import require_tensor
from vaelib.vae.reconstruction import level_of

PART = 64  # images at a time: their pixels that are not black, at a tile's nodes, fit a cache


@dataclass(frozen=True)
class ProportionalOdds:
    """A probability of grey levels, with thresholds that all pixels share.

    Args:
        edges: (256, 3), from :meth:`vaelib.vae.thresholds.Thresholds.edges`.

    Source: equation :eq:`proportional-odds-level`.
    """

    edges: Tensor

    def rows(self, images: Tensor) -> Tensor:
        """Return images (N, D) in [0, 1] as :meth:`log_density` takes them: as they are."""
        return images

    def log_density(self, images: Tensor, outputs: Tensor) -> Tensor:
        """Compute log P(x|z) of every image under every latent vector.

        A level is no factor in a product, as it is for the other likelihoods. But four of five
        pixels are black, and the black ones of all images are one matrix product.

        Args:
            images: (N, D), k/255 with whole numbers k.
            outputs: (M, D), of decoded latent vectors.

        Returns:
            (N, M), nats per image.
        """
        require_tensor("images", images, ("N", "D"))
        require_tensor("outputs", outputs, ("M", images.shape[1]), images.dtype)
        edges = self.edges.to(images)
        black = F.logsigmoid(edges[0, 1] - outputs).T
        columns = outputs.T.contiguous()  # (D, M)
        parts = []
        for part in images.split(PART):
            total = (part == 0).to(images) @ black
            image, pixel = part.nonzero(as_tuple=True)
            below, above, width = edges[level_of(part[image, pixel])].T[..., None]
            a = columns[pixel]
            inside = F.logsigmoid(above - a) + F.logsigmoid(a - below) + width
            parts.append(total.index_add_(0, image, inside))
        return torch.cat(parts)

    def divergence(self, a: Tensor, b: Tensor) -> Tensor:
        """Estimate KL(P(x|a) ‖ P(x|b)) + KL(P(x|b) ‖ P(x|a)) of neighbours a, b (..., D), in nats.

        By the Fisher information of a pixel, as if the levels between black and white lay dense.
        """
        information = (self._information(a) + self._information(b)) / 2
        return ((a - b).square() * information).sum(-1)

    def _information(self, a: Tensor) -> Tensor:
        """Return the variance of the score: 2F − 1 inside, with F the logistic distribution."""
        edges = self.edges.to(a)
        black, white = torch.sigmoid(edges[0, 1] - a), torch.sigmoid(a - edges[255, 0])
        inside = ((1 - 2 * white) ** 3 - (2 * black - 1) ** 3) / 6
        return black * (1 - black) ** 2 + inside + white * (1 - white) ** 2
