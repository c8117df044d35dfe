"""Stub."""
def infer() -> None:
    """X."""
