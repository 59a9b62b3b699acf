"""``tour doctor``: what this machine can do, what each missing thing costs a learner, and what mends it."""

from __future__ import annotations

import json

from tour.agent.probes import Finding, have, probe
from tour.cli.connect import requirements
from tour.cli.output import tell
from tour.errors import CapabilityMissing
from tour.i18n import Lang, local, t
from tour.lesson.progress import Keeper, state_dir


def examine(lang: Lang, state: str, *, as_json: bool, strict: bool) -> int:
    """Print every finding; 3 when something is missing that ``strict`` or TOUR_REQUIRE wants, else 0."""
    findings = probe()
    lacking = missing(findings, strict=strict)
    keeper = Keeper(state_dir(state))
    if as_json:
        tell(json.dumps(facts(findings, lacking, str(keeper.path)), ensure_ascii=False))
    else:
        for finding in findings:
            _print(finding, lang)
        tell(t(lang, "doctor.kept", path=keeper.path))
        tell(t(lang, "doctor.verdict_bad", names=", ".join(lacking)) if lacking else t(lang, "doctor.verdict_good"))
    return CapabilityMissing.exit_code if lacking else 0


def missing(findings: list[Finding], *, strict: bool) -> list[str]:
    """Names of what is missing and wanted."""
    known = {finding.name for finding in findings} | {"lab"}
    wanted = {name for name in requirements() if name in known}
    if strict:
        wanted |= {finding.name for finding in findings if not finding.optional}
    return sorted(name for name in wanted if not have(findings, name))


def _print(finding: Finding, lang: Lang) -> None:
    mark = "ok" if finding.ok else "--"
    tell(f"{mark}  {t(lang, 'doctor.line', name=t(lang, f'doctor.name.{finding.name}'), words=finding.words(lang))}")
    if not finding.ok:
        tell(f"      {finding.cost(lang)}")
        if finding.fix:
            tell(f"      {t(lang, 'cli.mend', fix=local(lang, finding.fix))}")


def facts(findings: list[Finding], lacking: list[str], path: str) -> dict[str, object]:
    """The same for programs; in English."""
    return {
        "schema": "vhost-tour/doctor/1",
        "progress": path,
        "missing": lacking,
        "capabilities": [
            {
                "name": one.name, "ok": one.ok, "optional": one.optional, "detail": one.detail, "what": one.what,
                "why": one.why, "fix": one.fix, "cost": "" if one.ok else one.cost("en"),
            }
            for one in findings
        ],
    }  # fmt: skip
