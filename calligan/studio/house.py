"""What one studio has: its folder, the drawing thread, the queue of long work."""

from pathlib import Path

from calligan.studio.engine import Engine


class House:
    """The studio of a project folder: hands and runs lie where the commands keep them."""

    def __init__(self, folder: Path = Path(), warm: bool = True) -> None:
        self.folder, self._warm = folder, warm
        self.engine = Engine(folder)

    def open(self) -> None:
        """Begin what goes on beside the pages."""
        if self._warm:
            self.engine.warm()

    def close(self) -> None:
        """Stop it."""
        self.engine.close()
