"""What a check found: a verdict, the evidence for it, and what mends it. Values only.

``code`` says the same in words that this program chose, without a name, an address or a text from
outside: what may be handed on to strangers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """One thing that was looked at; ``mend`` is "" where there is nothing to do."""

    check: str
    verdict: Verdict
    evidence: str
    mend: str = ""
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what people and programs are told."""
        return {
            "check": self.check,
            "verdict": self.verdict,
            "evidence": self.evidence,
            "mend": self.mend or None,
        }


def ok(check: str, evidence: str, code: str = "") -> CheckFinding:
    """Return that something is as it should be."""
    return CheckFinding(check, "ok", evidence, code=code)


def warning(check: str, evidence: str, mend: str, code: str = "") -> CheckFinding:
    """Return that something works and will not for long, or not well.

    Args:
        check: what was looked at.
        evidence: what was seen.
        mend: what mends it.
        code: see the module.
    """
    return CheckFinding(check, "warning", evidence, mend, code)


def failed(check: str, evidence: str, mend: str, code: str = "") -> CheckFinding:
    """Return that something does not work.

    Args:
        check: what was looked at.
        evidence: what was seen.
        mend: what mends it.
        code: see the module.
    """
    return CheckFinding(check, "failed", evidence, mend, code)


def skipped(check: str, why: str, code: str = "") -> CheckFinding:
    """Return that something could not be looked at, or need not be."""
    return CheckFinding(check, "skipped", why, code=code)
