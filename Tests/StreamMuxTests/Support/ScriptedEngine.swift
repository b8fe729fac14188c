import NIOCore
import StreamMux
import Testing

/// An engine that lives through a conversation of the vectors.
///
/// Its owner accepts every peer and does what the steps say, and nothing else.
struct ScriptedEngine {
  private var engine: MuxConnection
  private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
  private let start: NIODeadline
  private var keys: [UInt64: StreamKey] = [:]
  private var cutter: SentFrames
  private(set) var hasClosedOutput = false

  /// - Parameter isChecksummed: Whether the peer agrees on the checksums that `features` offer.
  init(
    role: Role, features: Features = [], isChecksummed: Bool = false,
    maximumFramePayload: Int = ProtocolConstants.largestFramePayload
  ) throws {
    let limits = try MuxLimits(maximumFramePayload: maximumFramePayload, initialWindow: 16_384)
    cutter = SentFrames(isChecksummed: isChecksummed)
    let nonce = Nonce(high: 0x1111_1111_1111_1111, low: 0x1111_1111_1111_1111)
    let hello = try Hello(
      features: features, methods: .none, maximumFramePayload: UInt32(maximumFramePayload),
      initialWindow: 16_384, incarnation: 7, nonce: nonce, clusterID: "blue",
      serverID: "self", address: "", targetServerID: role == .dialler ? "peer" : "")
    start = now
    engine = MuxConnection(
      role: role, hello: hello, expectedServerID: role == .dialler ? "peer" : nil,
      configuration: MuxConfiguration(limits: limits, group: 0), seed: 42, now: now)
    settle()
  }

  mutating func receive(_ bytes: [UInt8]) {
    engine.receive(ByteBuffer(bytes: bytes), now: now)
    settle()
  }

  mutating func receiveEnd() {
    engine.receiveEndOfInput(now: now)
    settle()
  }

  /// Lets time pass, with everything that is due on the way.
  mutating func wait(until milliseconds: Int) {
    let end = start + .milliseconds(Int64(milliseconds))
    while let due = engine.nextDeadline, due <= end {
      now = max(now, due)
      engine.handleTimeout(now: now)
      settle()
      // A deadline that does not move is one that the engine looks at when time has passed.
      if let next = engine.nextDeadline, next <= now { now = now + .microseconds(1) }
    }
    now = end
    engine.handleTimeout(now: now)
    settle()
  }

  mutating func answer(_ stream: UInt64, _ bytes: [UInt8]) throws {
    let key = try #require(keys[stream], "stream \(stream) was not opened")
    engine.write(ByteBuffer(bytes: bytes), to: key)
    engine.finish(key)
    engine.release(key)
    settle()
  }

  mutating func open(_ trafficClass: TrafficClass, _ bytes: [UInt8], finishes: Bool) throws {
    let key = try engine.open(StreamOpening(trafficClass: trafficClass), now: now)
    engine.write(ByteBuffer(bytes: bytes), to: key)
    if finishes { engine.finish(key) }
    settle()
  }

  mutating func consume(_ count: Int, of stream: UInt64) throws {
    engine.consume(count, of: try #require(keys[stream], "stream \(stream) was not opened"))
    settle()
  }

  mutating func drain() {
    engine.drain(now: now)
    settle()
  }

  /// All frames that went out since the last call; what each endpoint may send unasked is left out.
  mutating func takeFrames() -> [[UInt8]] {
    cutter.take()
  }

  private mutating func settle() {
    var isBusy = true
    while isBusy {
      isBusy = false
      while let event = engine.nextEvent() {
        isBusy = true
        handle(event)
      }
      while let bytes = engine.nextTransmission(limit: 1 << 16, now: now) {
        isBusy = true
        cutter.append(Array(bytes.readableBytesView))
      }
    }
  }

  private mutating func handle(_ event: MuxEvent) {
    switch event {
    case .peerAuthenticated: engine.accept(grantsRoute: false, now: now)
    case .opened(let key, _):
      keys[engine.streamFigures(key)?.id ?? 0] = key
    case .shouldCloseOutput: hasClosedOutput = true
    default: break
    }
  }
}

/// Cuts what an engine sends into preface and frames.
private struct SentFrames {
  let isChecksummed: Bool
  private var bytes: [UInt8] = []
  private var hasPreface = false

  init(isChecksummed: Bool) {
    self.isChecksummed = isChecksummed
  }

  mutating func append(_ more: [UInt8]) {
    bytes += more
  }

  mutating func take() -> [[UInt8]] {
    var frames: [[UInt8]] = []
    while true {
      let length: Int
      if hasPreface {
        guard bytes.count >= 16 else { break }
        let hasChecksum = isChecksummed && !(0x01...0x03).contains(bytes[0])
        length = 16 + bytes[4..<8].reduce(0) { $0 << 8 | Int($1) } + (hasChecksum ? 4 : 0)
      } else {
        length = 8
      }
      guard bytes.count >= length else { break }
      let frame = Array(bytes.prefix(length))
      bytes.removeFirst(length)
      // Ignorable frames and PINGs that nobody asked for are each endpoint's own affair.
      if !hasPreface || (frame[0] < 0x80 && frame[0] != 0x20) { frames.append(frame) }
      hasPreface = true
    }
    return frames
  }
}
