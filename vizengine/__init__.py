"""See, prove and publish what a unit inside a convolutional network does."""

__version__ = "0.1.0"
