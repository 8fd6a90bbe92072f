"""Proofs of flows and of the files of their sub-flows: what is told of a file that several use, and of one by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve

from callflow.cli._course import Ended, Proofs
from callflow.cli._proofs import Asked
from callflow.core.flow import ROOT, Flow
from callflow.errors import Defect
from callflow.flowfile.loader import read
from callflow.proof.codes import IN_NO_CALL
from callflow.proof.hosts import hosts_of, in_all
from callflow.proof.proved import Proved, Told

Prove = Callable[[Sequence[Asked]], Proofs]


def proofs_with_subflows(flows: Sequence[Asked], alone: Sequence[Flow], prove: Prove) -> Proofs:
    """Proves flows, and files that are sub-flows by themselves (`alone`).

    What is wrong in the file of a sub-flow is told once, whoever uses it. What no call of one host shows (a row that is never taken)
    other hosts may need: it is told only where no call of the file by itself shows it either.
    """
    by_itself = {flow.file: hosts_of(flow) for flow in alone}
    proofs = prove([*flows, *(Asked(*host) for hosts in by_itself.values() for host in hosts)])
    each, ended = dict(proofs.each), proofs.ended
    for file, hosts in by_itself.items():
        found = [each.pop(host.flow.file) for host in hosts if host.flow.file in each]
        if hosts and len(found) == len(hosts):
            each[file] = in_all(found, file)
    if not ended:
        shown = {file: _by_itself(file, prove) for file in dict.fromkeys(_doubtful(flows, each))}
        each = {file: _left_of(one, file, shown) for file, one in each.items()}
    return Proofs(_told_once(each), ended)


def _doubtful(flows: Sequence[Asked], each: Mapping[str, Proved]) -> Iterator[str]:
    """The files of sub-flows of which a host tells what no call shows."""
    for flow, *_ in flows:
        inside = {scope.file for path, scope in flow.scopes.items() if path != ROOT}
        for one in each[flow.file].told if flow.file in each else ():
            if one.defect.code in IN_NO_CALL and one.defect.file in inside:
                yield one.defect.file


def _by_itself(file: str, prove: Prove) -> Proved | None:
    """What is proved of a sub-flow by itself; None where that is not known."""
    flow, _ = read(file)
    hosts = () if flow is None else hosts_of(flow)
    proofs = prove([Asked(*host) for host in hosts])
    if not hosts or proofs.ended is not Ended.NOT:
        return None
    found = in_all([*proofs.each.values()], file)
    return found if found.finished else None


def _left_of(proved: Proved, file: str, shown: Mapping[str, Proved | None]) -> Proved:
    """Without what no call shows of a sub-flow in this host alone."""

    def is_so(one: Told) -> bool:
        alone = shown.get(one.defect.file)
        if one.defect.code not in IN_NO_CALL or one.defect.file == file or alone is None:
            return True
        return any(_which(one.defect) == _which(other.defect) for other in (*alone.told, *alone.accepted))

    return evolve(proved, told=tuple(filter(is_so, proved.told)))


def _told_once(each: Mapping[str, Proved]) -> dict[str, Proved]:
    """What several tell of one file the first of them tells."""
    told: set[tuple[str, str, int]] = set()
    found = {}
    for file, proved in each.items():
        new = [one for one in proved.told if _which(one.defect) not in told]
        told |= {_which(one.defect) for one in new if one.defect.file != file}
        found[file] = evolve(proved, told=tuple(new))
    return found


def _which(defect: Defect) -> tuple[str, str, int]:
    return defect.code, os.path.realpath(defect.file), defect.line
