internal import CZlib

/// Looks at the chunk records of a body that the peer sends.
package struct ChunkAuditor: Sendable {
  package struct Fault: Error, Equatable {
    package let requirement: String
    package let text: String
  }

  private static let largestChunk: UInt32 = 262_144

  private let size: UInt64
  private var sum: UInt64 = 0
  private var pending: [UInt8] = []
  /// The end record has come.
  package private(set) var isComplete = false

  package init(size: Int64) {
    self.size = UInt64(max(0, size))
  }

  package mutating func take(_ bytes: some Collection<UInt8>) throws(Fault) {
    if isComplete, !bytes.isEmpty {
      throw Fault(requirement: "R-SNAP-11", text: "\(bytes.count) bytes behind the end record")
    }
    pending += bytes
    while !isComplete, try takeRecord() {}
  }

  /// The peer has sent FIN.
  package func finish() throws(Fault) {
    guard isComplete else { throw Fault(requirement: "R-SNAP-11", text: "FIN before the end record") }
  }

  private mutating func takeRecord() throws(Fault) -> Bool {
    var reader = ByteReader(pending)
    guard let method: UInt8 = reader.integer(), let raw: UInt32 = reader.integer(),
      let encoded: UInt32 = reader.integer()
    else { return false }
    try check(method: method, raw: raw, encoded: encoded)
    guard let bytes = reader.bytes(Int(encoded)) else { return false }
    let isLast = method == 2
    if isLast { try check(total: bytes) } else { sum += UInt64(raw) }
    if method == 1 { try Self.check(compressed: bytes, rawLength: Int(raw)) }
    pending = Array(reader.rest)
    isComplete = isLast
    if isLast, !pending.isEmpty {
      throw Fault(requirement: "R-SNAP-11", text: "\(pending.count) bytes behind the end record")
    }
    return true
  }

  private func check(method: UInt8, raw: UInt32, encoded: UInt32) throws(Fault) {
    guard method <= 2 else { throw Fault(requirement: "R-SNAP-3", text: "a chunk of method \(method)") }
    if method == 2 {
      guard raw == 0, encoded == 8 else {
        throw Fault(requirement: "R-SNAP-10", text: "an end record with the lengths \(raw) and \(encoded)")
      }
      return
    }
    guard raw >= 1, raw <= Self.largestChunk else {
      throw Fault(requirement: "R-SNAP-4", text: "a chunk of \(raw) bytes")
    }
    guard method == 0 ? encoded == raw : encoded >= 1 && encoded < raw else {
      throw Fault(
        requirement: "R-SNAP-5", text: "a chunk of method \(method) with the lengths \(raw) and \(encoded)")
    }
    guard sum + UInt64(raw) <= size else {
      throw Fault(
        requirement: "R-SNAP-6", text: "\(sum + UInt64(raw)) bytes in chunks where \(size) were said")
    }
  }

  private func check(total bytes: [UInt8]) throws(Fault) {
    var reader = ByteReader(bytes)
    let total: UInt64 = reader.integer() ?? 0
    guard total == sum, total == size else {
      throw Fault(
        requirement: "R-SNAP-10", text: "a total of \(total) behind \(sum) bytes where \(size) were said")
    }
  }

  private static func check(compressed bytes: [UInt8], rawLength: Int) throws(Fault) {
    // One byte more than there should be: so that too many are seen.
    var output = [UInt8](repeating: 0, count: rawLength + 1)
    var produced = uLong(output.count)
    var consumed = uLong(bytes.count)
    let status = unsafe uncompress2(&output, &produced, bytes, &consumed)
    guard status == Z_OK || status == Z_BUF_ERROR else {
      // zlib does not say whether the bytes are wrong or end too early.
      throw Fault(requirement: "R-SNAP-7", text: "a chunk that is no whole zlib stream (\(status))")
    }
    guard status != Z_OK || consumed == bytes.count else {
      throw Fault(
        requirement: "R-SNAP-8", text: "a zlib stream of \(consumed) bytes in a chunk of \(bytes.count)")
    }
    guard status == Z_OK, produced == rawLength else {
      throw Fault(
        requirement: "R-SNAP-9",
        text: "a zlib stream of \(produced) bytes or more that should have \(rawLength)")
    }
  }
}
