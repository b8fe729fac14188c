#!/usr/bin/env python3
"""Writes shared-key.json: proofs of the shared key, computed from the text of the specification alone.

Usage: python3 generate-shared-key.py > shared-key.json
"""
import hashlib
import hmac
import json
import struct


def hello(methods, incarnation, nonce, cluster, server, address="", target="", extensions=b""):
    payload = struct.pack(">HHQIIIIIIQ", 1, 1, 0, methods, 65536, 262144, 64, 256, 8, incarnation) + nonce
    for text in (cluster, server, address, target):
        encoded = text.encode()
        payload += struct.pack(">H", len(encoded)) + encoded
    payload += extensions
    # Type 1, no flags, no class, no encoding, the length, stream 0.
    return struct.pack(">BBBBIQ", 1, 0, 0, 0, len(payload), 0) + payload


def proof(key, label, dialler, acceptor):
    message = label.encode()
    for frame in (dialler, acceptor):
        message += struct.pack(">I", len(frame)) + frame
    return hmac.new(key, message, hashlib.sha256).digest()


def case(name, key, dialler, acceptor):
    return {
        "name": name,
        "key": key.hex(),
        "diallerHello": dialler.hex(),
        "acceptorHello": acceptor.hex(),
        "diallerProof": proof(key, "rmux/1 dialler", dialler, acceptor).hex(),
        "acceptorProof": proof(key, "rmux/1 acceptor", dialler, acceptor).hex(),
    }


def nonce(seed):
    return hashlib.sha256(seed.encode()).digest()[:16]


ascending = bytes(range(32))
other = hashlib.sha256(b"another key").digest()
one = hello(4, 7, nonce("one"), "prod", "node-1", "10.0.0.1:8300", "node-2")
two = hello(4, 9, nonce("two"), "prod", "node-2", "10.0.0.2:8300")
cases = [
    case("two servers", ascending, one, two),
    case("the same servers the other way round", ascending, two, one),
    case("another key", other, one, two),
    case("equal HELLOs", ascending, one, one),
    case(
        "methods of a migration, an unknown extension, names beyond ASCII",
        other,
        hello(5, 1, nonce("three"), "Zürich", "ß", "", "", struct.pack(">HH", 0x7000, 3) + b"abc"),
        hello(5, 2**64 - 1, nonce("four"), "Zürich", "\U0001F600", "[::1]:1"),
    ),
]
print(
    json.dumps(
        {
            "about": "Proofs of the shared key: HMAC-SHA-256 over the label of the prover's role and both HELLO "
            "frames, the dialler's first, each with its length as a u32 in front. Made by generate-shared-key.py.",
            "cases": cases,
        },
        indent=1,
        ensure_ascii=False,
    )
)
