"""Judging with Ray (`netral[ray]`): `judge_files` where the files lie on a cluster's storage, `judging` for a scan.

Every batch passes through `Screener.stream`. See docs/distributed.md.
"""

from netral.errors import ScanError

try:
    from netral.distributed.files import BATCH, ROWS_PER_FILE, judge_files
    from netral.distributed.scan import judging
except ImportError as error:
    raise ScanError(f"Ray is not installed ({error}): pip install 'netral[ray]'") from error

__all__ = ["BATCH", "ROWS_PER_FILE", "judge_files", "judging"]
