"""A model file's checksum: one flipped bit is an error, not another answer.

The last bytes of a model file are an entry of its metadata that holds the SHA-256 of all bytes
before it. The published files are also compared with the list that comes with the package.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from digitlens.errors import ModelError
from digitlens.models.onnx_graph import MODEL_GRAPH, MODEL_METADATA, encode_field, read_fields

KEY = "digitlens.sha256"

# The networks that come with digitlens, each an .onnx file with its card inside.
PUBLISHED_FOLDER = Path(__file__).parents[1] / "published"

SUMS = "SHA256SUMS"  # the list of their checksums there, as `sha256sum` writes it


def append_checksum(content: bytes) -> bytes:
    """Return an ONNX file with its checksum behind it, instead of the one that it had."""
    content = _split(content)[0]
    return content + _encode(hashlib.sha256(content).hexdigest())


def verify_checksum(path: Path, content: bytes) -> bool:
    """Check that `content`, the bytes of the model file `path`, is what was written.

    Files of versions before checksums have none: False. ModelError if it is damaged.
    """
    body, expected = _split(content)
    if path.is_relative_to(PUBLISHED_FOLDER):
        name = path.relative_to(PUBLISHED_FOLDER).as_posix()
        body, expected = content, read_published_sums().get(name, "")
    elif expected is None and KEY.encode() in content:
        # Another program wrote the file anew, and changed it or not.
        expected = ""
    if expected is not None and hashlib.sha256(body).hexdigest() != expected:
        raise ModelError(
            f"{path} must be as digitlens wrote it",
            seen="its checksum is another",
            likely="the file is damaged, or another program changed it",
            try_="a copy of the file, or install digitlens again if it came with it",
        )
    return expected is not None


def graph_digest(content: bytes) -> str:
    """Return the SHA-256 of a file's nodes and weights, whatever its card says."""
    digest = hashlib.sha256()
    for field in read_fields(memoryview(content)):
        if field.number == MODEL_GRAPH:
            digest.update(field.content)
    return digest.hexdigest()


def _split(content: bytes) -> tuple[bytes, str | None]:
    """Return what the checksum is of, and the checksum; None where there is none at the end."""
    length = len(_encode("0" * 64))
    body, end = content[:-length], content[-length:]
    digest = end[-64:].decode("ascii", "replace")
    return (body, digest) if end == _encode(digest) else (content, None)


def _encode(digest: str) -> bytes:
    # StringStringEntryProto: 1 is the key, 2 the value.
    entry = encode_field(1, KEY.encode()) + encode_field(2, digest.encode())
    return encode_field(MODEL_METADATA, entry)


@cache
def read_published_sums() -> dict[str, str]:
    """Return the checksums of the published files, by their path in the folder."""
    path = PUBLISHED_FOLDER / SUMS
    lines = path.read_text(encoding="ascii").splitlines() if path.is_file() else []
    return {name: digest for digest, name in (line.split() for line in lines)}
