"""Stub."""
def evaluate() -> None:
    """X."""
