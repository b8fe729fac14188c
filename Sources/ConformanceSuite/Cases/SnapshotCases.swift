internal import NIOCore
internal import RaftWire

/// The page snapshots: bodies plain and in chunks.
enum SnapshotCases {
  static let all = bodies + faults

  private static let bodies: [ConformanceCase] = {
    var section = Section("snapshots")
    for size in [0, 1, 1_000] {
      section.add("takes a plain body of \(size) bytes", "R-PAY-3", "R-SNAP-17") { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(
          StreamClass.snapshot, Requests.snapshot(size: Int64(size)) + Array(repeating: 0x61, count: size),
          fin: true)
        try await Requests.check(probe.expectAnswer(stream), InstallSnapshotResponse.self)
      }
    }
    section.add("takes a size below 0 for 0", "R-PAY-3") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(StreamClass.snapshot, Requests.snapshot(size: -5), fin: true)
      try await Requests.check(probe.expectAnswer(stream), InstallSnapshotResponse.self)
    }
    section.add("takes a plain body that is larger than its window", "R-FLW-6", "R-SNAP-2") { stage in
      let probe = try await stage.established()
      let window = Int(await probe.peerHello?.initialWindow ?? 0)
      guard window <= 1 << 22 else { throw CaseSkipped("the peer's window is larger than this case fills") }
      let stream = try await probe.open(StreamClass.snapshot)
      try await probe.upload(
        Requests.snapshot(size: Int64(3 * window)) + Array(repeating: 0x62, count: 3 * window), on: stream)
      try await Requests.check(probe.expectAnswer(stream), InstallSnapshotResponse.self)
    }
    section.add("takes the bytes behind a plain body for the next request", "R-PAY-3", "R-SNAP-17") { stage in
      let probe = try await stage.established()
      let once = Requests.snapshot(size: 3) + [1, 2, 3]
      let stream = try await probe.open(StreamClass.snapshot, once + once, fin: true)
      try await Requests.check(probe.expectAnswer(stream), InstallSnapshotResponse.self, count: 2)
    }
    for (title, size, chunks) in valid {
      section.add("takes \(title)", "R-SNAP-1", "R-SNAP-10", "R-SNAP-20") { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(
          StreamClass.snapshot, encoding: 1, Requests.snapshot(size: size) + .hexadecimal(chunks), fin: true)
        try await Requests.check(probe.expectAnswer(stream), InstallSnapshotResponse.self)
      }
    }
    section.add("takes chunks of which each byte is a frame", "R-SNAP-2") { stage in
      let probe = try await stage.established()
      let request = Requests.snapshot(size: 300)
      let whole = try await probe.open(
        StreamClass.snapshot, encoding: 1, request + .hexadecimal(deflated), fin: true)
      let expected = try await probe.expectAnswer(whole)
      try Requests.check(expected, InstallSnapshotResponse.self)
      let split = try await probe.open(StreamClass.snapshot, encoding: 1, request)
      await probe.send([UInt8].hexadecimal(deflated).map { .data(split, [$0]) } + [.data(split, fin: true)])
      // A server that takes no snapshots at all says so both times.
      let actual = try await probe.expectAnswer(split)
      guard actual == expected else {
        throw CaseFailure(
          expected: "the answer that the same chunks got in one frame: \(hexadecimal(expected))",
          actual: hexadecimal(actual))
      }
    }
    section.add("does not take the reset of a plain body for its end", "R-SNAP-18", "R-STR-21") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(
        StreamClass.snapshot, Requests.snapshot(size: 100) + Array(repeating: 1, count: 50))
      await probe.send(.reset(stream, CodeName.sourceFailed.rawValue))
      try await probe.expectNoSuccess(on: stream)
      try await probe.expectAlive()
    }
    section.add("does not take the reset of a body in chunks for its end", "R-SNAP-18", "R-STR-21") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(
        StreamClass.snapshot, encoding: 1, Requests.snapshot(size: 300) + .hexadecimal(deflated.prefix(60)))
      await probe.send(.reset(stream, CodeName.sourceFailed.rawValue))
      try await probe.expectNoSuccess(on: stream)
      try await probe.expectAlive()
    }
    section.add("does not take an early FIN for the end of a plain body", "R-SNAP-17") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(
        StreamClass.snapshot, Requests.snapshot(size: 100) + Array(repeating: 1, count: 99), fin: true)
      try await probe.expectNoSuccess(on: stream)
      try await probe.expectAlive()
    }
    return section.cases
  }()

  private static let faults: [ConformanceCase] = {
    var section = Section("chunks")
    for (title, requirement, size, chunks) in invalid {
      section.add("ends the stream alone after \(title)", requirement, "R-SNAP-14") { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(
          StreamClass.snapshot, encoding: 1, Requests.snapshot(size: size) + .hexadecimal(chunks))
        try await probe.expectFault(inChunksOn: stream)
        try await probe.expectAlive()
        try await probe.expectService()
      }
    }
    for (title, size, chunks) in [
      ("a body that ends inside a header", 3, "00000000"),
      ("a body that ends inside a chunk", 3, "00000000030000000361"),
      ("a body without an end record", 3, "000000000300000003616263"),
    ] as [(String, Int64, String)] {
      section.add("does not take \(title) for a whole one", "R-SNAP-11") { stage in
        let probe = try await stage.established()
        let stream = try await probe.open(
          StreamClass.snapshot, encoding: 1, Requests.snapshot(size: size) + .hexadecimal(chunks), fin: true)
        try await probe.expectNoSuccess(on: stream)
        try await probe.expectAlive()
      }
    }
    section.add("finds a fault in a header before the chunk has come", "R-SNAP-13", "R-SNAP-6") { stage in
      let probe = try await stage.established()
      let stream = try await probe.open(
        StreamClass.snapshot, encoding: 1, Requests.snapshot(size: 10) + .hexadecimal("000000000b0000000b"))
      try await probe.expectFault(inChunksOn: stream)
      try await probe.expectAlive()
    }
    return section.cases
  }()

  private static let body =
    "789c2b492dca553057c8cc4b49ad503031373454284e2d51c84eadd4350002055b85b2c49cd2546b85127cea0c89546744a43a6322d59910a9ce94487566f8d50100dc7f59af"
  private static let end300 = "020000000000000008000000000000012c"

  /// 300 bytes of text in one compressed chunk.
  private static let deflated = "010000012c00000046" + body + end300

  private static let valid: [(String, Int64, String)] = [
    ("no chunk but the end record", 0, "0200000000000000080000000000000000"),
    ("a stored chunk of one byte", 1, "0000000001000000015a0200000000000000080000000000000001"),
    (
      "two stored chunks", 7,
      "000000000300000003616263000000000400000004646566670200000000000000080000000000000007"
    ),
    ("a compressed chunk", 300, deflated),
    (
      "a compressed chunk between stored ones", 306,
      "000000000300000003616263" + "010000012c00000046" + body + "000000000300000003646566"
        + "0200000000000000080000000000000132"
    ),
  ]

  private static let invalid: [(String, String, Int64, String)] = [
    ("a chunk of method 3", "R-SNAP-3", 3, "0300000003000000036162630200000000000000080000000000000003"),
    ("a stored chunk of nothing", "R-SNAP-4", 3, "000000000000000000"),
    ("a chunk of 262,145 bytes", "R-SNAP-4", 262_145, "000004000100040001"),
    ("a chunk of 4 GiB", "R-SNAP-4", 1 << 40, "00ffffffffffffffff"),
    (
      "a stored chunk whose lengths differ", "R-SNAP-5", 3,
      "00000000030000000261620200000000000000080000000000000003"
    ),
    ("a compressed chunk without a byte", "R-SNAP-5", 3, "010000000300000000"),
    (
      "a compressed chunk that did not shrink", "R-SNAP-5", 22,
      "010000001600000016" + "7801010b00f4ff78787878787878787878781efb0529"
    ),
    ("more plain bytes than the size", "R-SNAP-6", 2, "000000000300000003616263"),
    ("a byte where the size is 0", "R-SNAP-6", 0, "000000000100000001"),
    (
      "damaged compressed data", "R-SNAP-7", 300,
      "010000012c00000028" + String(repeating: "ff", count: 40) + end300
    ),
    (
      "a wrong Adler-32", "R-SNAP-7", 300,
      "010000012c00000046" + body.dropLast(2) + "ae" + end300
    ),
    (
      "raw deflate without zlib's header", "R-SNAP-7", 300,
      "010000012c00000040" + body.dropFirst(4).dropLast(8) + end300
    ),
    (
      "a zlib stream that goes on behind the chunk", "R-SNAP-8", 300,
      "010000012c00000045" + body.dropLast(2) + end300
    ),
    (
      "a byte behind the zlib stream in the chunk", "R-SNAP-8", 300,
      "010000012c00000047" + body + "00" + end300
    ),
    (
      "a zlib stream of one byte too few", "R-SNAP-9", 301,
      "010000012d00000046" + body + "020000000000000008000000000000012d"
    ),
    (
      "a zlib stream of one byte too many", "R-SNAP-9", 299,
      "010000012b00000046" + body + "020000000000000008000000000000012b"
    ),
    (
      "an end record with a raw length", "R-SNAP-10", 3,
      "0000000003000000036162630200000003000000080000000000000003"
    ),
    ("an end record without a total", "R-SNAP-10", 3, "000000000300000003616263020000000000000000"),
    (
      "a total that is too small", "R-SNAP-10", 3,
      "0000000003000000036162630200000000000000080000000000000002"
    ),
    ("an end before the size", "R-SNAP-10", 4, "0000000003000000036162630200000000000000080000000000000003"),
    (
      "a byte behind the end record", "R-SNAP-11", 3,
      "000000000300000003616263020000000000000008000000000000000300"
    ),
  ]
}

extension Probe {
  /// STOP for a fault in a chunk. A server that wants no snapshot may say so before it has seen the fault (R-SNAP-19).
  func expectFault(inChunksOn stream: UInt64) async throws {
    let what = "STOP \(stream) with \(CodeName.malformedChunk)"
    let frame = try await expect(what) { $0.stream == stream && $0.type == FrameKind.stop ? $0 : nil }
    if frame.code == CodeName.notNeeded.rawValue {
      throw CaseSkipped("the server does not want the body of a snapshot")
    }
    guard frame.code == CodeName.malformedChunk.rawValue else {
      throw CaseFailure(expected: what, actual: "\(frame)")
    }
  }

  /// The stream ends without an answer that says that all went well.
  func expectNoSuccess(on stream: UInt64) async throws {
    let what = "the end of stream \(stream), without success"
    var bytes: [UInt8] = []
    while true {
      let frame = try await expect(what) { frame in
        frame.stream == stream && [FrameKind.data, FrameKind.reset].contains(frame.type) ? frame : nil
      }
      if frame.type == FrameKind.reset { return }
      bytes += frame.streamBytes
      guard frame.isLast else { continue }
      var buffer = ByteBuffer(bytes: bytes)
      guard let answer = try? WireDecoder().decodeAnswer(InstallSnapshotResponse.self, from: &buffer) else {
        return
      }
      guard (answer.error?.readableBytes ?? 0) > 0 || answer.response?.success == false else {
        throw CaseFailure(expected: what, actual: "an answer that says success")
      }
      return
    }
  }
}
