"""Folders and files by path, by URI or in a filesystem of Arrow's or fsspec's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs  # type: ignore[import-untyped]
from pyarrow import ArrowInvalid
from pyarrow import fs as arrow

from netral.errors import ReadError, ScanError, WriteError


def place_of(path: str, filesystem: Any) -> tuple[Any, str]:
    """Return Arrow's filesystem for a path or URI, and the path in it."""
    if filesystem is not None:
        known = isinstance(filesystem, arrow.FileSystem)
        return filesystem if known else arrow.PyFileSystem(arrow.FSSpecHandler(filesystem)), path.split("://")[-1]
    if "://" not in path:
        return arrow.LocalFileSystem(), Path(path).absolute().as_posix()
    try:
        found, place = arrow.FileSystem.from_uri(path)
    except ArrowInvalid:  # a scheme that Arrow leaves to fsspec
        try:
            other, place = url_to_fs(path)
        except (ValueError, ImportError) as error:
            raise ReadError(f"{path}: {error}") from error
        found = arrow.PyFileSystem(arrow.FSSpecHandler(other))
    return found, place


def files_of(path: str, filesystem: Any) -> list[tuple[Any, str]]:
    """Return the files of a path, those of a folder in order and without `_SUCCESS`, `_temporary/` and the like."""
    found, place = place_of(path, filesystem)
    try:
        info = found.get_file_info(place)
        folder = arrow.FileSelector(place, recursive=True, allow_not_found=True)
        below = [info] if info.is_file else found.get_file_info(folder)
    except OSError as error:
        raise ReadError(f"{path}: {error}") from error
    shown = [item for item in below if not any(part[0] in "_." for part in _below(place, item.path))]
    places = sorted(item.path for item in shown if item.is_file)
    if not places:
        raise ReadError(f"{path}: no file is there; check the name")
    return [(found, place) for place in places]


def _below(folder: str, place: str) -> list[str]:
    """Return the parts of a path below a folder; the name of a file that is the path itself."""
    return [part for part in place.removeprefix(folder).split("/") if part] or [place.rsplit("/", 1)[-1]]


def made(out: str, filesystem: Any) -> tuple[Any, str]:
    """Return the output folder, made when missing; raises `ScanError` when something is in it."""
    found, place = place_of(out, filesystem)
    try:
        if found.get_file_info(arrow.FileSelector(place, allow_not_found=True)):
            raise ScanError(f"{out}: not empty; choose another out")
        for name in ("verdicts", "rejected"):
            found.create_dir(f"{place}/{name}", recursive=True)
    except OSError as error:
        raise WriteError(f"{out}: {error}") from error
    return found, place
