import NIOCore
import RaftWire

/// SplitMix64: the same numbers for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number of random width, so that every format occurs.
  mutating func unsigned() -> UInt64 {
    next() >> UInt64.random(in: 0...63, using: &self)
  }

  mutating func signed() -> Int64 {
    Int64(bitPattern: next()) >> Int64.random(in: 0...63, using: &self)
  }

  mutating func boolean() -> Bool {
    Bool.random(using: &self)
  }

  mutating func bytes() -> ByteBuffer? {
    let count: Int
    switch Int.random(in: 0..<10, using: &self) {
    case 0, 1: return nil
    case 2: count = 0
    case 3: count = Int.random(in: 30...34, using: &self)
    case 4: count = Int.random(in: 250...600, using: &self)
    default: count = Int.random(in: 1...40, using: &self)
    }
    return ByteBuffer(bytes: (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) })
  }

  mutating func header() -> RPCHeader {
    RPCHeader(protocolVersion: signed(), id: bytes(), address: bytes())
  }

  mutating func time() -> LogTimestamp {
    if Int.random(in: 0..<6, using: &self) == 0 { return .zero }
    let location: LogTimestamp.Location
    switch Int.random(in: 0..<4, using: &self) {
    case 0: location = .offset(seconds: Int32.random(in: -86_400 ..< -119, using: &self))
    case 1: location = .offset(seconds: Int32.random(in: -59...86_400, using: &self))
    default: location = .utc
    }
    return LogTimestamp(
      unixSeconds: signed(),
      nanoseconds: boolean() ? 0 : Int32.random(in: 0..<1_000_000_000, using: &self),
      location: location
    )
  }

  mutating func entries() -> [LogEntry?]? {
    if Int.random(in: 0..<5, using: &self) == 0 { return nil }
    return (0..<Int.random(in: 0...20, using: &self)).map { _ in
      Int.random(in: 0..<8, using: &self) == 0 ? nil : LogEntry.random(using: &self)
    }
  }
}
