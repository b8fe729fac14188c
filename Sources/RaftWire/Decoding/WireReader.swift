package import NIOCore

/// Reads one message out of contiguous bytes, in the manner of the newer Go decoder (R-PAY-20 to R-PAY-33).
///
/// It lives inside one closure over the bytes of a buffer. Strings become slices of that buffer.
@safe
package struct WireReader {
  /// The bytes of the message, and maybe more behind it; valid during the closure only. Every access is checked.
  private let bytes: UnsafeRawBufferPointer
  /// The buffer that the bytes belong to.
  private let buffer: ByteBuffer
  let limits: MessageLimits
  /// The next byte to read, counted from the message's first.
  private(set) var position = 0
  private var depth = 0
  /// The field whose value is being read, for errors.
  private var field: WireField?

  /// Calls the body with a reader over the readable bytes of a buffer, of which no more are looked at than a
  /// message may have.
  package static func read<Result>(
    _ buffer: ByteBuffer,
    limits: MessageLimits,
    _ body: (inout WireReader) throws(WireError) -> Result
  ) throws(WireError) -> Result {
    try unsafe buffer.withUnsafeReadableBytes { bytes throws(WireError) in
      let looked = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(limits.maximumMessageBytes))
      var reader = unsafe WireReader(bytes: looked, buffer: buffer, limits: limits)
      do throws(WireError) {
        return try body(&reader)
      } catch {
        guard error.code == .truncated, buffer.readableBytes > limits.maximumMessageBytes else { throw error }
        throw reader.error(
          .messageTooLarge, "a message of more than the limit of \(limits.maximumMessageBytes) bytes")
      }
    }
  }

  private init(bytes: UnsafeRawBufferPointer, buffer: ByteBuffer, limits: MessageLimits) {
    unsafe self.bytes = bytes
    self.buffer = buffer
    self.limits = limits
  }

  // MARK: Bytes

  private var available: Int { unsafe bytes.count - position }

  // Inlined: messages are mostly short values, and a call for each byte is a fifteenth of decoding them.
  @inline(__always)
  mutating func readByte() throws(WireError) -> UInt8 {
    guard available > 0 else { throw truncated() }
    defer { position += 1 }
    return unsafe bytes[position]
  }

  @inline(__always)
  mutating func readInteger<Value: FixedWidthInteger>(_: Value.Type) throws(WireError) -> Value {
    let width = Value.bitWidth / 8
    guard available >= width else { throw truncated() }
    defer { position += width }
    return unsafe Value(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
  }

  /// Reads a length or count of 1, 2 or 4 bytes.
  mutating func readLength(bytes width: Int) throws(WireError) -> Int {
    switch width {
    case 1: Int(try readByte())
    case 2: Int(try readInteger(UInt16.self))
    default: Int(try readInteger(UInt32.self))
    }
  }

  /// Reads bytes as a slice of the buffer. (NIO cannot slice beyond 16 MiB into a buffer and copies there.)
  mutating func readSlice(_ length: Int) throws(WireError) -> ByteBuffer {
    guard length > 0 else { return ByteBuffer() }
    guard length <= available, let slice = buffer.getSlice(at: buffer.readerIndex + position, length: length)
    else { throw truncated() }
    position += length
    return slice
  }

  private mutating func readName(_ length: Int) throws(WireError) -> WireField? {
    guard length > 0 else { throw error(.malformed, "an empty key") }
    guard length <= available else { throw truncated() }
    defer { position += length }
    return unsafe WireField.named(UnsafeRawBufferPointer(rebasing: bytes[position..<position + length]))
  }

  /// Whether the next byte is nil, which is then read.
  mutating func takeNil() throws(WireError) -> Bool {
    guard available > 0 else { throw truncated() }
    guard unsafe bytes[position] == 0xc0 else { return false }
    position += 1
    return true
  }

  // MARK: Objects

  /// Reads an object: a map by names, an array by order of declaration, or nil.
  package mutating func read<Object: WireObject>(into object: inout Object) throws(WireError) {
    let lead = try readByte()
    switch LeadByte(lead) {
    case .map(let pairs): try readMap(pairs, into: &object)
    case .mapLength(let width): try readMap(try readLength(bytes: width), into: &object)
    case .array(let count): try readArray(count, into: &object)
    case .arrayLength(let width): try readArray(try readLength(bytes: width), into: &object)
    case .complete where lead == 0xc0: object = .blank
    default: throw wrongType(lead, "an object")
    }
  }

  private mutating func readMap<Object: WireObject>(_ pairs: Int, into object: inout Object) throws(WireError)
  {
    guard try enter(elements: 2 * pairs) else { return }
    for _ in 0..<pairs {
      let name = try readKey()
      try readField(name, into: &object)
    }
    depth -= 1
  }

  private mutating func readArray<Object: WireObject>(
    _ count: Int, into object: inout Object
  ) throws(WireError) {
    guard try enter(elements: count) else { return }
    let fields = Object.declaredFields
    for index in 0..<count {
      try readField(index < fields.count ? fields[index] : nil, into: &object)
    }
    depth -= 1
  }

  private mutating func readField<Object: WireObject>(
    _ name: WireField?, into object: inout Object
  ) throws(WireError) {
    let outer = field
    field = name
    if let name, try object.decode(name, from: &self) {
    } else {
      try skip()
    }
    field = outer
  }

  /// Reads a key, which is text of any format and never empty. Answers nil for a name that nobody knows.
  private mutating func readKey() throws(WireError) -> WireField? {
    let lead = try readByte()
    switch LeadByte(lead) {
    case .string(let length): return try readName(length)
    case .stringLength(let width): return try readName(try readLength(bytes: width))
    case .array(let count): return try nameFromArray(count)
    case .arrayLength(let width): return try nameFromArray(try readLength(bytes: width))
    default: throw wrongType(lead, "a key")
    }
  }

  private mutating func nameFromArray(_ count: Int) throws(WireError) -> WireField? {
    let name = try readBytesFromArray(count)
    guard name.readableBytes > 0 else { throw error(.malformed, "an empty key") }
    return unsafe name.withUnsafeReadableBytes { unsafe WireField.named($0) }
  }

  /// Goes one level down if there is anything in it.
  mutating func enter(elements: Int) throws(WireError) -> Bool {
    guard elements > 0 else { return false }
    guard depth < limits.maximumDepth else {
      throw error(.tooDeep, "more than \(limits.maximumDepth) levels of nesting")
    }
    try check(elements: elements)
    depth += 1
    return true
  }

  mutating func leave() {
    depth -= 1
  }

  func check(elements: Int) throws(WireError) {
    guard elements <= limits.maximumElements else {
      throw error(
        .tooManyElements, "\(elements) elements, more than the limit of \(limits.maximumElements)")
    }
    // One byte each is the least, so what cannot be here need not be begun.
    guard elements <= available else { throw truncated() }
  }

  /// Steps over a value of any kind, without recursion.
  private mutating func skip() throws(WireError) {
    guard available > 0 else { throw truncated() }
    var scanner = MessageScanner(shape: .value, limits: limits, offset: position, depth: depth)
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[position...])
    guard let length = try unsafe scanner.scan(rest) else { throw truncated() }
    position += length
  }

  // MARK: Errors

  @inline(never)
  func error(_ code: WireError.Code, _ message: String) -> WireError {
    WireError(code: code, message: message, offset: position, field: field.map { "\($0.name)" })
  }

  @inline(never)
  func truncated() -> WireError {
    error(.truncated, "the bytes end inside a message")
  }

  @inline(never)
  func wrongType(_ lead: UInt8, _ wanted: String) -> WireError {
    error(.wrongType, "a value that starts with byte \(lead) where \(wanted) belongs")
  }
}
