"""Whether petitnet's packages are what `import` finds: their names are short, and others use them too."""

from __future__ import annotations

import importlib
import json
import sys
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from search.findings import Finding

NAMES = "search", "space", "workers", "dashboards"


def check_names() -> list[Finding]:
    """One finding for each of petitnet's packages."""
    importlib.invalidate_caches()
    others = metadata.packages_distributions()
    return [_name_finding(name, set(others.get(name, []))) for name in NAMES]


def _name_finding(name: str, distributions: set[str]) -> Finding:
    ours = _installed() / name
    for found in map(_place, (find_spec(name), PathFinder.find_spec(name), _from_here(name))):
        if found is not None and found.resolve() != ours.resolve():
            remedy = "rename it, or take it off PYTHONPATH and search from another directory"
            return Finding(f"package {name}", False, f"{found} is in the way of {ours}", remedy)
    others = sorted(other for other in distributions if other.lower() != "petitnet")
    if others:
        remedy = "install petitnet into an environment of its own"
        return Finding(f"package {name}", False, f"{ours}, but {', '.join(others)} has a {name} as well", remedy)
    return Finding(f"package {name}", True, str(ours))


def _installed() -> Path:
    """The directory that petitnet's packages are in: site-packages, or the source of an editable install."""
    distribution = metadata.distribution("petitnet")
    told = json.loads(distribution.read_text("direct_url.json") or "{}")
    if told.get("dir_info", {}).get("editable"):
        return Path(url2pathname(urlsplit(told["url"]).path))
    return Path(str(distribution.locate_file("")))


def _from_here(name: str) -> ModuleSpec | None:
    """What a process finds that looks into the current directory first, as `python -m` and Ray's workers do."""
    return PathFinder.find_spec(name, [str(Path.cwd()), *sys.path])


def _place(spec: ModuleSpec | None) -> Path | None:
    """The directory of a package, the file of a module."""
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(str(spec.origin))
