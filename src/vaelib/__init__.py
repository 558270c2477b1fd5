"""Variational autoencoders of small grey images, and their exact evidence.

The names below are loaded when they are used; ``import vaelib`` alone loads no PyTorch.
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = version("vaelib")
