"""Pack builder: make a case's pack of evidence and put it into the bucket.

Trigger: the packs queue; each message is a case's number. Effects: the pack under a name that its contents
give it, then its head in the case's timeline. The same case makes the same bytes, so a message that comes
again, or a crash in between, does no harm. Files are streamed: memory does not grow with them.
"""

from typing import Any

from functions import rulebook
from functions.domain.dossiers import packed
from functions.domain.exhibits import Pack
from functions.evidence.pack import build, name
from functions.runtime.batches import Record, each
from functions.runtime.clock import now
from functions.runtime.errors import Unknown
from functions.runtime.observability import count, observed
from functions.store import cases, evidence
from functions.store.evidence import PackUpload


@observed
def handler(event: dict[str, Any], context: Any) -> Any:
    return each(event, make)


def make(record: Record) -> None:
    """Build the pack of one case. Raises Altered where an exhibit is not what was recorded."""
    case_id, rules = record["body"], rulebook.load()
    case = cases.read_many([case_id]).get(case_id)
    if case is None:
        raise Unknown(f"There is no case {case_id}.")
    digest = name(case, rules)
    if any(pack.digest == digest for pack in case.dossier.packs):
        return
    upload = PackUpload(case_id, digest)
    built = build(case, rules, lambda exhibit: evidence.chunks(case_id, exhibit), upload)
    upload.close()
    moment = now()
    pack = Pack(digest=digest, head=built.head, sha256=built.sha256, size=built.size, at=moment)
    cases.change(case_id, lambda stands: packed(stands, pack, moment))
    count("EvidencePacked")
