"""`calligan styles`, `morph`, `animate`, `sample` and `restyle`: sheets and films of glyphs."""

from calligan.cli.show import claim_stdout, note, print_table, progress, result, write_summary
from calligan.requests.sheets import (
    AnimationRequest,
    MorphRequest,
    RestyleRequest,
    SampleRequest,
    SpecimenRequest,
)


def styles(request: SpecimenRequest) -> None:
    """List the styles of a model with their numbers, and draw them with -o.

    Example: calligan styles -o styles.png
    """
    from calligan.models.card import read_card
    from calligan.project.models import hand_names, model_path
    from calligan.storage import written_together

    claim_stdout(request.json_path)
    request.validate()
    path = model_path(request.model)
    listed = read_card(path).listed()
    rows = [list(map(str, style.values())) for style in listed]
    print_table(("", "name", "own name", "script", "licence"), rows)
    hands = hand_names() if request.model is None else []
    if hands:
        note(f"learned hands, to use by name: {', '.join(hands)}")
    with written_together():
        files = write_summary(request.json_path, {"model": path, "styles": listed, "hands": hands})
        if request.output is not None:
            from calligan.library.model import Model
            from calligan.page.sheet import save_sheet

            model = Model(path, request.source, check=False, fine=False, note=note)
            save_sheet(model.specimen(request.text), request.output)
            files.append(request.output)
    result(*files)


def morph(request: MorphRequest) -> None:
    """Interpolate between styles and show a text on the way, as a film or a sheet.

    Example: calligan morph "书法" --styles 1,3,4 --steps 24 -o morph.gif

    Between a hand of `calligan learn` and the model it was learned from, the weights are
    interpolated.
    """
    from calligan.library.orders import check_morph

    check_morph(request)  # raises before torch is imported below
    from calligan.library.films import save_morph

    save_morph(request, note)
    result(request.output)


def animate(request: AnimationRequest) -> None:
    """Show how the drawn validation characters changed during training.

    Example: calligan animate runs/0001 -o film.gif

    Each frame shows the source, the final drawing, the drawing at that step, and the real glyph.
    """
    from calligan.training.animation import animate as save_film

    save_film(request, note)
    result(request.output)


def sample(request: SampleRequest) -> None:
    """Draw characters from noise, with a model trained by `calligan train --preset sngan`.

    Example: calligan sample 永和 --style 1 --count 8 -o samples.png
    """
    from calligan.inference.sample import save_samples

    save_samples(request)
    result(request.output)


def restyle(request: RestyleRequest) -> None:
    """Redraw written glyphs in a learned style, from their pictures alone.

    Example: calligan restyle hand --style 3 --model runs/0002 -o restyled

    Example: calligan restyle MyHand.ttf --chars 春江花月夜 --style 3

    It works best with a model trained by `calligan train --preset stargan`, which uses every style
    as a source; other models are trained on regular fonts as sources.
    """
    from calligan.library.restyling import save_restyled

    with progress("redrawing", "glyph") as update:
        save_restyled(request, update, note)
    result(request.output)
