"""Which receipts may go from the API by the settings: what they prove is here, and is all there is.

A receipt may go if it is one by its subject and its sender, was tied to a send by its text, its
text is here to the last byte, and the send is over for every recipient by texts alone. Whatever
is not surely so stays: incoming mail, receipts of what was not sent from here, what only a row or
``GET /send`` told, what rests on a person's word, what contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from bridge.language import say
from bridge.model import SubmissionState
from bridge.receipts.kind import RECEIPTS, Kind, classify
from bridge.receipts.record import evidence_of
from bridge.receipts.states import FINAL_STATES, standing
from bridge.store.base import ReadTransaction
from bridge.store.outbox import ClaimBasis, SubmissionRow
from bridge.store.receipts import ReceiptBasis, ReceiptRow
from bridge.store.remote import RemoteId, RemoteRow

SLICE_BYTES = 1024 * 1024


async def why_kept(tx: ReadTransaction, remote: RemoteId) -> str:
    """Return why a row is to stay at the API, "" if nothing speaks against its going."""
    row = await tx.remote_row(remote)
    if row is None or row.gone_at is not None or row.submission is None:
        return say("it is no receipt of a message sent from here")
    submission = await tx.submission(row.submission)
    if submission is None or submission.account != row.account:
        return say("what was sent is not known any more")
    receipts = await tx.receipts_of(submission.id)
    digest = await _kept_digest(tx, remote)
    return _of_row(row, receipts, digest) or _of_send(submission, receipts)


def _of_row(row: RemoteRow, receipts: Sequence[ReceiptRow], digest: bytes) -> str:
    """Return what about the row speaks against its going.

    Args:
        row: as it stands.
        receipts: the send's.
        digest: of the text that is here.
    """
    listed = classify(row.subject, row.sender).kind
    if listed not in RECEIPTS or row.kind not in {kind.value for kind in RECEIPTS}:
        return say("it is no receipt")
    own = [one for one in receipts if one.remote == row.id and one.basis is ReceiptBasis.TEXT]
    if not own or Kind(own[0].kind) not in RECEIPTS:
        return say("its text did not tie it to what was sent")
    if row.content is None or not row.readable or row.body_sha256 is None:
        return say("its text is not here")
    return "" if digest == row.body_sha256 else say("its text is not here whole")


def _of_send(submission: SubmissionRow, receipts: Sequence[ReceiptRow]) -> str:
    """Return what about the send speaks against a receipt's going."""
    if submission.state is not SubmissionState.SUBMITTED:
        return say("what was sent is in doubt")
    if submission.claim is ClaimBasis.WORD:
        return say("that it was sent is a person's word")
    if any(one.basis is ReceiptBasis.ROW for one in receipts):
        return say("texts of other receipts are still to be read")
    texts = [evidence_of(one) for one in receipts if one.basis is ReceiptBasis.TEXT]
    where = standing(submission.recipients, texts)
    if any(one.state not in FINAL_STATES for one in where.recipients):
        return say("what was sent is not over for every recipient")
    if any(one.conflict for one in where.recipients):
        return say("its receipts contradict each other")
    return ""


async def _kept_digest(tx: ReadTransaction, remote: RemoteId) -> bytes:
    """Return the digest of the text that is here, of an empty one if there is none."""
    digest, at = sha256(), 0
    while piece := await tx.remote_body_slice(remote, at, SLICE_BYTES):
        digest.update(piece)
        at += len(piece)
    return digest.digest()
