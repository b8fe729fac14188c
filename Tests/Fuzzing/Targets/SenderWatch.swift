import NIOCore
import StreamMux

/// Whether what one end of a connection sends, behind the handshake, keeps the rules of a sender.
///
/// It also sees what the peer sends, to know what was allowed.
struct SenderWatch {
  private struct Half {
    var hasEnded = false
    var wasStopped = false
    var sent: UInt64 = 0
    /// What the peer allows us to send.
    var allowed: UInt64
    /// What we allowed the peer to send.
    var granted: UInt64 = 0
  }

  private let role: Role
  private let framePayload: Int
  private let window: UInt64
  private var own: FrameDecoder
  private var peer: FrameDecoder
  private var halves: [UInt64: Half] = [:]
  private var nextID: UInt64
  private var opened: [TrafficClass: UInt64] = [:]
  private var mayOpen: [TrafficClass: UInt64]
  private var totals: [TrafficClass: UInt64] = [:]
  private var lastGoAway = UInt64.max
  private var ignorable = 0
  /// Numbers of PINGs that the peer could answer.
  private(set) var pings: [UInt64] = []
  /// How many streams the peer opened.
  private(set) var peerStreams = 0

  /// - Parameters:
  ///   - role: that of the end that is watched.
  ///   - hello: what its peer announced.
  init(_ role: Role, peer hello: Hello, isChecksummed: Bool) {
    self.role = role
    framePayload = Int(hello.maximumFramePayload)
    window = UInt64(hello.initialWindow)
    own = FrameDecoder(maximumFramePayload: 65_536)
    own.endHandshake(isChecksummed: isChecksummed)
    peer = own
    nextID = role.firstStreamID
    mayOpen = Dictionary(
      uniqueKeysWithValues: TrafficClass.allCases.map { ($0, UInt64(hello.streamCredit[$0])) })
  }

  /// The peer sent these bytes. What is wrong with them is not for here.
  mutating func peerSent(_ bytes: ByteBuffer) {
    peer.append(bytes)
    while let event = try? peer.next() {
      switch event {
      case .data(let header) where header.opening != nil:
        peerStreams += 1
        halves[header.stream] = halves[header.stream] ?? Half(allowed: window)
      case .frame(.credit(let id, let limit)):
        halves[id, default: Half(allowed: window)].allowed = max(halves[id]?.allowed ?? window, limit)
      case .frame(.streams(let trafficClass, let limit)):
        mayOpen[trafficClass] = max(mayOpen[trafficClass] ?? 0, limit)
      default:
        break
      }
    }
  }

  mutating func sent(_ bytes: ByteBuffer) throws(FuzzFinding) {
    own.append(bytes)
    do {
      while let event = try own.next() { try check(event) }
    } catch let finding as FuzzFinding {
      throw finding
    } catch {
      throw FuzzFinding(description: "the engine sent what no engine may: \(error)")
    }
  }

  private mutating func check(_ event: FrameEvent) throws(FuzzFinding) {
    switch event {
    case .data(let header): try check(header)
    case .payload: break
    case .ignorable(_, let length):
      ignorable += 1
      try require(
        ignorable == 1 && length <= 32, "\(ignorable) frames to ignore, the last of \(length) bytes")
    case .frame(let frame): try check(frame)
    }
  }

  private mutating func check(_ header: DataHeader) throws(FuzzFinding) {
    let id = header.stream
    if let opening = header.opening {
      try require(id == nextID, "opened \(id) where \(nextID) is next")
      nextID += 2
      halves[id] = Half(allowed: max(window, halves[id]?.allowed ?? 0))
      guard let trafficClass = TrafficClass(rawValue: opening.trafficClass) else {
        throw FuzzFinding(description: "opened a stream of class \(opening.trafficClass)")
      }
      opened[trafficClass, default: 0] += 1
      try require(
        opened[trafficClass, default: 0] <= mayOpen[trafficClass, default: 0],
        "too many streams: \(trafficClass)")
    }
    try require(
      header.byteCount + (header.opening == nil ? 0 : 8) <= framePayload,
      "a frame of \(header.byteCount) bytes")
    try require(!(header.hasMore && header.isLast), "MORE with FIN")
    guard var half = halves[id] else { throw FuzzFinding(description: "DATA for \(id), which nobody opened") }
    try require(!half.hasEnded, "DATA behind the end of \(id)")
    half.sent += UInt64(header.byteCount)
    try require(half.sent <= half.allowed, "\(half.sent) bytes on \(id), allowed are \(half.allowed)")
    half.hasEnded = header.isLast
    halves[id] = half
  }

  private mutating func check(_ frame: Frame) throws(FuzzFinding) {
    switch frame {
    case .reset(let id, let code):
      try checkKnown(id, code, frame)
      try require(halves[id]?.hasEnded == false, "RESET behind the end of \(id)")
      halves[id]?.hasEnded = true
    case .stop(let id, let code):
      try checkKnown(id, code, frame)
      try require(halves[id]?.wasStopped == false, "STOP twice on \(id)")
      halves[id]?.wasStopped = true
    case .credit(let id, let limit):
      try checkKnown(id, .cancelled, frame)
      try require(halves[id]?.wasStopped == false, "CREDIT behind STOP on \(id)")
      try require(halves[id].map { $0.granted < limit } == true, "CREDIT that does not grow on \(id)")
      halves[id]?.granted = limit
    case .streams(let trafficClass, let total):
      try require(totals[trafficClass, default: 0] < total, "STREAMS that does not grow: \(trafficClass)")
      totals[trafficClass] = total
    case .goAway(let goAway):
      try require(goAway.lastStream <= lastGoAway, "a last id that grows")
      lastGoAway = goAway.lastStream
    case .ping(let number):
      pings.append(number)
    case .pong:
      break
    case .hello, .authentication, .welcome:
      throw FuzzFinding(description: "a frame of the handshake: \(frame)")
    }
  }

  private func checkKnown(_ id: UInt64, _ code: ErrorCode, _ frame: Frame) throws(FuzzFinding) {
    try require(code != .none, "without a code: \(frame)")
    try require(halves[id] != nil, "for a stream that nobody opened: \(frame)")
    try require(!role.opens(id) || id < nextID, "before its OPEN: \(frame)")
  }
}
