"""calligan: Chinese calligraphy font synthesis."""

__version__ = "0.1.0"
