"""Makes standards/src/amf/registry.tsv of the ACES project's transform registry.

    python3 tests/oracles/aces_registry.py ../shared/data/aces/transforms.json > standards/src/amf/registry.tsv

Source: `transforms.json` of github.com/aces-aswf/aces (Apache-2.0, Copyright
Contributors to the ACES Project), all releases. What is kept of a transform is
its id without the urn, which urn it has, its name for people, and the ids that
it replaces. Ids from before the urns are left out where one of the same text has one.
"""

import json
import sys

URNS = {"2": "urn:ampas:aces:transformId:v2.0:", "1": "urn:ampas:aces:transformId:v1.5:"}


def split(identity):
    for mark, urn in URNS.items():
        if identity.startswith(urn):
            return mark, identity[len(urn):]
    return "0", identity


releases = json.load(open(sys.argv[1], encoding="utf-8"))["transformsData"]
rows = {}
for release in releases.values():
    for transform in release["transforms"]:
        mark, rest = split(transform["transformId"])
        known = rows.get(rest)
        replaces = [split(i)[1] for i in transform.get("previousEquivalentTransformIds") or []]
        replaces = [i for i in replaces if i != rest]
        if known is None or known[0] < mark:
            rows[rest] = (mark, transform["userName"].strip(), replaces)

print("# Transform ids of the ACES project (github.com/aces-aswf/aces, transforms.json).")
print("# Apache-2.0, Copyright Contributors to the ACES Project. Made by tests/oracles/aces_registry.py.")
print("# id without urn; 2 = urn of v2.0, 1 = urn of v1.5, 0 = none; name; ids that it replaces")
for rest in sorted(rest for rest in rows if rest):
    mark, name, replaces = rows[rest]
    print("\t".join([rest, mark, name, " ".join(replaces)]).rstrip("\t"))
