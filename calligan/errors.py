"""The errors a user can cause or meet; the command line turns each into one line on stderr."""


class CalliganError(Exception):
    """Something a user can mend. The message names the file or value and the cure."""

    exit_code = 2


class FontError(CalliganError):
    """A font that cannot be opened, or lacks what is asked of it."""


class DataError(CalliganError):
    """A data folder, charset or text that cannot be used."""


class ModelError(CalliganError):
    """A model file, checkpoint or run folder that cannot be used."""


class ConfigError(CalliganError):
    """A setting that does not exist or makes no sense."""


class Unmeasured(CalliganError):
    """A figure that cannot be had here; the message says why and what would help."""


class FetchError(CalliganError):
    """A font that could not be brought from any of its packages."""

    exit_code = 1


class Diverged(CalliganError):
    """Training met a loss or gradient that is not finite; good checkpoints are untouched."""

    exit_code = 4


class Cancelled(CalliganError):
    """The caller asked to stop; what can be gone on with is kept."""

    exit_code = 130
