"""`calligan sample`: draw glyphs from noise."""

from calligan.cli.show import result
from calligan.requests import SampleRequest


def sample(request: SampleRequest) -> None:
    """Draw characters from noise, with a model trained by `calligan train --preset sngan`.

    Example: calligan sample 永和 --style 1 --count 8 -o samples.png
    """
    from calligan.inference.sample import save_samples

    save_samples(request)
    result(request.output)
