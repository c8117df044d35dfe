"""Stub."""
def styles() -> None:
    """X."""
