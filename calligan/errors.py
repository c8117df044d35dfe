"""Errors that a user can cause or fix. The command line prints each as one line on stderr."""


class CalliganError(Exception):
    """An error the user can fix. The message names the file or value and the cure."""

    exit_code = 2


class FontError(CalliganError):
    """A font cannot be opened, or lacks what was requested."""


class DataError(CalliganError):
    """A data folder, charset, text or output path cannot be used."""


class ModelError(CalliganError):
    """A model file, checkpoint or run folder cannot be used."""


class ConfigError(CalliganError):
    """A setting or option does not exist or has an invalid value."""


class Unmeasured(CalliganError):
    """A result needs something that is missing here, such as an extra; the message names it."""


class FetchError(CalliganError):
    """A font could not be fetched from any of its packages."""

    exit_code = 1


class Diverged(CalliganError):
    """A loss or gradient became non-finite in training; earlier checkpoints are intact."""

    exit_code = 4


class Cancelled(CalliganError):
    """The caller cancelled; partial results that can be resumed are kept."""

    exit_code = 130
