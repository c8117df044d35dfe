"""`calligan styles`: list the styles of a model."""

from calligan.cli.show import claim_stdout, note, print_table, result, write_summary
from calligan.requests import SpecimenRequest

_COLUMNS = {"name": "name", "chinese": "own name", "script": "script", "licence": "licence"}


def styles(request: SpecimenRequest) -> None:
    """List the styles of a model with their numbers, and draw them with -o.

    Example: calligan styles -o styles.png
    """
    from calligan.models.card import read_card
    from calligan.project.models import hand_names, model_path

    claim_stdout(request.json_path)
    path = model_path(request.model)
    rows = [[getattr(style, name) for name in _COLUMNS] for style in read_card(path).styles]
    numbered = list(enumerate(rows, start=1))
    print_table(("", *_COLUMNS.values()), [(str(number), *row) for number, row in numbered])
    listed = [{"number": i, **dict(zip(_COLUMNS, row, strict=True))} for i, row in numbered]
    hands = hand_names() if request.model is None else []
    write_summary(request.json_path, {"model": path, "styles": listed, "hands": hands})
    if hands:
        note(f"learned hands, to use by name: {', '.join(hands)}")
    if request.output is not None:
        from calligan.library.model import Model
        from calligan.page.sheet import save_sheet

        model = Model(path, request.source, check=False, fine=False, note=note)
        save_sheet(model.specimen(request.text), request.output)
        result(request.output)
