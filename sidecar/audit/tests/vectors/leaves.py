"""Makes leaves.json from docs/spec/log.md alone: its own CBOR, its own hashing.

    python3 leaves.py > leaves.json
"""
import hashlib, json, struct


def head(major, n):
    for limit, info, fmt in ((24, None, None), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I"), (1 << 64, 27, ">Q")):
        if n < limit:
            return bytes([major << 5 | n]) if info is None else bytes([major << 5 | info]) + struct.pack(fmt, n)


class Link(bytes):
    pass


def cbor(x):
    if x is None:
        return b"\xf6"
    if isinstance(x, Link):
        return head(6, 42) + cbor(b"\x00" + bytes(x))
    if isinstance(x, int):
        return head(0, x)
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        return head(3, len(x.encode())) + x.encode()
    if isinstance(x, list):
        return head(4, len(x)) + b"".join(map(cbor, x))
    keys = sorted(x, key=lambda k: (len(k.encode()), k.encode()))
    return head(5, len(x)) + b"".join(cbor(k) + cbor(x[k]) for k in keys)


def cid(block):
    return Link(b"\x01\x71\x12\x20" + hashlib.sha256(block).digest())


def text(link):
    digits, number = "", int.from_bytes(link, "big") << (-len(link) * 8 % 5)
    for _ in range((len(link) * 8 + 4) // 5):
        digits, number = "abcdefghijklmnopqrstuvwxyz234567"[number & 31] + digits, number >> 5
    return "b" + digits


def sha(domain, *parts):
    return hashlib.sha256(b"".join(struct.pack(">Q", len(p)) + p for p in (domain.encode(),) + parts)).digest()


commit, other, preimage = cid(b"commit"), cid(b"other"), cbor({"what": "a document"})
document = cid(preimage)
actor = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
contents = [
    ("commit-held", {"commit": commit, "document": document, "signature": sha("holdfast/commit-signature/1", b"\x07" * 64), "height": 41, "revision": 3, "origin": "peer"}),
    ("commit-refused", {"commit": commit, "document": document, "author": actor, "reason": "not-permitted", "detail": "no", "height": 2**40, "revision": 0}),
    ("decision", {"actor": actor, "resource": "batch", "object": text(document), "permission": "edit", "outcome": "could-not-tell", "revision": 23, "height": 24, "engine": 1, "reason": "stale", "action": "document.update", "time": 1795000000, "stale_seconds": 255, "document": None, "preimage": preimage}),
    ("denials-overflow", {"count": 256, "root": b"\x05" * 32, "first_time": 65535, "last_time": 65536}),
    ("rollback", {"commit": commit, "document": document, "targets": sorted([commit, other]), "author": actor, "height": 9, "revision": 1}),
    ("decision", {"actor": actor, "resource": "cell", "object": "1", "permission": "look", "outcome": "allow", "revision": 23, "height": 65536, "engine": 2, "reason": "", "action": "document.read", "time": 2**32, "stale_seconds": 0, "document": None, "preimage": None, "asked_at": {"seconds": 1795000027, "nanos": 999999999}, "context": '{"from":"10.0.0.1","number":7}'}),
    ("decision", {"actor": actor, "resource": "cell", "object": "1", "permission": "look", "outcome": "deny", "revision": 0, "height": 23, "engine": 2, "reason": "number is missing", "action": "document.read", "time": 0, "stale_seconds": 0, "document": None, "preimage": None, "asked_at": {"seconds": 0, "nanos": 0}}),
]
vectors, previous = [], None
for index, (kind, fields) in enumerate(contents, start=700):
    salt, content = bytes([index & 255]) * 16, cbor({kind: fields})
    commitment = sha("holdfast/leaf-content/1", salt, content)
    link = b"" if previous is None else struct.pack(">Q", previous[0]) + previous[1]
    leaf = sha("holdfast/leaf/1", struct.pack(">Q", index), commitment, link)
    leaf_hash = hashlib.sha256(b"\x00" + leaf).digest()
    vectors.append({
        "kind": kind, "index": index, "salt": salt.hex(), "content": content.hex(),
        "previous": previous and {"index": previous[0], "leaf_hash": previous[1].hex()},
        "content_commitment": commitment.hex(), "leaf": leaf.hex(), "leaf_hash": leaf_hash.hex(),
    })
    previous = (index, leaf_hash)
print(json.dumps(vectors, indent=1))
