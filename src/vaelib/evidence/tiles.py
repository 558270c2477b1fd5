"""Square tiles of the latent plane, their nodes, and the images that need them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

SIDE = 8  # nodes along a side of a tile
CHUNK = 1 << 15  # pairs of an image and a tile at a time: 17 MB in float64


@dataclass(frozen=True)
class Pairs:
    """Images and tiles that belong together, one row per pair; all tiles have one step."""

    step: float
    image: Tensor  # (P,), int64
    tile: Tensor  # (P, 2), int64, the lower corner in units of the tile's side, SIDE · step
    values: Tensor  # (P, SIDE²), float32, log p(x, z) in nats; the second coordinate runs faster
    hidden: Tensor  # (P, 4), float32, by how much each quarter's peak may exceed its nodes, nats

    def of(self, which: Tensor | slice) -> "Pairs":
        """Return the rows that a mask (P,) or a slice picks."""
        return Pairs(self.step, *(part[which] for part in self._columns()))

    def _columns(self) -> tuple[Tensor, ...]:
        return self.image, self.tile, self.values, self.hidden

    def nodes(self) -> Tensor:
        """Return the tiles' nodes (P, SIDE², 2), float32."""
        return nodes_of(self.tile, self.step)

    def chunks(self) -> Iterator["Pairs"]:
        """Go through the rows, at most ``CHUNK`` at a time."""
        for start in range(0, len(self.image), CHUNK):
            yield self.of(slice(start, start + CHUNK))


def join(parts: list[Pairs]) -> Pairs:
    """Put pairs of one step one after the other."""
    columns = zip(*(part._columns() for part in parts), strict=True)
    return Pairs(parts[0].step, *map(torch.cat, columns))


def nodes_of(tiles: Tensor, step: float) -> Tensor:
    """Return the nodes of tiles (T, 2), the centres of their cells: (T, SIDE², 2), float32."""
    offsets = torch.arange(SIDE, device=tiles.device) + 0.5
    offsets = torch.cartesian_prod(offsets, offsets)
    return (tiles[:, None] * SIDE + offsets) * step


def by_quarter(values: Tensor) -> Tensor:
    """Arrange values at the nodes of tiles (P, SIDE²) by the tiles' quarters, (P, 4, SIDE²/4)."""
    half = SIDE // 2
    return values.view(-1, 2, half, 2, half).transpose(2, 3).reshape(-1, 4, half * half)


def every_second(values: Tensor) -> Tensor:
    """Sum values (P, SIDE²) over every second node along both axes: (P, 4), by where one starts."""
    return values.view(-1, SIDE // 2, 2, SIDE // 2, 2).sum((1, 3)).flatten(1)
