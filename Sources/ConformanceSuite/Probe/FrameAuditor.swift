/// Watches both directions of a connection for what the peer must never send, whatever a case is about.
///
/// It judges a frame only where no race can excuse it: what the peer may not have received yet when it sent the frame
/// is known to have arrived once it has answered a PING that was sent behind it.
package struct FrameAuditor: Sendable {
  private struct PeerHalf: Sendable {
    var sent: UInt64 = 0
    var limit: UInt64
    var hasEnded = false
  }

  private struct OwnHalf: Sendable {
    var credit: UInt64 = 0
    var hasEnded = false
    /// The peer is known to know that it has ended.
    var endIsKnown = false
    var wasStopped = false
  }

  private let peerOpensOdd: Bool
  private let hostsSeveralGroups: Bool
  private var ownHello: ProbeHello?
  private var peerHello: ProbeHello?
  private var peerHalves: [UInt64: PeerHalf] = [:]
  private var ownHalves: [UInt64: OwnHalf] = [:]
  private var refusedOpenings: Set<UInt64> = []
  private var nextPeerID: UInt64
  private var allowedOpenings: [UInt8: UInt64] = [:]
  private var announcedTotals: [UInt8: UInt64] = [:]
  private var openings: [UInt8: UInt64] = [:]
  private var handshakeFrames: [UInt8] = []
  private var handshakeBytes = 8
  private var hasAccepted = false
  private var peerAccepted = false
  private var peerRefused = false
  private var ignorables = 0
  private var lastGoAway: UInt64?
  private var hasFailed = false
  private var unconfirmed: [UInt64: (ends: Set<UInt64>, goAway: Bool)] = [:]
  private var newEnds: Set<UInt64> = []
  private var sentGoAway = false
  private var goAwayIsKnown = false
  /// The first thing that was wrong, with the requirement that it broke.
  package private(set) var finding: (requirement: String, text: String)?

  init(subject: Subject, hostsSeveralGroups: Bool) {
    peerOpensOdd = subject == .client
    nextPeerID = subject == .client ? 1 : 2
    self.hostsSeveralGroups = hostsSeveralGroups
  }

  private mutating func object(_ requirement: String, _ text: String) {
    if finding == nil { finding = (requirement, text) }
  }

  // MARK: What this side sends

  mutating func sent(_ frame: ProbeFrame) {
    switch frame.type {
    case FrameKind.hello:
      ownHello = ProbeHello(decoding: frame.payload)
      for trafficClass in StreamClass.election...StreamClass.snapshot {
        allowedOpenings[trafficClass] = UInt64(ownHello?.streamCredit(trafficClass) ?? 0)
      }
    case FrameKind.welcome: hasAccepted = frame.code == 0
    case FrameKind.data:
      if frame.isOpening { ownHalves[frame.stream] = OwnHalf(credit: UInt64(peerHello?.initialWindow ?? 0)) }
      if frame.isLast { ended(frame.stream) }
    case FrameKind.reset: ended(frame.stream)
    case FrameKind.credit:
      grant(frame.number ?? 0, on: frame.stream)
    case FrameKind.streams:
      allowedOpenings[frame.trafficClass] = max(
        allowedOpenings[frame.trafficClass] ?? 0, frame.number ?? 0)
    case FrameKind.ping:
      if let number = frame.number { unconfirmed[number] = (newEnds, sentGoAway) }
    case FrameKind.goAway: sentGoAway = true
    default: break
    }
  }

  private mutating func grant(_ limit: UInt64, on stream: UInt64) {
    guard peerHalves[stream] != nil || ownHalves[stream] != nil else { return }
    var half = peerHalves[stream] ?? PeerHalf(limit: UInt64(ownHello?.initialWindow ?? 0))
    half.limit = max(half.limit, limit)
    peerHalves[stream] = half
  }

  private mutating func ended(_ stream: UInt64) {
    ownHalves[stream, default: OwnHalf()].hasEnded = true
    newEnds.insert(stream)
  }

  // MARK: What the peer sends

  mutating func receivedNonsense(_ text: String) {
    object(handshakeFrames.isEmpty ? "R-FRM-1" : "R-FRM-5", "the peer sent \(text)")
  }

  mutating func received(_ frame: ProbeFrame, checksum: Bool?) {
    checkHeader(frame)
    if checksum == false { object("R-FRM-29", "\(frame) has a wrong checksum") }
    if hasFailed { object("R-DRN-17", "\(frame) came behind the GOAWAY that told an error") }
    if peerRefused { object("R-HSK-23", "\(frame) came behind a refusing WELCOME") }
    if FrameKind.isOfHandshake(frame.type) {
      receivedInHandshake(frame)
    } else if frame.type != FrameKind.goAway || !peerAccepted {
      if !peerAccepted { object("R-HSK-27", "\(frame) came before the peer's accepting WELCOME") }
      if !hasAccepted { object("R-HSK-27", "\(frame) came before the peer had a WELCOME") }
    }
    switch frame.type {
    case FrameKind.data: receivedData(frame)
    case FrameKind.credit: receivedCredit(frame)
    case FrameKind.reset, FrameKind.stop: receivedEnd(frame)
    case FrameKind.streams:
      let before =
        announcedTotals[frame.trafficClass] ?? UInt64(peerHello?.streamCredit(frame.trafficClass) ?? 0)
      let total = frame.number ?? 0
      if total < before { object("R-FLW-20", "\(frame), after a total of \(before)") }
      announcedTotals[frame.trafficClass] = max(before, total)
    case FrameKind.pong:
      guard let number = frame.number, let known = unconfirmed.removeValue(forKey: number) else { break }
      for stream in known.ends { ownHalves[stream]?.endIsKnown = true }
      newEnds.subtract(known.ends)
      if known.goAway { goAwayIsKnown = true }
    case FrameKind.goAway: receivedGoAway(frame)
    case let type where FrameKind.isIgnorable(type):
      ignorables += 1
      if ignorables > 1 { object("R-FRM-12", "a second ignorable frame") }
      if frame.payload.count > 32 { object("R-FRM-12", "\(frame): more than 32") }
    default: break
    }
  }

  private mutating func checkHeader(_ frame: ProbeFrame) {
    guard !FrameKind.isIgnorable(frame.type) else { return }
    let limit = ownHello.map { Int($0.maximumFramePayload) } ?? 65_536
    let ofStream = [FrameKind.data, FrameKind.credit, FrameKind.reset, FrameKind.stop].contains(frame.type)
    if FrameKind.name(frame.type).hasPrefix("type") { object("R-FRM-8", "a frame of \(frame)") }
    if frame.payload.count > limit, !FrameKind.isOfHandshake(frame.type) {
      object("R-FRM-5", "\(frame) has \(frame.payload.count) bytes of payload, \(limit) are allowed")
    }
    if ofStream, frame.stream == 0 { object("R-FRM-14", "\(frame) names no stream") }
    if !ofStream, frame.stream != 0 { object("R-FRM-13", "\(frame) names stream \(frame.stream)") }
    if frame.type == FrameKind.data ? frame.flags > 7 : frame.flags != 0 {
      object("R-FRM-17", "\(frame) has the flags \(hexadecimal(frame.flags))")
    }
    if frame.isLast, frame.flags & DataFlag.more != 0 { object("R-FRM-23", "\(frame) has MORE and FIN") }
    let mayHaveClass = frame.isOpening || frame.type == FrameKind.streams
    if mayHaveClass ? !(1...3).contains(frame.trafficClass) : frame.trafficClass != 0 {
      object("R-FRM-19", "\(frame) has class \(frame.trafficClass)")
    }
    if !frame.isOpening, frame.encoding != 0 { object("R-FRM-20", "\(frame) has encoding \(frame.encoding)") }
    if frame.isOpening,
      frame.encoding > 1 || (frame.encoding == 1 && frame.trafficClass != StreamClass.snapshot)
    {
      object("R-STR-7", "\(frame) has encoding \(frame.encoding)")
    }
    if let length = Self.length(of: frame), length != frame.payload.count {
      object("R-FRM-15", "\(frame) has \(frame.payload.count) bytes of payload instead of \(length)")
    }
    if frame.isOpening, frame.payload.count < 8 { object("R-FRM-24", "\(frame) has no group") }
  }

  private static func length(of frame: ProbeFrame) -> Int? {
    switch frame.type {
    case FrameKind.credit, FrameKind.streams, FrameKind.ping, FrameKind.pong: 8
    case FrameKind.reset, FrameKind.stop: 4
    case FrameKind.goAway: 14 + Array(frame.payload.dropFirst(12).prefix(2)).reduce(0) { $0 << 8 | Int($1) }
    default: nil
    }
  }

  private mutating func receivedInHandshake(_ frame: ProbeFrame) {
    handshakeBytes += ProbeFrame.headerLength + frame.payload.count
    if handshakeBytes > 4_096 { object("R-HSK-30", "a handshake of \(handshakeBytes) bytes") }
    if handshakeFrames.contains(frame.type) { object("R-HSK-1", "a second \(frame)") }
    if handshakeFrames.isEmpty, frame.type != FrameKind.hello { object("R-HSK-1", "\(frame) came first") }
    handshakeFrames.append(frame.type)
    switch frame.type {
    case FrameKind.hello:
      peerHello = ProbeHello(decoding: frame.payload)
      if frame.payload.count > 3_072 { object("R-HSK-42", "a HELLO of \(frame.payload.count) bytes") }
      if let fault = peerHello.map({ $0.fault }) ?? "one that ends inside a field" {
        object("R-HSK-4", "the peer's HELLO has \(fault)")
      }
      if !peerOpensOdd, peerHello?.targetServerID.isEmpty == false {
        object("R-HSK-38", "an acceptor's HELLO names a target")
      }
    case FrameKind.authentication:
      if frame.payload.count > 257 { object("R-HSK-42", "a proof of \(frame.payload.count - 1) bytes") }
      if frame.payload.isEmpty { object("R-HSK-43", "an AUTH of no bytes") }
    default:
      checkLayout(ofWelcome: frame.payload)
      if frame.code == 0 {
        peerAccepted = true
        if !handshakeFrames.contains(FrameKind.authentication) {
          object("R-HSK-16", "an accepting WELCOME without AUTH")
        }
      } else {
        peerRefused = true
        if frame.code == CodeName.duplicate.rawValue, frame.winnerNonce == nil {
          object("R-PAIR-4", "a duplicate without the winner's nonce")
        }
      }
    }
  }

  private mutating func checkLayout(ofWelcome payload: [UInt8]) {
    guard (8...536).contains(payload.count) else {
      return object("R-HSK-43", "a WELCOME of \(payload.count) bytes")
    }
    if payload[4] > 1 { object("R-HSK-41", "undefined flags in WELCOME") }
    guard payload[5] <= 1 else { return object("R-HSK-26", "a WELCOME whose Winner is \(payload[5])") }
    let fixed = payload[5] == 1 ? 24 : 8
    guard payload.count >= fixed else { return object("R-HSK-26", "a WELCOME that ends inside its nonce") }
    let text = Int(payload[fixed - 2]) << 8 | Int(payload[fixed - 1])
    if payload.count != fixed + text {
      object("R-HSK-26", "a WELCOME of \(payload.count) bytes that should have \(fixed + text)")
    }
    if text > 512 { object("R-HSK-26", "a WELCOME with a text of \(text) bytes") }
  }

  private mutating func receivedData(_ frame: ProbeFrame) {
    if ignorables == 0 { object("R-FRM-12", "DATA came before the ignorable frame") }
    if frame.isOpening {
      if frame.stream != nextPeerID {
        object("R-STR-1", "stream \(frame.stream) was opened instead of \(nextPeerID)")
      }
      // The last id there is has none behind it.
      nextPeerID = max(nextPeerID, frame.stream) &+ 2
      if !hostsSeveralGroups, let group = frame.group, group != 0 {
        object("R-STR-10", "a stream of group \(group)")
      }
      openings[frame.trafficClass, default: 0] += 1
      let count = openings[frame.trafficClass] ?? 0
      let allowed = allowedOpenings[frame.trafficClass] ?? 0
      if count > allowed {
        object(
          "R-FLW-18",
          "the peer opened \(count) streams of class \(frame.trafficClass), \(allowed) are allowed")
      }
      if lastGoAway != nil { object("R-DRN-6", "\(frame) came behind the peer's GOAWAY") }
      if goAwayIsKnown { object("R-DRN-5", "\(frame) came although the peer had a GOAWAY") }
      peerHalves[frame.stream] = PeerHalf(limit: UInt64(ownHello?.initialWindow ?? 0))
    } else if peerHalves[frame.stream] == nil {
      guard ownHalves[frame.stream] != nil else {
        return object("R-STR-3", "\(frame) is of no stream that was opened")
      }
      peerHalves[frame.stream] = PeerHalf(limit: UInt64(ownHello?.initialWindow ?? 0))
    }
    guard var half = peerHalves[frame.stream] else { return }
    if half.hasEnded { object("R-STR-11", "\(frame) came behind the end of its half") }
    half.sent += UInt64(frame.streamBytes.count)
    if half.sent > half.limit {
      object("R-FLW-1", "\(half.sent) bytes on stream \(frame.stream), \(half.limit) are allowed")
    }
    if frame.isLast { half.hasEnded = true }
    peerHalves[frame.stream] = half
  }

  private func wasOpened(_ stream: UInt64) -> Bool {
    (stream % 2 == 1) == peerOpensOdd ? stream < nextPeerID : ownHalves[stream] != nil
  }

  private mutating func receivedCredit(_ frame: ProbeFrame) {
    guard wasOpened(frame.stream) else { return object("R-STR-23", "\(frame) is about no stream") }
    let limit = frame.number ?? 0
    var half = ownHalves[frame.stream] ?? OwnHalf(credit: UInt64(peerHello?.initialWindow ?? 0))
    if limit < half.credit { object("R-FLW-3", "\(frame), after a limit of \(half.credit)") }
    if half.wasStopped || half.endIsKnown {
      object("R-FLW-7", "\(frame), although the half has \(half.wasStopped ? "been stopped" : "ended")")
    }
    half.credit = max(half.credit, limit)
    ownHalves[frame.stream] = half
  }

  private mutating func receivedEnd(_ frame: ProbeFrame) {
    if frame.code == 0 { object("R-ERR-4", "\(frame) has the code 0") }
    guard wasOpened(frame.stream) else { return object("R-STR-23", "\(frame) is about no stream") }
    if frame.type == FrameKind.reset {
      if peerHalves[frame.stream]?.hasEnded == true {
        object("R-STR-11", "\(frame) came behind the end of its half")
      }
      peerHalves[frame.stream, default: PeerHalf(limit: 0)].hasEnded = true
      if let code = frame.code.flatMap(CodeName.init), Self.refusals.contains(code) {
        refusedOpenings.insert(frame.stream)
      }
    } else {
      var half = ownHalves[frame.stream] ?? OwnHalf(credit: UInt64(peerHello?.initialWindow ?? 0))
      if half.wasStopped { object("R-STR-22", "a second STOP on stream \(frame.stream)") }
      if half.endIsKnown, !refusedOpenings.contains(frame.stream) {
        object("R-STR-22", "\(frame), although the half has ended")
      }
      half.wasStopped = true
      ownHalves[frame.stream] = half
    }
  }

  private static let refusals: Set<CodeName> = [.refused, .unknownClass, .unknownEncoding, .unknownGroup]

  private mutating func receivedGoAway(_ frame: ProbeFrame) {
    let last = frame.number ?? 0
    if let lastGoAway, last > lastGoAway { object("R-DRN-8", "\(frame), after \(lastGoAway)") }
    lastGoAway = last
    if frame.code == 0 { object("R-ERR-4", "\(frame) has the code 0") }
    if frame.payload.count > 526 { object("R-FRM-16", "\(frame) has a text of more than 512 bytes") }
    if frame.code != CodeName.shutdown.rawValue { hasFailed = true }
  }
}
