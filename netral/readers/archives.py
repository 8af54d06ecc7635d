"""Folders and zips as the files in them, without unpacking to disk and within limits."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from netral.errors import ReadError
from netral.readers.records import UNREADABLE_FILE, Columns, Rejected, Source

MAX_MEMBERS = 100_000
MAX_TOTAL = 64 * 2**30
MAX_RATIO = 300
FREE_SIZE = 50_000_000
"""Up to this size a member, or all members of a zip and of the zips in it, may be packed as tightly as they like."""

MAX_HELD = 64_000_000
"""The largest workbook, Parquet file or zip read inside a zip; these are held in memory."""

MAX_SHARED = 400_000_000
MAX_NESTING = 2
UNSAFE_PATH = "unsafe-path"
_IGNORED = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
_PROFILE_FOLDERS = frozenset({"account_information", "personal_information", "profile_information"})
"""Folders of a download that hold the profile of its account, not its posts; the download is what lies round them."""

ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError)
_File = TypeVar("_File")


def walk_folder(folder: Path, columns: Columns) -> Iterator[Source | Rejected]:
    """Yield the files of a folder and its subfolders by name, hidden ones and links left out."""
    closed: list[OSError] = []
    inside = os.walk(folder, onerror=closed.append)
    paths = sorted(path for top, _, names in inside for name in names if _is_file(path := Path(top, name)))
    paths = [path for path in paths if not _hidden(path.relative_to(folder).as_posix())]
    for error in closed:
        name = Path(error.filename).relative_to(folder).as_posix()
        yield Rejected(name, 0, f"{UNREADABLE_FILE}: cannot be listed ({error.strerror}); check its permissions", "")
    files = [(path.relative_to(folder).as_posix(), path) for path in paths]
    nearest = _by_account(files)

    def finder(name: str) -> Callable[[str], Source | None]:
        def find(wanted: str) -> Source | None:
            path = nearest(name, wanted)
            return None if path is None else Source(path.name, _opener(path))

        return find

    for name, path in files:
        yield Source(name, _opener(path), finder(name), columns)


def _by_account(files: Iterable[tuple[str, _File]]) -> Callable[[str, str], _File | None]:
    """Return what finds, for a file, the one of a given name in the account's download both lie in.

    A folder may hold the downloads of several people: another's profile is none, nor are two of one place.
    """
    places: dict[PurePosixPath, _File | None] = {}
    for name, file in files:
        path = PurePosixPath(name)
        home = next((folder for folder in path.parents if folder.name not in _PROFILE_FOLDERS), path)
        place = home / path.name
        places[place] = None if place in places else file

    def nearest(name: str, wanted: str) -> _File | None:
        around = (folder / wanted for folder in PurePosixPath(name).parents)
        return next((places[place] for place in around if place in places), None)

    return nearest


def _is_file(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink()
    except OSError:
        return True  # opening it will say why


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _hidden(name: str) -> bool:
    return any(part in _IGNORED or part.startswith("._") for part in PurePosixPath(name).parts)


class Budget:
    """The bytes that a zip and all zips inside of it may still unpack to, set by the size of the outermost."""

    def __init__(self, outermost: IO[bytes]) -> None:
        self.left = min(MAX_TOTAL, max(FREE_SIZE, MAX_RATIO * outermost.seek(0, io.SEEK_END)))


def open_zip(stream: IO[bytes], name: str, budget: Budget) -> zipfile.ZipFile:
    """Open a zip and take what it unpacks to from the budget; refuse one that goes beyond the limits."""
    try:
        archive = zipfile.ZipFile(stream)
    except (*ZIP_ERRORS, ValueError) as error:
        raise ReadError(f"{name}: a damaged or cut-off zip file; copy or download it again") from error
    members = archive.infolist()
    total = sum(member.file_size for member in members if not is_bomb(member))  # a bomb is never read
    if len(members) > MAX_MEMBERS or total > budget.left:
        archive.close()
        raise ReadError(
            f"{name}: {len(members)} files of {total} bytes, more than is read from a zip and those inside of it; "
            "unpack it and read the folder"
        )
    budget.left -= total
    return archive


def is_bomb(member: zipfile.ZipInfo) -> bool:
    """Tell whether a member unpacks to far more than any export would."""
    return member.file_size > FREE_SIZE and member.file_size > MAX_RATIO * max(member.compress_size, 1)


def is_heavy(archive: zipfile.ZipFile) -> bool:
    """Tell whether a workbook's shared texts, which are held in memory, are too many."""
    return any(
        member.filename == "xl/sharedStrings.xml" and member.file_size > MAX_SHARED for member in archive.infolist()
    )


def kind_of(archive: zipfile.ZipFile) -> str:
    """Return "workbook", "document" or "archive"."""
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "workbook"
    if "[Content_Types].xml" in names or "mimetype" in names or "META-INF/MANIFEST.MF" in names:
        return "document"
    return "archive"


def walk_zip(archive: zipfile.ZipFile, prefix: str, columns: Columns) -> Iterator[Source | Rejected]:
    """Yield the files of a zip, and a rejection for each that must not be read."""
    named = (member for member in archive.infolist() if member.filename)
    members = [member for member in named if not member.is_dir() and not _hidden(member.filename)]
    nearest = _by_account((member.filename, member) for member in members)

    def opener(member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
        return lambda: _open_member(archive, member)

    def finder(name: str) -> Callable[[str], Source | None]:
        def find(wanted: str) -> Source | None:
            member = nearest(name, wanted)
            return None if member is None or is_bomb(member) else Source(member.filename, opener(member))

        return find

    for member in members:
        name = prefix + member.filename
        if _climbs(member.filename):
            yield Rejected(name, 0, UNSAFE_PATH, "")
        elif is_bomb(member):
            why = f"unpacks to {member.file_size} bytes, a likely zip bomb; unpack it if you trust it"
            yield Rejected(name, 0, f"{UNREADABLE_FILE}: {why}", "")
        elif member.flag_bits & 1:
            yield Rejected(name, 0, f"{UNREADABLE_FILE}: protected by a password; unpack it and read the folder", "")
        else:
            yield Source(name, opener(member), finder(member.filename), columns)


def _open_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(member)
    except (ValueError, RuntimeError) as error:  # places outside of the file, flags of encryption
        raise zipfile.BadZipFile(str(error)) from error


def _climbs(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or (len(name) > 1 and name[1] == ":")


def held(source: Source) -> Source:
    """Return a source kept in memory, for formats that are read from their end."""
    with source.open() as stream:
        data = stream.read(MAX_HELD + 1)
    if len(data) > MAX_HELD:
        raise ReadError(f"{source.name}: larger than {MAX_HELD} bytes inside a zip; unpack it and read the file itself")
    return Source(source.name, lambda: io.BytesIO(data), source.find, source.columns, source.lone)
