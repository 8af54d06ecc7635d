"""Files in, files out: scan exports into a folder of verdicts, and verify such a folder."""

from netral.scan.inputs import NothingReadable
from netral.scan.manifest import PART, Job
from netral.scan.run import Done, Judge, scan
from netral.scan.tally import Tally
from netral.scan.verify import verify

__all__ = ["PART", "Done", "Job", "Judge", "NothingReadable", "Tally", "scan", "verify"]
