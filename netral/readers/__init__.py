"""Readers of exported posts: one `read_posts` for every format."""

from netral.readers.files import read_posts
from netral.readers.records import Columns, Rejected, Skipped

__all__ = ["Columns", "Rejected", "Skipped", "read_posts"]
