"""Variational autoencoders on MNIST: the library that the book stands on."""
