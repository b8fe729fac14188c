#!/usr/bin/env python3
"""Writes conversations.json: what an endpoint of RMUX/1 answers to bytes and to time.

Every byte is computed here from the specification, with no code of an implementation:

    python3 generate-conversations.py > conversations.json
"""

import json
import struct
import zlib

PREFACE = bytes.fromhex("ac524d580d0a1a0a")
TYPES = {
    "HELLO": 0x01, "AUTH": 0x02, "WELCOME": 0x03, "DATA": 0x10, "CREDIT": 0x11, "RESET": 0x12,
    "STOP": 0x13, "STREAMS": 0x14, "PING": 0x20, "PONG": 0x21, "GOAWAY": 0x22,
}
CODES = {
    entry["name"]: entry["value"]
    for entry in json.load(open(__file__.rsplit("/", 1)[0] + "/../tables/error-codes.json"))["errorCodes"]
}
OPEN, FIN, MORE = 1, 2, 4
ELECTION, APPEND, SNAPSHOT = 1, 2, 3
SOON = 2 ** 64 - 1


def frame(kind, payload=b"", flags=0, klass=0, encoding=0, stream=0):
    kind = TYPES.get(kind, kind)
    return struct.pack(">BBBBIQ", kind, flags, klass, encoding, len(payload), stream) + payload


def hello(server, nonce, target="", cluster="blue", incarnation=7, versions=(1, 1), methods=1, window=16384,
          features=0, streams=(64, 256, 8)):
    out = struct.pack(">HHQIIIIII", *versions, features, methods, 65536, window, *streams)
    out += struct.pack(">Q", incarnation) + bytes([nonce]) * 16
    for string in (cluster, server, "", target):
        out += struct.pack(">H", len(string)) + string.encode()
    return frame("HELLO", out)


def auth(method=0, proof=b""):
    return frame("AUTH", bytes([method]) + proof)


def welcome(code=0, text=""):
    return frame("WELCOME", struct.pack(">IBBH", code, 0, 0, len(text)) + text.encode())


def open_(stream, klass, data=b"", fin=False, encoding=0, group=0):
    flags = OPEN | (FIN if fin else 0)
    return frame("DATA", struct.pack(">Q", group) + data, flags, klass, encoding, stream)


def data(stream, payload=b"", fin=False):
    return frame("DATA", payload, FIN if fin else 0, stream=stream)


def number(kind, value, stream=0, klass=0):
    return frame(kind, struct.pack(">Q", value), klass=klass, stream=stream)


def code(kind, stream, name):
    return frame(kind, struct.pack(">I", CODES.get(name, name)), stream=stream)


def go_away(last, name, text=""):
    return frame("GOAWAY", struct.pack(">QIH", last, CODES.get(name, name), len(text)) + text.encode())


def summed(frame):
    """A frame with its checksum."""
    return frame + struct.pack(">I", zlib.crc32(frame))


def run(stream, count, klass=None, fin=False):
    """DATA frames that carry so many bytes x, cut in any way."""
    said = {"stream": str(stream), "byte": "78", "count": count, "fin": fin}
    return {"run": said if klass is None else {**said, "class": klass}}


def opens(klass, count, fin=False):
    return {"open": klass, "byte": "78", "count": count, "fin": fin}


def consumes(stream, count):
    return {"consume": str(stream), "count": count}


def receives(*frames):
    return {"in": b"".join(frames).hex()}


def sends(*frames):
    return {"out": [f if isinstance(f, dict) else {"hex": f.hex()} for f in frames]}


def ends(name, last=0):
    return {"goAway": CODES[name], "last": str(last)}


def refuses(name):
    return {"refusal": CODES[name]}


def at(milliseconds):
    return {"at": milliseconds}


CLOSES = {"closesOutput": True}
END = {"endOfInput": True}
OWN, PEER = 0x11, 0x22
CONVERSATIONS = []


def conversation(name, role, requirements, *steps, **options):
    CONVERSATIONS.append({"name": name, "role": role, "requirements": requirements, **options, "steps": list(steps)})


def accepting(name, requirements, *steps):
    """An acceptor behind its handshake."""
    conversation(
        name, "acceptor", requirements,
        receives(PREFACE, hello("peer", PEER, target="self"), auth(), welcome()),
        sends(PREFACE, hello("self", OWN), auth(), welcome()), *steps)


def dialling(name, requirements, *steps, **peer):
    """A dialler behind its handshake."""
    conversation(
        name, "dialler", requirements,
        sends(PREFACE, hello("self", OWN, target="peer")),
        receives(PREFACE, hello("peer", PEER, **peer), auth()),
        sends(auth(), welcome()), receives(welcome()), *steps)


def offering_checksums(name, requirements, *steps, peers_features=1):
    """An acceptor behind its handshake that offers checksums, and a peer that does so, too, or does not."""
    conversation(
        name, "acceptor", requirements,
        receives(PREFACE, hello("peer", PEER, target="self", features=peers_features), auth(), welcome()),
        sends(PREFACE, hello("self", OWN, features=1), auth(), welcome()), *steps,
        features=1, crc32=peers_features & 1 == 1)


# The handshake.
accepting("an acceptor's handshake", ["R-FRM-1", "R-HSK-3", "R-HSK-16", "R-HSK-18"])
dialling("a dialler's handshake", ["R-HSK-2", "R-HSK-16", "R-HSK-20"])
conversation(
    "an acceptor says nothing before it has the HELLO", "acceptor", ["R-FRM-2", "R-FRM-33"],
    receives(PREFACE), sends(), receives(hello("peer", PEER)[:-1]), sends())
conversation(
    "a stranger is not answered", "acceptor", ["R-FRM-3"], receives(b"GET / HTTP/1.1\r\n"), sends(), CLOSES)
conversation(
    "a stranger with our first byte is not answered", "acceptor", ["R-FRM-3"],
    receives(bytes([0xAC, 0x52, 0x4D, 0x59])), sends(), CLOSES)
for title, arguments, name, requirement in [
    ("another cluster", {"cluster": "green"}, "wrongCluster", "R-HSK-33"),
    ("another target", {"target": "other"}, "wrongServer", "R-HSK-34"),
    ("our own server ID", {"server": "self"}, "selfConnection", "R-HSK-36"),
    ("later versions only", {"versions": (2, 9)}, "unsupportedVersion", "R-HSK-10"),
    ("no method", {"methods": 0}, "unauthenticated", "R-HSK-13"),
    ("a window that is too small", {"window": 16383}, "malformedHello", "R-HSK-4"),
]:
    arguments = {"server": "peer", "nonce": PEER, **arguments}
    conversation(
        f"an acceptor refuses {title}", "acceptor", [requirement, "R-HSK-23"],
        receives(PREFACE, hello(**arguments)), sends(PREFACE, hello("self", OWN), refuses(name)), CLOSES)
conversation(
    "a dialler refuses another server than it wanted", "dialler", ["R-HSK-35"],
    sends(PREFACE, hello("self", OWN, target="peer")), receives(PREFACE, hello("other", PEER)),
    sends(refuses("wrongServer")), CLOSES)
conversation(
    "a dialler refuses its own nonce", "dialler", ["R-HSK-36"],
    sends(PREFACE, hello("self", OWN, target="peer")), receives(PREFACE, hello("peer", OWN)),
    sends(refuses("selfConnection")), CLOSES)
conversation(
    "a method that was not agreed on", "acceptor", ["R-HSK-17"],
    receives(PREFACE, hello("peer", PEER)), sends(PREFACE, hello("self", OWN), auth()),
    receives(auth(1)), sends(refuses("unauthenticated")), CLOSES)
conversation(
    "a proof where there is none", "acceptor", ["R-HSK-39"],
    receives(PREFACE, hello("peer", PEER)), sends(PREFACE, hello("self", OWN), auth()),
    receives(auth(0, b"x")), sends(refuses("protocolViolation")), CLOSES)
conversation(
    "DATA in the handshake", "acceptor", ["R-HSK-29"],
    receives(PREFACE, hello("peer", PEER)), sends(PREFACE, hello("self", OWN), auth()),
    receives(open_(1, APPEND, b"x")), sends(refuses("protocolViolation")), CLOSES)
conversation(
    "no HELLO for five seconds", "acceptor", ["R-HSK-32"],
    receives(PREFACE), at(4999), sends(), at(5000),
    sends(PREFACE, hello("self", OWN), refuses("handshakeTimeout")), CLOSES)
conversation(
    "no WELCOME for five seconds", "acceptor", ["R-HSK-32"],
    receives(PREFACE, hello("peer", PEER), auth()), sends(PREFACE, hello("self", OWN), auth(), welcome()),
    at(4999), sends(), at(5000), sends(ends("handshakeTimeout")), CLOSES)
conversation(
    "a peer that refuses behind AUTH", "dialler", ["R-HSK-22", "R-HSK-23"],
    sends(PREFACE, hello("self", OWN, target="peer")), receives(PREFACE, hello("peer", PEER)), sends(auth()),
    receives(auth()), sends(welcome()), receives(welcome(CODES["busy"], "full")), sends(), CLOSES)

# Streams that end in good order.
accepting(
    "a request and its answer", ["R-STR-1", "R-STR-20", "R-FRM-24"],
    receives(open_(1, APPEND, b"request", fin=True)), sends(),
    {"answer": "1", "bytes": b"answer".hex()}, sends(data(1, b"answer", fin=True)))
dialling(
    "a request of our own", ["R-STR-1", "R-STR-10"],
    {"open": APPEND, "bytes": b"request".hex(), "fin": True}, sends(open_(1, APPEND, b"request", fin=True)),
    receives(data(1, b"answer", fin=True)), sends())
accepting(
    "a request that comes in pieces", ["R-FRM-26"],
    receives(open_(1, ELECTION), data(1, b"re"), data(1), data(1, b"quest"), data(1, fin=True)), sends(),
    {"answer": "1", "bytes": b"answer".hex()}, sends(data(1, b"answer", fin=True)))
accepting(
    "STOP on a half that was not ended", ["R-STR-15", "R-STR-25"],
    receives(open_(1, APPEND, b"x"), code("STOP", 1, "cancelled")), sends(code("RESET", 1, "cancelled")))
accepting(
    "STOP with an unknown code", ["R-STR-15"],
    receives(open_(1, APPEND, b"x"), code("STOP", 1, 0x10001)), sends(code("RESET", 1, 0x10001)))
accepting(
    "STOP with the code 0", ["R-ERR-5"],
    receives(open_(1, APPEND, b"x"), code("STOP", 1, 0)), sends(code("RESET", 1, "cancelled")))
accepting(
    "RESET behind FIN is ignored", ["R-STR-14"],
    receives(open_(1, APPEND, b"x", fin=True), code("RESET", 1, "cancelled"), number("PING", 5)),
    sends(number("PONG", 5)))
accepting(
    "frames about a stream that is over are ignored", ["R-STR-16", "R-STR-17", "R-STR-18"],
    receives(open_(1, APPEND, b"x", fin=True)), sends(), {"answer": "1", "bytes": "61"},
    sends(data(1, b"a", fin=True)),
    receives(number("CREDIT", 2 ** 40, stream=1), code("STOP", 1, "cancelled"), code("RESET", 1, "cancelled"),
             number("PING", 6)),
    sends(number("PONG", 6)))

# Streams that are refused.
for title, arguments, name, requirement in [
    ("class 4", {"klass": 4}, "unknownClass", "R-STR-5"),
    ("class 0", {"klass": 0}, "unknownClass", "R-STR-5"),
    ("encoding 2", {"klass": SNAPSHOT, "encoding": 2}, "unknownEncoding", "R-STR-6"),
    ("chunks of class append", {"klass": APPEND, "encoding": 1}, "unknownEncoding", "R-STR-7"),
    ("another group", {"klass": APPEND, "group": 5}, "unknownGroup", "R-STR-8"),
]:
    for fin in (False, True):
        accepting(
            f"a stream of {title}" + (", whole" if fin else ""), [requirement, "R-ERR-1"],
            receives(open_(1, data=b"x", fin=fin, **arguments)),
            sends(code("RESET", 1, name), code("STOP", 1, name)),
            *([] if fin else [receives(data(1, b"more"), data(1, fin=True))]),
            receives(number("PING", 9)), sends(number("PONG", 9)))

# Faults that end the connection.
for title, requirement, name, last, frames in [
    ("a frame of an unassigned type", "R-FRM-8", "protocolViolation", 0, [frame(0x3F)]),
    ("a frame that was not negotiated", "R-FRM-9", "protocolViolation", 0, [frame(0x40)]),
    ("an ignorable frame that is too large", "R-FRM-11", "excessiveLoad", 0, [frame(0x80, bytes(4097))]),
    ("PING of 7 bytes", "R-FRM-15", "frameSize", 0, [frame("PING", bytes(7))]),
    ("PING with a flag", "R-FRM-18", "protocolViolation", 0, [frame("PING", bytes(8), flags=1)]),
    ("a second WELCOME", "R-HSK-28", "protocolViolation", 0, [welcome()]),
    ("an id that leaves one out", "R-STR-2", "protocolViolation", 1, [open_(1, APPEND, b"x"), open_(5, APPEND)]),
    ("an id of the other side", "R-STR-2", "protocolViolation", 0, [open_(2, APPEND)]),
    ("DATA on no stream", "R-STR-3", "protocolViolation", 0, [data(1, b"x")]),
    ("CREDIT on a stream that we never opened", "R-STR-3", "protocolViolation", 0,
     [number("CREDIT", 2 ** 20, stream=2)]),
    ("DATA behind FIN", "R-STR-12", "streamState", 1, [open_(1, APPEND, b"x", fin=True), data(1, b"y")]),
    ("DATA behind RESET", "R-STR-12", "streamState", 1,
     [open_(1, APPEND, b"x"), code("RESET", 1, "cancelled"), data(1, b"y")]),
    ("a GOAWAY that takes its word back", "R-DRN-9", "protocolViolation", 1,
     [open_(1, APPEND, b"x"), go_away(0, "shutdown"), go_away(2, "shutdown")]),
    ("a ninth snapshot", "R-FLW-19", "streamLimit", 17,
     [open_(2 * index + 1, SNAPSHOT, b"x") for index in range(9)]),
]:
    accepting(title, [requirement, "R-DRN-17", "R-DRN-18"], receives(*frames), sends(ends(name, last)), CLOSES)
window = [data(1, bytes(8192)), data(1, bytes(8192))]
accepting(
    "a whole window, then one byte more", ["R-FLW-2"],
    receives(open_(1, APPEND), *window), sends(), receives(data(1, b"x")), sends(ends("flowControl", 1)), CLOSES)
accepting(
    "a whole window and FIN", ["R-FLW-5"],
    receives(open_(1, APPEND), *window, data(1, fin=True), number("PING", 3)), sends(number("PONG", 3)))

# Credit that is given.
accepting(
    "credit at a quarter of the window, and not before", ["R-FLW-6"],
    receives(open_(1, APPEND, bytes(4095))), consumes(1, 4095), sends(), receives(data(1, b"x")), consumes(1, 1),
    sends(number("CREDIT", 16384 + 4096, stream=1)))
accepting(
    "credit is used up to its last byte", ["R-FLW-2", "R-FLW-6"],
    receives(open_(1, APPEND), *window), consumes(1, 4096), sends(number("CREDIT", 16384 + 4096, stream=1)),
    receives(data(1, bytes(4096)), number("PING", 7)), sends(number("PONG", 7)),
    receives(data(1, b"x")), sends(ends("flowControl", 1)), CLOSES)
accepting(
    "no credit behind FIN", ["R-FLW-7"],
    receives(open_(1, APPEND, bytes(8192), fin=True)), consumes(1, 8192), sends())
accepting(
    "places are given back at a quarter of the class's credit", ["R-FLW-22", "R-FLW-23"],
    receives(open_(1, SNAPSHOT, b"x", fin=True), open_(3, SNAPSHOT, b"y", fin=True)), sends(),
    {"answer": "1", "bytes": "61"}, sends(data(1, b"a", fin=True)),
    {"answer": "3", "bytes": "62"}, sends(data(3, b"b", fin=True), number("STREAMS", 10, klass=SNAPSHOT)))

# Credit that is taken.
dialling(
    "a request that waits for credit", ["R-FLW-1", "R-FLW-4"],
    opens(APPEND, 20000, fin=True), sends(run(1, 16384, klass=APPEND)),
    receives(number("CREDIT", 16384, stream=1)), sends(), receives(number("CREDIT", 18000, stream=1)),
    sends(run(1, 1616)), receives(number("CREDIT", 17000, stream=1)), sends(),
    receives(number("CREDIT", 2 ** 40, stream=1)), sends(run(1, 2000, fin=True)))
dialling(
    "a larger window of the peer's", ["R-FLW-1"], opens(APPEND, 20000, fin=True),
    sends(run(1, 20000, klass=APPEND, fin=True)), window=65536)
dialling(
    "STOP on a request that waits for credit", ["R-STR-15"],
    opens(APPEND, 20000, fin=True), sends(run(1, 16384, klass=APPEND)),
    receives(code("STOP", 1, "messageTooLarge")), sends(code("RESET", 1, "messageTooLarge")),
    receives(number("CREDIT", 2 ** 40, stream=1)), sends())
dialling(
    "a request that waits for a place, and another class that does not", ["R-FLW-18", "R-FLW-21", "R-STR-4"],
    {"open": APPEND, "bytes": "61", "fin": True}, sends(open_(1, APPEND, b"a", fin=True)),
    {"open": APPEND, "bytes": "62", "fin": True}, sends(), receives(number("STREAMS", 1, klass=APPEND)), sends(),
    {"open": ELECTION, "bytes": "63", "fin": True}, sends(open_(3, ELECTION, b"c", fin=True)),
    receives(number("STREAMS", 2, klass=APPEND)), sends(open_(5, APPEND, b"b", fin=True)), streams=(64, 1, 8))

# Budgets.
accepting(
    "empty frames within their budget, and one more", ["R-LIM-3", "R-LIM-4"],
    receives(open_(1, APPEND), *[data(1)] * 64, number("PING", 1)), sends(number("PONG", 1)),
    receives(data(1)), sends(ends("excessiveLoad", 1)), CLOSES)
accepting(
    "a budget comes back with time", ["R-LIM-3", "R-LIM-4"],
    receives(open_(1, APPEND), *[data(1)] * 64), at(1000), receives(*[data(1)] * 16, number("PING", 1)),
    sends(number("PONG", 1)), receives(data(1)), sends(ends("excessiveLoad", 1)), CLOSES)
accepting(
    "frames to ignore within their budget, and one more", ["R-LIM-3", "R-LIM-4"],
    receives(*[frame(0x80 + index) for index in range(64)], number("PING", 1)), sends(number("PONG", 1)),
    receives(frame(0xFF)), sends(ends("excessiveLoad")), CLOSES)
accepting(
    "STREAMS that change nothing, within their budget, and one more", ["R-LIM-3", "R-FLW-21"],
    receives(*[number("STREAMS", 1, klass=APPEND)] * 64, number("PING", 1)), sends(number("PONG", 1)),
    receives(number("STREAMS", 1, klass=APPEND)), sends(ends("excessiveLoad")), CLOSES)

# Checksums.
offering_checksums(
    "checksums that are agreed on", ["R-FRM-28", "R-HSK-11"],
    receives(summed(open_(1, APPEND, b"request", fin=True))), sends(), {"answer": "1", "bytes": b"answer".hex()},
    sends(summed(data(1, b"answer", fin=True))), receives(summed(number("PING", 8))), sends(summed(number("PONG", 8))))
offering_checksums(
    "checksums that the peer does not offer", ["R-FRM-28", "R-HSK-11"],
    receives(open_(1, APPEND, b"request", fin=True), number("PING", 8)), sends(number("PONG", 8)), peers_features=0)
offering_checksums(
    "features that nobody knows beside checksums", ["R-HSK-11", "R-HSK-12"],
    receives(summed(number("PING", 8))), sends(summed(number("PONG", 8))), peers_features=2 ** 64 - 1)
for title, broken in [
    ("a stream byte", 26), ("the header", 1), ("the checksum", -1),
]:
    wrong = bytearray(summed(open_(1, APPEND, b"request", fin=False)))
    wrong[broken] ^= 4
    offering_checksums(
        f"a bit of {title} that is wrong", ["R-FRM-31", "R-FRM-32"],
        receives(bytes(wrong)), sends(ends("checksumMismatch")), CLOSES)
offering_checksums(
    "a frame to ignore with a wrong checksum", ["R-FRM-31"],
    receives(frame(0x90, b"abc") + bytes(4)), sends(ends("checksumMismatch")), CLOSES)

# What changes nothing.
accepting(
    "an ignorable frame", ["R-FRM-10"],
    receives(frame(0xFE, b"\xff" * 4096, 0xFF, 0xFF, 0xFF, 2 ** 64 - 1), number("PING", 1)), sends(number("PONG", 1)))
accepting(
    "CREDIT and STREAMS that are not greater", ["R-FLW-4", "R-FLW-21"],
    receives(open_(1, APPEND, b"x"), number("CREDIT", 5, stream=1), number("STREAMS", 5, klass=APPEND),
             number("PING", 2)),
    sends(number("PONG", 2)))
accepting("a PONG that answers nothing", ["R-LIV-3"], receives(number("PONG", 77), number("PING", 4)), sends(number("PONG", 4)))

# Time.
accepting(
    "a peer that falls silent", ["R-LIV-5", "R-DRN-17"], at(4999), sends(), at(5001), sends(ends("silent")), CLOSES)
accepting(
    "a peer that speaks now and then", ["R-LIV-7", "R-LIV-5"],
    at(4000), sends(), receives(b"\x80"), at(8000), sends(), receives(bytes(15)), at(12000), sends(), at(13001),
    sends(ends("silent")), CLOSES)

# Ends.
accepting(
    "a drain of ours", ["R-DRN-1", "R-DRN-2", "R-DRN-4", "R-DRN-7", "R-DRN-10"],
    receives(open_(1, APPEND, b"x", fin=True)), sends(), {"drain": True},
    sends(go_away(SOON, "shutdown")), receives(open_(3, APPEND, b"y", fin=True)), at(100),
    sends(go_away(3, "shutdown")), receives(open_(5, APPEND, b"z", fin=True)),
    sends(code("RESET", 5, "refused"), code("STOP", 5, "refused")),
    {"answer": "1", "bytes": "61"}, sends(data(1, b"a", fin=True)),
    {"answer": "3", "bytes": "62"}, sends(data(3, b"b", fin=True)), CLOSES)
accepting(
    "a drain of the peer's", ["R-DRN-7"],
    receives(open_(1, APPEND, b"x", fin=True), go_away(SOON, "shutdown")), sends(),
    {"answer": "1", "bytes": "61"}, sends(data(1, b"a", fin=True)))
accepting(
    "an error that the peer tells", ["R-DRN-24"],
    receives(open_(1, APPEND, b"x"), go_away(0, "protocolViolation")), sends(), CLOSES)
accepting("an error that nobody knows", ["R-ERR-3"], receives(go_away(0, 0x7777)), sends(), CLOSES)
accepting("the end of input", ["R-DRN-19"], END, sends(), CLOSES)

ABOUT = (
    "What an endpoint of RMUX/1 answers to bytes and to time; README.md says how to run it. "
    "Produced by generate-conversations.py from the specification alone.")
print('{\n  "about": ' + json.dumps(ABOUT) + ',\n  "conversations": [')
print(",\n".join("    " + json.dumps(entry) for entry in CONVERSATIONS))
print("  ]\n}")
