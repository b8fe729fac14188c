import ConformanceSuite
import Synchronization

/// A peer that breaks one requirement: a healthy peer behind a relay that changes what it hears or says.
struct Mutant: Sendable, CustomStringConvertible {
  /// Which way a frame goes.
  enum Direction: Sendable {
    /// From the suite to the healthy peer.
    case toPeer
    /// From the healthy peer to the suite.
    case toSuite
  }

  /// What becomes of one frame.
  struct Traffic: Sendable {
    var toPeer: [ProbeFrame] = []
    var toSuite: [ProbeFrame] = []
  }

  /// What the relay does to bytes that are no frames, and to the ends of a connection.
  struct Manners: Sendable {
    /// Sent to the suite before anything was heard.
    var greeting: [UInt8] = []
    /// The peer's preface is sent as soon as the suite's has come.
    var answersPreface = false
    var repeatsPreface = false
    /// What a stranger hears before it is cut off.
    var answerToNonsense: [UInt8] = []
    /// Nonsense is swallowed, and the connection stays open.
    var isDeafToNonsense = false
    /// A frame that is too long is swallowed with its payload.
    var swallowsOversized = false
    /// The suite's bytes are handed on only in whole frames. (Every relay does that; this says that it is the fault.)
    var needsWholeFrames = false
    /// Bytes are handed on as they come, without looking at frames.
    var isTransparent = false
    /// Segments that are shorter than a frame's header are lost.
    var losesShortSegments = false
    /// The peer's end of output is kept from the suite.
    var keepsOpen = false
    /// The suite's end of output is kept from the peer.
    var ignoresEndOfInput = false
    /// Nothing is read from the suite while the suite does not read.
    var readsInTurns = false
    /// Checksums of the peer are wrong.
    var breaksChecksums = false
    /// The peer sends checksums that nobody agreed on.
    var sendsStrayChecksums = false
    /// Wrong checksums of the suite are taken for right ones.
    var trustsChecksums = false
  }

  /// What a rule remembers of a connection.
  struct Memory {
    var counts: [String: Int] = [:]
    var streams: [UInt64: Int] = [:]
    /// Bytes of streams that are kept back.
    var held: [UInt64: [UInt8]] = [:]
    var hello: ProbeHello?
    var peerHello: ProbeHello?
    let shared: SharedCounts

    mutating func count(_ name: String) -> Int {
      counts[name, default: 0] += 1
      return counts[name] ?? 0
    }
  }

  /// What a rule remembers of all connections of a peer.
  final class SharedCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func count(_ name: String) -> Int {
      counts.withLock { counts in
        counts[name, default: 0] += 1
        return counts[name] ?? 0
      }
    }
  }

  typealias Rule = @Sendable (inout Memory, Direction, ProbeFrame) -> Traffic?

  let requirement: String
  let fault: String
  var subject: Subject = .server
  var usesChecksums = false
  /// Both sides have a key.
  var hasKey = false
  /// A client that sends snapshots without chunks.
  var sendsPlainSnapshots = false
  var manners = Manners()
  /// `nil` hands a frame on as it is.
  var rule: Rule = { _, _, _ in nil }

  var description: String { "\(requirement): a \(subject) that \(fault)" }
}

extension Mutant {
  /// A frame at which every peer ends the connection.
  static let poison = ProbeFrame(type: 0x3F)

  static func toPeer(_ frames: ProbeFrame...) -> Traffic { Traffic(toPeer: frames) }
  static func toSuite(_ frames: ProbeFrame...) -> Traffic { Traffic(toSuite: frames) }

  /// A peer that takes no notice of what it must object to.
  static func deaf(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    to isUnheard: @escaping @Sendable (ProbeFrame) -> Bool
  ) -> Mutant {
    Mutant(requirement: requirement, fault: fault, subject: subject) { _, direction, frame in
      direction == .toPeer && isUnheard(frame) ? Traffic() : nil
    }
  }

  /// A peer to which a frame means something else.
  static func mishears(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    _ change: @escaping @Sendable (inout Memory, ProbeFrame) -> ProbeFrame?
  ) -> Mutant {
    Mutant(requirement: requirement, fault: fault, subject: subject) { memory, direction, frame in
      guard direction == .toPeer, let changed = change(&memory, frame) else { return nil }
      return toPeer(changed)
    }
  }

  /// A peer that ends the connection where it must not.
  static func touchy(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    about isTouching: @escaping @Sendable (inout Memory, ProbeFrame) -> Bool
  ) -> Mutant {
    mishears(requirement, fault, as: subject) { memory, frame in isTouching(&memory, frame) ? poison : nil }
  }

  /// A peer that says something else.
  static func says(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    _ change: @escaping @Sendable (inout Memory, ProbeFrame) -> [ProbeFrame]?
  ) -> Mutant {
    Mutant(requirement: requirement, fault: fault, subject: subject) { memory, direction, frame in
      guard direction == .toSuite, let said = change(&memory, frame) else { return nil }
      return Traffic(toSuite: said)
    }
  }

  /// A peer that gives another code.
  static func miscodes(
    _ requirement: String, _ type: UInt8, _ right: CodeName, as wrong: CodeName, in subject: Subject = .server
  ) -> Mutant {
    says(requirement, "says \(wrong) instead of \(right)", as: subject) { _, frame in
      guard frame.type == type, frame.code == right.rawValue else { return nil }
      return [frame.with { $0.setCode(wrong.rawValue) }]
    }
  }

  /// A peer that reads another HELLO than was sent.
  static func readsHello(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    _ change: @escaping @Sendable (inout Memory, inout ProbeHello) -> Void
  ) -> Mutant {
    mishears(requirement, fault, as: subject) { memory, frame in
      guard frame.type == FrameKind.hello, var hello = ProbeHello(decoding: frame.payload) else { return nil }
      change(&memory, &hello)
      return .hello(hello)
    }
  }

  /// A peer that sends another HELLO than it should.
  static func sendsHello(
    _ requirement: String, _ fault: String, as subject: Subject = .server,
    _ change: @escaping @Sendable (inout ProbeHello) -> Void
  ) -> Mutant {
    says(requirement, fault, as: subject) { _, frame in
      guard frame.type == FrameKind.hello, var hello = ProbeHello(decoding: frame.payload) else { return nil }
      change(&hello)
      return [.hello(hello)]
    }
  }
}

extension ProbeFrame {
  mutating func setCode(_ code: UInt32) {
    let offset = type == FrameKind.goAway ? 8 : 0
    payload.replaceSubrange(offset..<offset + 4, with: [UInt8].bigEndian(code))
  }
}
