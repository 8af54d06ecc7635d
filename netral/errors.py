"""Every error netral raises on purpose; catch `NetralError` to catch them all.

NetralError
├── ModelError        a model the caller named is missing, altered or answers other labels
├── RuleError         a rule file is malformed
├── ContestError      a contest roster is malformed or unknown
├── RegulationError   the regulations file is malformed
├── TextTooLong       one text is longer than `netral.MAX_CHARS`     (also a ValueError)
├── ReadError         an input file cannot be read at all
├── WriteError        an output could not be written
└── ScanError         a scan cannot start, resume or verify
"""


class NetralError(Exception):
    """Root of all errors raised on purpose by netral."""


class ModelError(NetralError):
    """A model directory is missing, altered or does not answer `partisan`, `hate`, `hoax`."""


class RuleError(NetralError):
    """A rule file is malformed; the message names the file, the rule and the remedy."""


class ContestError(NetralError):
    """A contest roster is malformed or unknown; the message names the file and the remedy."""


class RegulationError(NetralError):
    """The regulations file is malformed."""


class TextTooLong(NetralError, ValueError):
    """A text is longer than `MAX_CHARS` code points."""


class ReadError(NetralError):
    """An input file cannot be read; the message names the file and the remedy."""


class WriteError(NetralError):
    """An output could not be written; the message names the file and the remedy."""


class ScanError(NetralError):
    """A scan cannot start, resume or verify; the message names what differs."""
