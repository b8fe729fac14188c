package import NIOCore

/// Finds the end of a message in bytes that come in any pieces.
///
/// It looks at each byte once, except those of strings, which it steps over. It keeps one counter per open level
/// of nesting and nothing of the content. What is declared must be able to fit: the least size that a message can
/// still have, with one byte for each element that is due, never exceeds the limit.
package struct MessageScanner: Sendable {
  /// The outermost values of a message.
  package enum Shape: Sendable {
    /// One value of any kind.
    case value
    /// The object of a request or response.
    case object
    /// The text of an error.
    case text
    /// The text of an error, then an object.
    case answer
  }

  private enum State {
    case lead
    case length(of: Declared, bytesLeft: Int, value: Int)
    case extensionType(length: Int)
    case payload(bytesLeft: Int)
    case finished
  }

  private enum Declared {
    case string
    case array
    case map
    case extended
  }

  private let limits: MessageLimits
  private let depth: Int
  private var state = State.lead
  /// The outermost values that are not finished yet.
  private var expected: Shape?
  /// Elements that are not finished yet in each open array or map, the outermost first; never 0.
  private var open: [Int] = []
  /// The least size of the message, by what was seen and declared so far.
  private var leastSize: Int
  /// Bytes in front of the present piece.
  private var scanned: Int

  /// A scanner at the start of a message.
  ///
  /// - Parameters:
  ///   - shape: What the message consists of.
  ///   - limits: What it may cost.
  ///   - offset: Bytes of the message in front of it, which count towards its size.
  ///   - depth: Levels of nesting around it, which count towards its depth.
  package init(shape: Shape, limits: MessageLimits = .defaults, offset: Int = 0, depth: Int = 0) {
    self.limits = limits
    self.depth = depth
    expected = shape
    leastSize = offset + 1
    scanned = offset
    if case .answer = shape { leastSize += 1 }
  }

  /// Looks at the next piece.
  ///
  /// - Returns: How many bytes of the piece belong to the message if it ends within the piece, else `nil`.
  package mutating func scan(_ piece: ByteBuffer) throws(WireError) -> Int? {
    try unsafe piece.withUnsafeReadableBytes { bytes throws(WireError) in try unsafe scan(bytes) }
  }

  mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Int? {
    var position = 0
    while position < bytes.count {
      switch state {
      case .lead:
        let byte = unsafe bytes[position]
        try begin(byte, at: scanned + position)
        position += 1
      case .length(let declared, let left, let value):
        let value = unsafe value << 8 | Int(bytes[position])
        if left > 1 {
          state = .length(of: declared, bytesLeft: left - 1, value: value)
        } else {
          try lengthKnown(declared, value, at: scanned + position)
        }
        position += 1
      case .extensionType(let length):
        let isTimestamp = unsafe bytes[position] == 0xff
        if isTimestamp && length != 4 && length != 8 && length != 12 {
          throw WireError(
            code: .malformed, message: "a timestamp of \(length) bytes", offset: scanned + position)
        }
        position += 1
        payload(length)
      case .payload(let left):
        let step = min(left, bytes.count - position)
        position += step
        payload(left - step)
      case .finished:
        return position
      }
    }
    scanned += bytes.count
    if case .finished = state { return position }
    return nil
  }

  private mutating func begin(_ byte: UInt8, at offset: Int) throws(WireError) {
    let lead = LeadByte(byte)
    if open.isEmpty { try checkExpected(byte, lead, at: offset) }
    switch lead {
    case .complete: finishValue()
    case .fixed(let count):
      try declare(count, at: offset)
      payload(count)
    case .string(let length): try lengthKnown(.string, length, at: offset)
    case .stringLength(let count): try lengthFollows(.string, count, at: offset)
    case .array(let count): try lengthKnown(.array, count, at: offset)
    case .arrayLength(let count): try lengthFollows(.array, count, at: offset)
    case .map(let pairs): try lengthKnown(.map, pairs, at: offset)
    case .mapLength(let count): try lengthFollows(.map, count, at: offset)
    case .extended(let length): try lengthKnown(.extended, length, at: offset)
    case .extendedLength(let count): try lengthFollows(.extended, count, at: offset)
    case .reserved:
      throw WireError(code: .malformed, message: "byte 0xc1, which MessagePack does not use", offset: offset)
    }
  }

  private mutating func lengthFollows(_ declared: Declared, _ count: Int, at offset: Int) throws(WireError) {
    try declare(count, at: offset)
    state = .length(of: declared, bytesLeft: count, value: 0)
  }

  private mutating func lengthKnown(_ declared: Declared, _ length: Int, at offset: Int) throws(WireError) {
    switch declared {
    case .string:
      try declare(length, at: offset)
      payload(length)
    case .extended:
      try declare(length + 1, at: offset)
      state = .extensionType(length: length)
    case .array: try enter(elements: length, at: offset)
    case .map: try enter(elements: 2 * length, at: offset)
    }
  }

  private mutating func enter(elements: Int, at offset: Int) throws(WireError) {
    guard depth + open.count < limits.maximumDepth else {
      throw WireError(
        code: .tooDeep, message: "more than \(limits.maximumDepth) levels of nesting", offset: offset)
    }
    guard elements <= limits.maximumElements else {
      throw WireError(
        code: .tooManyElements,
        message: "\(elements) elements, more than the limit of \(limits.maximumElements)",
        offset: offset)
    }
    try declare(elements, at: offset)
    if elements == 0 { return finishValue() }
    open.append(elements)
    state = .lead
  }

  private mutating func declare(_ count: Int, at offset: Int) throws(WireError) {
    leastSize += count
    guard leastSize <= limits.maximumMessageBytes else {
      throw WireError(
        code: .messageTooLarge,
        message:
          "a message of at least \(leastSize) bytes, more than the limit of \(limits.maximumMessageBytes)",
        offset: offset)
    }
  }

  private mutating func payload(_ left: Int) {
    if left == 0 { finishValue() } else { state = .payload(bytesLeft: left) }
  }

  private mutating func finishValue() {
    state = .lead
    while let last = open.last {
      if last > 1 {
        open[open.count - 1] = last - 1
        return
      }
      open.removeLast()
    }
    if case .answer = expected {
      expected = .object
    } else {
      state = .finished
    }
  }

  /// Refuses what cannot become right any more, rather than wait for the rest of it.
  private func checkExpected(_ byte: UInt8, _ lead: LeadByte, at offset: Int) throws(WireError) {
    let fits =
      switch (expected, lead) {
      case (.value, _), (.none, _): true
      case (.object, .map), (.object, .mapLength): true
      case (.text, .string), (.text, .stringLength), (.answer, .string), (.answer, .stringLength): true
      case (_, .array), (_, .arrayLength): true
      case (_, .complete): byte == 0xc0
      default: false
      }
    guard !fits else { return }
    throw WireError(
      code: .wrongType, message: "a value that starts with byte \(byte) where a message begins",
      offset: offset)
  }
}
