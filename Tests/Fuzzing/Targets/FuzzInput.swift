import NIOCore

/// Reads decisions off the front of an input. Behind its end there are none, so each list of operations ends.
struct FuzzInput {
  /// Long payloads are cut from here, so that they cost the input no bytes.
  private static let filler = ByteBuffer(
    bytes: (0..<period).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
  private static let period = 65_521

  private(set) var rest: ByteBuffer

  init(_ bytes: ByteBuffer) {
    rest = bytes
  }

  var isEmpty: Bool { rest.readableBytes == 0 }

  mutating func byte() -> UInt8? { rest.readInteger() }

  /// A byte, or 0 behind the end.
  mutating func choice() -> UInt8 { rest.readInteger() ?? 0 }

  mutating func flag() -> Bool { choice() & 1 == 1 }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int(choice()) % elements.count]
  }

  /// A number of 16 bits, 0 behind the end.
  mutating func short() -> Int {
    Int(choice()) << 8 | Int(choice())
  }

  mutating func word() -> UInt64 {
    (0..<8).reduce(0) { word, _ in word << 8 | UInt64(choice()) }
  }

  /// A length: mostly small, sometimes up to `limit`.
  mutating func length(upTo limit: Int) -> Int {
    let choice = choice()
    let length =
      switch choice {
      case 0..<200: Int(choice)
      case 200..<240: Int(choice - 199) * 100
      default: Int(choice - 239) * 4_096
      }
    return min(length, limit)
  }

  /// Bytes that stand in the input itself.
  mutating func literal(upTo limit: Int) -> ByteBuffer {
    let length = min(Int(choice()), limit, rest.readableBytes)
    return rest.readSlice(length: length) ?? ByteBuffer()
  }

  /// Bytes that are a function of their position, which repeats after 65,521 of them: no frame, window or buffer size
  /// makes two places look alike.
  static func pattern(at position: UInt64, count: Int) -> ByteBuffer {
    var bytes = ByteBuffer()
    var start = Int(position % UInt64(period))
    while bytes.readableBytes < count {
      let length = min(count - bytes.readableBytes, period - start)
      guard let slice = filler.getSlice(at: start, length: length) else { break }
      bytes.writeImmutableBuffer(slice)
      start = 0
    }
    return bytes
  }

  /// Bytes of a length that the input names, but does not hold.
  static func payload(_ length: Int) -> ByteBuffer {
    pattern(at: 0, count: length)
  }
}

extension ByteBuffer {
  /// The readable bytes in pieces, each with storage of its own, so that none can be read beyond its end.
  func pieces(of size: Int) -> [ByteBuffer] {
    var rest = self
    var pieces: [ByteBuffer] = []
    while rest.readableBytes > 0, let piece = rest.readSlice(length: min(max(size, 1), rest.readableBytes)) {
      pieces.append(ByteBuffer(bytes: piece.readableBytesView))
    }
    return pieces
  }
}
