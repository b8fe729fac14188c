import Foundation
import NIOCore
import Testing

@testable import RaftWire

/// Inputs made by hand with the verdicts of the real decoders.
struct DecoderProbe {
  /// What a decoder made of the input.
  struct Verdict {
    let isAccepted: Bool
    let consumed: Int
    let value: VectorValue?
  }

  /// The release whose decoder ours follows.
  static let followed = "1.7"
  /// The releases with the older decoder.
  static let older = ["1.1.2", "1.5"]

  let name: String
  let type: String
  let bytes: ByteBuffer
  let verdicts: [String: Verdict]

  init(_ probe: VectorValue) throws {
    name = try probe.string("name")
    type = try probe.string("type")
    bytes = try probe.bytes("hex") ?? ByteBuffer()
    guard let results = try probe.object("results") else { throw VectorValue.Unreadable(key: "results") }
    verdicts = try Dictionary(
      uniqueKeysWithValues: results.object.keys.map { release in
        guard let result = try results.object(release) else { throw VectorValue.Unreadable(key: release) }
        return (
          release,
          Verdict(
            isAccepted: try result.boolean("accept"), consumed: Int(try result.signed("consumed")),
            value: try result.object("value"))
        )
      })
  }

  static func all() throws -> [DecoderProbe] {
    let file = try SpecFile.object("vectors/raft-wire/vectors/decoder-public.json")
    guard let list = file.object["probes"] as? [[String: Any]] else {
      throw VectorValue.Unreadable(key: "probes")
    }
    return try list.map { try DecoderProbe(VectorValue(object: $0)) }
  }
}

@Suite("Inputs that no encoder writes")
struct DecoderProbeTests {
  // R-PAY-5, R-PAY-20, R-PAY-21, R-PAY-22, R-PAY-23, R-PAY-24, R-PAY-25, R-PAY-26, R-PAY-27, R-PAY-28,
  // R-PAY-29, R-PAY-30, R-PAY-31, R-PAY-32, R-PAY-33, R-PAY-34, R-PAY-35, R-PAY-36, R-PAY-37
  @Test("Each is taken or refused as the newer Go decoder does, to the same byte and value")
  func verdicts() throws {
    let probes = try DecoderProbe.all()
    #expect(probes.count > 250)
    for probe in probes {
      let verdict = try #require(probe.verdicts[DecoderProbe.followed], "\(probe.name)")
      try check(probe, verdict)
    }
  }

  @Test("What is refused leaves the reader index where it was")
  func refusalReadsNothing() throws {
    for probe in try DecoderProbe.all() where probe.verdicts[DecoderProbe.followed]?.isAccepted == false {
      var rest = probe.bytes
      guard let type = messageTypes[probe.type] else { continue }
      #expect(throws: WireError.self, "\(probe.name)") {
        _ = try decode(type, &rest)
      }
      #expect(rest.readerIndex == 0)
    }
  }

  @Test("The table of differences lists exactly the probes on which the older decoder differs")
  func divergences() throws {
    let table = try SpecFile.object("tables/decoder-divergences.json")
    let rows = try #require(table.object["divergences"] as? [[String: Any]])
    var listed: [String: [String: String]] = [:]
    for row in rows {
      let value = VectorValue(object: row)
      var columns = [DecoderProbe.followed: try value.string("followed")]
      for release in DecoderProbe.older {
        if let verdict = row[release] as? String { columns[release] = verdict }
      }
      #expect(!(try value.string("rule").isEmpty))
      listed[try value.string("probe")] = columns
    }
    #expect(listed.count == rows.count)
    var derived: [String: [String: String]] = [:]
    for probe in try DecoderProbe.all() {
      let followed = try #require(probe.verdicts[DecoderProbe.followed])
      var columns: [String: String] = [:]
      for release in DecoderProbe.older {
        guard let verdict = probe.verdicts[release] else { continue }
        if let difference = Self.difference(of: verdict, from: followed) { columns[release] = difference }
      }
      guard !columns.isEmpty else { continue }
      columns[DecoderProbe.followed] = followed.isAccepted ? "accepts" : "rejects"
      derived[probe.name] = columns
    }
    #expect(listed == derived)
  }

  /// How an older decoder's verdict differs; nil if it does not, for the fields that it knows.
  private static func difference(
    of verdict: DecoderProbe.Verdict, from followed: DecoderProbe.Verdict
  ) -> String? {
    if verdict.isAccepted != followed.isAccepted { return verdict.isAccepted ? "accepts" : "rejects" }
    guard verdict.isAccepted, let ours = followed.value, let theirs = verdict.value else { return nil }
    let agrees = Self.agrees(ours.object, theirs.object)
    return verdict.consumed == followed.consumed && agrees ? nil : "reads another value"
  }

  /// Whether two JSON values are equal in everything that the second one has.
  private static func agrees(_ ours: Any?, _ theirs: Any) -> Bool {
    switch (ours, theirs) {
    case (let ours as [String: Any], let theirs as [String: Any]):
      theirs.allSatisfy { agrees(ours[$0.key], $0.value) }
    case (let ours as [Any], let theirs as [Any]):
      ours.count == theirs.count && zip(ours, theirs).allSatisfy { agrees($0, $1) }
    case (let ours as NSNumber, let theirs as NSNumber): ours == theirs
    case (let ours as String, let theirs as String): ours == theirs
    case (is NSNull, is NSNull): true
    default: false
    }
  }

  private func check(_ probe: DecoderProbe, _ verdict: DecoderProbe.Verdict) throws {
    var rest = probe.bytes
    if probe.type == "ErrorString" {
      let text = Result { try WireDecoder().decodeErrorText(from: &rest) }
      if verdict.isAccepted {
        let expected = try verdict.value?.bytes("error_hex") ?? ByteBuffer()
        #expect(try text.get() ?? ByteBuffer() == expected, "\(probe.name)")
        #expect(rest.readerIndex == verdict.consumed, "\(probe.name)")
      } else {
        #expect(throws: WireError.self, "\(probe.name)") { try text.get() }
      }
    } else {
      try checkObject(messageType(probe.type), probe, verdict)
    }
  }

  private func checkObject<Message: VectorMessage>(
    _: Message.Type, _ probe: DecoderProbe, _ verdict: DecoderProbe.Verdict
  ) throws {
    var rest = probe.bytes
    if verdict.isAccepted {
      let read = try decode(Message.self, &rest)
      let value = try #require(verdict.value)
      #expect(read == (try Message(vector: value)), "\(probe.name)")
      #expect(rest.readerIndex == verdict.consumed, "\(probe.name)")
    } else {
      #expect(throws: WireError.self, "\(probe.name)") { try decode(Message.self, &rest) }
    }
  }

  private func decode<Message: VectorMessage>(
    _: Message.Type, _ rest: inout ByteBuffer
  ) throws -> Message {
    try WireDecoder().decodeObject(Message.self, from: &rest)
  }
}
