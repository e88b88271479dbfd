"""Files: the texts of a rules folder, by their path in it, and the one document that they travel as."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from functions.rulebook.faults import RuleError

Files = Mapping[str, str]  # "remedies.toml", "templates/care.toml" -> text
FORMAT = 1
BUNDLED = "bundled"  # the version of a document that says: decide by the rules beside the code


def files_of(rules: "Path | Files") -> Files:
    """Return the texts of a folder; texts are returned as they are. Raises RuleError, OSError."""
    if not isinstance(rules, Path):
        return rules
    found: dict[str, str] = {}
    for path in sorted(rules.glob("**/*.toml")):
        name = path.relative_to(rules).as_posix()
        try:
            found[name] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise RuleError(f"{name} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    return found


def version_of(files: Files) -> str:
    """Return the name of this content: 12 hex digits of a SHA-256."""
    digest = sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name].encode() + b"\0")
    return digest.hexdigest()[:12]


def packed(files: Files | None) -> str:
    """Return the document that is rolled out, None for the bundled rules. People can read it."""
    import json  # only what travels needs it

    named = {"version": BUNDLED} if files is None else {"version": version_of(files), "files": dict(files)}
    return json.dumps({"format": FORMAT, **named}, ensure_ascii=False, indent=1)


def unpacked(document: str | bytes) -> Files | None:
    """Return the texts of a document, None for the bundled rules.

    Raises RuleError for anything that `packed` does not write.
    """
    import json

    mend = "push the rules with `winback rules push`"
    try:
        shape = json.loads(document)
    except ValueError as error:
        raise RuleError(f"the rulebook is not a JSON document ({error}); {mend}") from error
    if not isinstance(shape, dict) or shape.get("format") != FORMAT:
        raise RuleError(f"the document holds no rulebook of format {FORMAT}; {mend}")
    files, version = shape.get("files"), shape.get("version")
    if files is None and version == BUNDLED:
        return None
    if not isinstance(files, dict) or not all(isinstance(text, str) for text in files.values()):
        raise RuleError(f"the document holds no rulebook of format {FORMAT}; {mend}")
    if version_of(files) != version:
        raise RuleError(f"the rulebook was changed after it was packed; {mend}")
    return files
