# The names that `import vaelib` offers, and where they live: lazy_loader reads this file.
from .book.explorer.single import explore
from .data.dataset import ImageSet
from .data.load import load_data
from .figures.images import image_grid, image_rows, latent_scatter
from .measure.code_length import bits_per_pixel
from .measure.gap import measure_gap
from .training.folder import Run, load_run, save_run
from .training.recipes import RECIPES
from .training.run import model_of, train
from .training.settings import Settings
from .vae.latent import decode, encode, latent_grid
from .vae.model import VAE
from .vae.objective import Objective

__version__: str
__all__ = [
    "RECIPES",
    "VAE",
    "ImageSet",
    "Objective",
    "Run",
    "Settings",
    "bits_per_pixel",
    "decode",
    "encode",
    "explore",
    "image_grid",
    "image_rows",
    "latent_grid",
    "latent_scatter",
    "load_data",
    "load_run",
    "measure_gap",
    "model_of",
    "save_run",
    "train",
]
