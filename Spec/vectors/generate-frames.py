#!/usr/bin/env python3
"""Writes frames.json: frames of RMUX/1 as bytes, with what they say or which rule they break.

Every byte is computed here from the specification, with no code of an implementation:

    python3 generate-frames.py > frames.json
"""

import json
import struct
import zlib

TYPES = {
    "HELLO": 0x01, "AUTH": 0x02, "WELCOME": 0x03, "DATA": 0x10, "CREDIT": 0x11, "RESET": 0x12,
    "STOP": 0x13, "STREAMS": 0x14, "PING": 0x20, "PONG": 0x21, "GOAWAY": 0x22,
}
U64 = 2 ** 64 - 1


def frame(type, payload=b"", flags=0, klass=0, encoding=0, stream=0, length=None, crc=False):
    """Header, payload and trailer; `length` only where the header shall lie."""
    if isinstance(type, str):
        type = TYPES[type]
    length = len(payload) if length is None else length
    bytes = struct.pack(">BBBBIQ", type, flags, klass, encoding, length, stream) + payload
    return bytes + struct.pack(">I", zlib.crc32(bytes)) if crc else bytes


def text(string):
    return struct.pack(">H", len(string.encode())) + string.encode()


def hello_payload(f, extra=b""):
    out = struct.pack(
        ">HHQIIIIII", f["minimumVersion"], f["maximumVersion"], int(f["features"]), f["methods"],
        f["maximumFramePayload"], f["initialWindow"], *f["streamCredit"])
    out += struct.pack(">Q", int(f["incarnation"])) + bytes.fromhex(f["nonce"])
    for name in ("clusterID", "serverID", "address", "targetServerID"):
        out += text(f[name])
    for extension in f["extensions"]:
        value = bytes.fromhex(extension["value"])
        out += struct.pack(">HH", extension["type"], len(value)) + value
    return out + extra


def encode(f, crc):
    """A frame from its fields."""
    kind = f["type"]
    number = lambda key: struct.pack(">Q", int(f[key]))
    code = lambda: struct.pack(">I", f["code"])
    if kind == "HELLO":
        return frame(kind, hello_payload(f), crc=crc)
    if kind == "AUTH":
        return frame(kind, bytes([f["method"]]) + bytes.fromhex(f["proof"]), crc=crc)
    if kind == "WELCOME":
        winner = bytes.fromhex(f["winner"])
        head = code() + bytes([1 if f["route"] else 0, 1 if winner else 0])
        return frame(kind, head + winner + text(f["text"]), crc=crc)
    if kind == "DATA":
        flags = (1 if f["open"] else 0) | (2 if f["fin"] else 0) | (4 if f["more"] else 0)
        payload = bytes.fromhex(f["bytes"])
        klass = encoding = 0
        if f["open"]:
            klass, encoding = f["open"]["class"], f["open"]["encoding"]
            payload = struct.pack(">Q", int(f["open"]["group"])) + payload
        return frame(kind, payload, flags, klass, encoding, int(f["stream"]), crc=crc)
    if kind == "CREDIT":
        return frame(kind, number("limit"), stream=int(f["stream"]), crc=crc)
    if kind in ("RESET", "STOP"):
        return frame(kind, code(), stream=int(f["stream"]), crc=crc)
    if kind == "STREAMS":
        return frame(kind, number("limit"), klass=f["class"], crc=crc)
    if kind in ("PING", "PONG"):
        return frame(kind, bytes.fromhex(f["opaque"]), crc=crc)
    if kind == "GOAWAY":
        return frame(kind, number("lastStream") + code() + text(f["text"]), crc=crc)
    assert kind == "ignorable"
    raw = f["header"]
    return frame(raw["type"], bytes(f["length"]), raw["flags"], raw["class"], raw["encoding"],
                 int(raw["stream"]), crc=crc)


def data(stream, bytes="", open=None, fin=False, more=False):
    return {"type": "DATA", "stream": str(stream), "open": open, "fin": fin, "more": more, "bytes": bytes}


def opening(klass, encoding=0, group=0):
    return {"class": klass, "encoding": encoding, "group": str(group)}


def hello(**changes):
    f = {
        "type": "HELLO", "minimumVersion": 1, "maximumVersion": 1, "features": "1", "methods": 1,
        "maximumFramePayload": 65536, "initialWindow": 262144, "streamCredit": [64, 256, 8],
        "incarnation": "1700000000000000000", "nonce": "00112233445566778899aabbccddeeff",
        "clusterID": "blue", "serverID": "n1", "address": "10.0.0.1:7000", "targetServerID": "n2",
        "extensions": [],
    }
    f.update(changes)
    return f


def welcome(code=0, route=False, winner="", text=""):
    return {"type": "WELCOME", "code": code, "route": route, "winner": winner, "text": text}


def ignorable(type, length, flags=0, klass=0, encoding=0, stream=0):
    header = {"type": type, "flags": flags, "class": klass, "encoding": encoding, "stream": str(stream)}
    return {"type": "ignorable", "length": length, "header": header}


def streams(klass, limit):
    return {"type": "STREAMS", "class": klass, "limit": str(limit)}


def on_stream(type, stream, **rest):
    return {"type": type, "stream": str(stream), **rest}


def goaway(last, code, text=""):
    return {"type": "GOAWAY", "lastStream": str(last), "code": code, "text": text}


MIXED = [
    {"type": "PING", "opaque": "0102030405060708"},
    data(1, "000102030405060708090a", opening(2, group=9), more=True),
    ignorable(0x9C, 3),
    on_stream("CREDIT", 2, limit=str(2 ** 40)),
    data(1, fin=True),
    goaway(8, 0x0C, "bye"),
    on_stream("RESET", 3, code=0x40),
    streams(3, 12),
]

VALID = [
    ("HELLO", [hello()]),
    ("HELLO with the least of everything", [hello(
        features="0", methods=0, maximumFramePayload=4096, initialWindow=16384, streamCredit=[0, 0, 0],
        incarnation="0", nonce="00" * 16, clusterID="c", serverID="s", address="", targetServerID="")]),
    ("HELLO with the most of everything", [hello(
        minimumVersion=65535, maximumVersion=65535, features=str(U64), methods=2 ** 32 - 1,
        initialWindow=67108864, streamCredit=[2 ** 32 - 1] * 3, incarnation=str(U64), nonce="ff" * 16,
        clusterID="c" * 255, serverID="s" * 255, address="a" * 255, targetServerID="t" * 255,
        extensions=[{"type": 65535, "value": "00" * (3072 - 60 - 4 * 257 - 4)}])]),
    ("HELLO with extensions that nobody knows", [hello(extensions=[
        {"type": 0, "value": ""}, {"type": 4660, "value": "0102"}, {"type": 4660, "value": "03"}])]),
    ("HELLO with identifiers beyond ASCII", [hello(clusterID="bl\u00e5", serverID="\u8282\u70b9-1")]),
    ("AUTH without a method", [{"type": "AUTH", "method": 0, "proof": ""}]),
    ("AUTH by TLS", [{"type": "AUTH", "method": 1, "proof": ""}]),
    ("AUTH by a shared key", [{"type": "AUTH", "method": 2, "proof": "5a" * 32}]),
    ("AUTH with the longest proof", [{"type": "AUTH", "method": 2, "proof": "5a" * 256}]),
    ("WELCOME that accepts", [welcome()]),
    ("WELCOME that accepts and takes the route", [welcome(route=True)]),
    ("WELCOME that refuses", [welcome(0x21, text="another cluster")]),
    ("WELCOME that names the winner", [welcome(0x24, winner="00112233445566778899aabbccddeeff", text="twice")]),
    ("WELCOME with an unknown code", [welcome(0xDEADBEEF)]),
    ("WELCOME with the longest text", [welcome(0x28, winner="01" * 16, text="x" * 512)]),
    ("DATA that is a whole request", [data(1, "cafe", opening(1), fin=True)]),
    ("DATA that opens without a stream byte", [data(2, "", opening(2, group=U64))]),
    ("DATA that opens a chunked snapshot", [data(3, "02", opening(3, 1), more=True)]),
    ("DATA in the middle", [data(3, "00ff")]),
    ("DATA that ends", [data(3, "00ff", fin=True)]),
    ("DATA that only ends", [data(3, fin=True)]),
    ("DATA without anything", [data(3)]),
    ("DATA on the highest stream", [data(U64, "00")]),
    ("DATA with a class that is unknown: an error of the stream", [data(5, "00", opening(9))]),
    ("DATA with an encoding that is unknown: an error of the stream", [data(5, "00", opening(3, 200))]),
    ("CREDIT", [on_stream("CREDIT", 1, limit="262144")]),
    ("CREDIT for ever", [on_stream("CREDIT", 2, limit=str(U64))]),
    ("RESET", [on_stream("RESET", 1, code=0x40)]),
    ("STOP", [on_stream("STOP", 2, code=0x4A)]),
    ("STOP with an unknown code", [on_stream("STOP", 2, code=2 ** 32 - 1)]),
    ("STREAMS for elections", [streams(1, 65)]),
    ("STREAMS for appends", [streams(2, 257)]),
    ("STREAMS for snapshots", [streams(3, U64)]),
    ("PING and PONG", [{"type": "PING", "opaque": "0102030405060708"}, {"type": "PONG", "opaque": "ff" * 8}]),
    ("GOAWAY that announces", [goaway(U64, 0x0C)]),
    ("GOAWAY that names the last stream", [goaway(7, 0x0C, "upgrade")]),
    ("GOAWAY with the longest text", [goaway(0, 0x01, "y" * 512)]),
    ("a frame to ignore", [ignorable(0x80, 0)]),
    ("a frame to ignore with everything set", [ignorable(0xFF, 5, 255, 255, 255, U64)]),
    ("the largest frame to ignore", [ignorable(0xB7, 4096)]),
    ("several frames", MIXED),
]


def invalid():
    def case(name, violation, code, requirement, bytes, **more):
        # Frames of the handshake have their place in it; behind it, their headers are looked at like all others.
        place = {"HELLO": "hello", "AUTH": "auth", "WELCOME": "welcome"}.get(name.split()[0], "established")
        if place in ("hello", "auth"):
            out = {"refusal": code, "hex": encode(welcome(code), False).hex()}
        else:
            # Its own WELCOME went out when the peer's AUTH came.
            crc = more.get("crc32", False)
            out = {"goAway": code, "last": "0", "hex": encode(goaway(0, code), crc).hex()}
        return {"name": name, "violation": violation, "code": code, "requirement": requirement, **more,
                "place": place, "hex": bytes.hex(), "out": [out]}

    PROTOCOL, SIZE, SUM, LOAD, LARGE, HELLO = 0x01, 0x02, 0x06, 0x07, 0x09, 0x29
    for type in (0x00, 0x04, 0x0F, 0x15, 0x1F, 0x23, 0x3F):
        yield case(f"type 0x{type:02X}", "unassignedFrameType", PROTOCOL, "R-FRM-8", frame(type))
    for type in (0x40, 0x7F):
        yield case(f"type 0x{type:02X}", "frameNotNegotiated", PROTOCOL, "R-FRM-9", frame(type))
    yield case("an ignorable frame that is too large", "ignorableTooLarge", LOAD, "R-FRM-11", frame(0x80, length=4097))
    for name in ("HELLO", "AUTH", "WELCOME", "STREAMS", "PING", "PONG", "GOAWAY"):
        payload = {"AUTH": b"\0", "GOAWAY": bytes(14), "HELLO": b""}.get(name, bytes(8))
        yield case(f"{name} on a stream", "connectionFrameOnStream", PROTOCOL, "R-FRM-13",
                   frame(name, payload, klass=1 if name == "STREAMS" else 0, stream=1))
    for name in ("DATA", "CREDIT", "RESET", "STOP"):
        payload = {"DATA": b"", "CREDIT": bytes(8)}.get(name, bytes(4))
        yield case(f"{name} on stream 0", "streamFrameOnConnection", PROTOCOL, "R-FRM-14", frame(name, payload))
    for name, right in (("CREDIT", 8), ("RESET", 4), ("STOP", 4), ("STREAMS", 8), ("PING", 8), ("PONG", 8)):
        for length in (0, right - 1, right + 1):
            yield case(f"{name} of {length} bytes", "wrongPayloadLength", SIZE, "R-FRM-15",
                       frame(name, length=length, klass=1 if name == "STREAMS" else 0,
                             stream=1 if name in ("CREDIT", "RESET", "STOP") else 0))
    for length in (0, 13, 527):
        yield case(f"GOAWAY of {length} bytes", "wrongPayloadLength", SIZE, "R-FRM-16", frame("GOAWAY", length=length))
    yield case("GOAWAY whose text is cut off", "malformedGoAway", SIZE, "R-FRM-16", frame("GOAWAY", bytes(13) + b"\1"))
    yield case("GOAWAY with a byte behind its text", "malformedGoAway", SIZE, "R-FRM-16", frame("GOAWAY", bytes(15)))
    yield case("DATA above our limit", "frameTooLarge", SIZE, "R-FRM-6",
               frame("DATA", stream=1, length=4097), maximumFramePayload=4096)
    yield case("DATA above every limit", "frameTooLarge", SIZE, "R-FRM-6", frame("DATA", stream=1, length=65537))
    yield case("DATA of the greatest length", "frameTooLarge", SIZE, "R-FRM-6", frame("DATA", stream=1, length=2 ** 32 - 1))
    for bit in (0x08, 0x10, 0x20, 0x40, 0x80):
        yield case(f"DATA with flag 0x{bit:02X}", "unknownFlags", PROTOCOL, "R-FRM-18", frame("DATA", flags=bit, stream=1))
    for name in ("CREDIT", "RESET", "STOP", "STREAMS", "PING", "PONG", "GOAWAY", "HELLO", "AUTH", "WELCOME"):
        on = name in ("CREDIT", "RESET", "STOP")
        length = {"RESET": 4, "STOP": 4, "GOAWAY": 14, "HELLO": 0, "AUTH": 1}.get(name, 8)
        klass = 1 if name == "STREAMS" else 0
        yield case(f"{name} with a flag", "unknownFlags", PROTOCOL, "R-FRM-18",
                   frame(name, flags=1, klass=klass, stream=int(on), length=length))
        if name != "STREAMS":
            yield case(f"{name} with a class", "classOutOfPlace", PROTOCOL, "R-FRM-19",
                       frame(name, klass=1, stream=int(on), length=length))
        yield case(f"{name} with an encoding", "encodingOutOfPlace", PROTOCOL, "R-FRM-20",
                   frame(name, klass=klass, encoding=1, stream=int(on), length=length))
    yield case("DATA with a class, not opening", "classOutOfPlace", PROTOCOL, "R-FRM-19", frame("DATA", klass=2, stream=1))
    yield case("DATA with an encoding, not opening", "encodingOutOfPlace", PROTOCOL, "R-FRM-20",
               frame("DATA", encoding=1, stream=1))
    for klass in (0, 4, 255):
        yield case(f"STREAMS for class {klass}", "streamsWithoutClass", PROTOCOL, "R-FRM-21",
                   frame("STREAMS", bytes(8), klass=klass))
    for length in (0, 7):
        yield case(f"DATA that opens with {length} bytes", "openingWithoutGroup", SIZE, "R-FRM-25",
                   frame("DATA", flags=1, klass=2, stream=1, length=length))
    for name, fields in (("AUTH", {"method": 0, "proof": "00"}), ("AUTH", {"method": 1, "proof": "0102"})):
        yield case(f"AUTH with a proof for method {fields['method']}", "malformedAuthentication", PROTOCOL, "R-HSK-39",
                   encode({"type": name, **fields}, False))
    for label, tail in (("a winner of 2", b"\0\2\0\0"), ("a winner that is cut off", b"\0\1\0\0"),
                        ("a text that is cut off", b"\0\0\0\1"), ("a byte behind its text", b"\0\0\0\0A")):
        yield case(f"WELCOME with {label}", "malformedWelcome", PROTOCOL, "R-HSK-26",
                   frame("WELCOME", struct.pack(">I", 0x24) + tail))
    for name, lengths in (("HELLO", (3073, 4072)), ("AUTH", (0, 258)), ("WELCOME", (0, 7, 537))):
        for length in lengths:
            yield case(f"{name} of {length} bytes", "wrongPayloadLength", SIZE, "R-HSK-43",
                       frame(name, length=length), handshake=True)
    yield case("HELLO that alone is too large for a handshake", "handshakeTooLarge", LARGE, "R-HSK-31",
               frame("HELLO", length=4073), handshake=True)
    for name, stream, place in (("PING", 0, 0), ("PING", 0, 20), ("PING", 0, 27), ("DATA", 1, 17), ("DATA", 1, 27)):
        whole = bytearray(frame(name, bytes(range(8)), stream=stream, crc=True))
        whole[place] ^= 0x01
        yield case(f"{name} with byte {place} changed", "checksumMismatch", SUM, "R-FRM-31", bytes(whole), crc32=True)

    def bad_hello(name, f, extra=b"", cut=None):
        payload = hello_payload(f, extra)[:cut]
        return case(f"HELLO {name}", "malformedHello", HELLO, "R-HSK-4", frame("HELLO", payload))

    yield bad_hello("of nothing", hello(), cut=0)
    yield bad_hello("that ends in its nonce", hello(), cut=59)
    yield bad_hello("that ends in its target", hello(), cut=-1)
    yield bad_hello("from version 0", hello(minimumVersion=0))
    yield bad_hello("from version 2 to 1", hello(minimumVersion=2))
    yield bad_hello("with frames of 4,095 bytes", hello(maximumFramePayload=4095))
    yield bad_hello("with frames of 65,537 bytes", hello(maximumFramePayload=65537))
    yield bad_hello("with a window of 16,383 bytes", hello(initialWindow=16383))
    yield bad_hello("with a window of 64 MiB and 1 byte", hello(initialWindow=67108865))
    yield bad_hello("without a cluster", hello(clusterID=""))
    yield bad_hello("without a server", hello(serverID=""))
    yield bad_hello("with a server of 256 bytes", hello(serverID="s" * 256))
    yield bad_hello("with an address of 256 bytes", hello(address="a" * 256))
    yield bad_hello("with half an extension", hello(), extra=b"\0\1\0\2\0")
    broken = bytearray(hello_payload(hello()))
    broken[62] = 0xFF
    yield case("HELLO with a cluster that is no UTF-8", "malformedHello", HELLO, "R-HSK-4", frame("HELLO", bytes(broken)))


def main():
    valid = []
    for name, frames in VALID:
        handshake = frames[0]["type"] in ("HELLO", "AUTH", "WELCOME")
        for crc in (False,) if handshake else (False, True):
            valid.append({"name": name, "crc32": crc, "frames": frames,
                          "hex": b"".join(encode(f, crc) for f in frames).hex()})
    about = (
        "Frames of RMUX/1, without the preface. valid: hex holds exactly these frames. invalid: reading hex "
        "ends with this code, before or at its last byte; violation names the rule for people; place and out say what answers it: "
        "see README.md. Numbers of 64 bits are "
        "strings. crc32: frames have checksums. handshake: the frame is the first of its direction. "
        "maximumFramePayload: what the reader announced, 65,536 where it is not given. The payload of frames to ignore "
        "is zeroes. Produced by generate-frames.py from the specification alone.")
    lines = lambda items: ",\n".join("    " + json.dumps(item, ensure_ascii=True) for item in items)
    print("{")
    print(f'  "about": {json.dumps(about)},')
    print('  "valid": [\n' + lines(valid) + "\n  ],")
    print('  "invalid": [\n' + lines(list(invalid())) + "\n  ]")
    print("}")


main()
