/// Bytes of a connection from a file: raw, or as some hex dump.
package enum CaptureFormat {
  /// Which way bytes went.
  package enum Direction: String, Sendable, Codable {
    /// The first or only direction.
    case first = ">"
    case second = "<"
  }

  /// A run of bytes of one direction.
  package struct Run: Sendable, Equatable {
    package let direction: Direction
    package let bytes: [UInt8]

    package init(direction: Direction, bytes: [UInt8]) {
      self.direction = direction
      self.bytes = bytes
    }

    /// The run in parts of which no more than one is looked at at once.
    var pieces: [Run] {
      stride(from: 0, to: bytes.count, by: 1 << 16).map { start in
        Run(direction: direction, bytes: Array(bytes[start..<min(start + 1 << 16, bytes.count)]))
      }
    }
  }

  /// Reads a file's contents.
  ///
  /// A text is a hex dump: digits in any grouping; in front of a line may stand an offset with a colon, as `xxd` writes
  /// it, or one of eight digits, as `hexdump -C` does; behind two blanks in a row, or a bar, come characters, which are
  /// passed over; a line that starts with `>` or `<` says which way its bytes and those of the following lines went;
  /// so does a line `dialler:` or `acceptor:`, as in the examples of the specification; `#` starts a comment.
  /// Everything else is raw bytes of one direction.
  package static func read(_ contents: [UInt8]) -> [Run] {
    let isRaw = contents.contains { $0 >= 0x7F || ($0 < 0x20 && ![0x09, 0x0A, 0x0D].contains($0)) }
    guard !isRaw, let runs = dump(String(decoding: contents, as: UTF8.self)) else {
      return [Run(direction: .first, bytes: contents)]
    }
    return runs
  }

  /// Bytes that a dump may leave out at once: two lines of text must not make gigabytes.
  private static let mostLeftOut = 1 << 26

  private static let speakers: [Substring: Direction] = ["dialler:": .first, "acceptor:": .second]

  private static func dump(_ text: String) -> [Run]? {
    var runs: [Run] = []
    var direction = Direction.first
    var hasOffsets = false
    // Where a dump leaves out lines that are like the one before, the next offset tells how many there were.
    var leftOut: (last: [UInt8], begin: Int)?
    for line in text.split(whereSeparator: \.isNewline) {
      var rest = line.prefix { $0 != "#" }.drop(while: \.isWhitespace)
      if let first = rest.first, let mark = Direction(rawValue: String(first)) {
        direction = mark
        rest = rest.dropFirst().drop(while: \.isWhitespace)
      }
      if let named = speakers[Substring(rest.filter { !$0.isWhitespace })] {
        direction = named
        continue
      }
      if rest == "*", let last = runs.last, last.bytes.count == 16 {
        leftOut = (last.bytes, runs.reduce(0) { $0 + ($1.direction == direction ? $1.bytes.count : 0) })
        continue
      }
      if let (last, begin) = leftOut, let offset = Int(rest.prefix(8), radix: 16) {
        guard offset >= begin, offset - begin <= mostLeftOut, (offset - begin).isMultiple(of: 16) else {
          return nil
        }
        let repeated = repeatElement(last, count: (offset - begin) / 16)
        runs.append(Run(direction: direction, bytes: Array(repeated.joined())))
        leftOut = nil
      }
      guard let bytes = bytes(of: rest, hasOffsets: &hasOffsets) else { return nil }
      if !bytes.isEmpty { runs.append(Run(direction: direction, bytes: bytes)) }
    }
    return runs
  }

  /// The bytes of a line without its mark; `nil` if it is no hexadecimal.
  private static func bytes(of line: Substring, hasOffsets: inout Bool) -> [UInt8]? {
    var rest = line.prefix { $0 != "|" }
    if let colon = rest.firstIndex(of: ":") {
      // Behind an offset as xxd writes it, two blanks end the digits.
      rest = rest[rest.index(after: colon)...].drop(while: \.isWhitespace)
      if let characters = rest.range(of: "  ") { rest = rest[..<characters.lowerBound] }
    } else if let blank = rest.firstIndex(of: " "), rest[..<blank].count == 8, rest[blank...].hasPrefix("  ")
    {
      rest = rest[blank...]
      hasOffsets = true
    } else if hasOffsets, rest.count == 8 {
      // The length at the end of a dump by hexdump.
      return []
    }
    let digits = rest.filter { !$0.isWhitespace }
    guard digits.allSatisfy(\.isHexDigit), digits.count.isMultiple(of: 2) else { return nil }
    return .hexadecimal(digits)
  }
}

extension Substring {
  /// Where a text first stands.
  fileprivate func range(of text: String) -> Range<Index>? {
    indices.lazy.first { self[$0...].hasPrefix(text) }.map { $0..<self.index($0, offsetBy: text.count) }
  }
}
