/// Every field name that occurs in a Raft message.
package enum WireField: UInt8, CaseIterable, Sendable {
  case address
  case appendedAt
  case candidate
  case configuration
  case configurationIndex
  case data
  case entries
  case extensions
  case granted
  case id
  case index
  case lastLog
  case lastLogIndex
  case lastLogTerm
  case leader
  case leaderCommitIndex
  case leadershipTransfer
  case noRetryBackoff
  case peers
  case previousLogIndex
  case previousLogTerm
  case protocolVersion
  case size
  case snapshotVersion
  case success
  case term
  case type

  /// The name on the wire; at most 31 bytes, so that its length fits into the prefix byte.
  ///
  /// Inlined: where the field is known a key is one store of a constant.
  @inline(__always)
  package var name: StaticString {
    switch self {
    case .address: "Addr"
    case .appendedAt: "AppendedAt"
    case .candidate: "Candidate"
    case .configuration: "Configuration"
    case .configurationIndex: "ConfigurationIndex"
    case .data: "Data"
    case .entries: "Entries"
    case .extensions: "Extensions"
    case .granted: "Granted"
    case .id: "ID"
    case .index: "Index"
    case .lastLog: "LastLog"
    case .lastLogIndex: "LastLogIndex"
    case .lastLogTerm: "LastLogTerm"
    case .leader: "Leader"
    case .leaderCommitIndex: "LeaderCommitIndex"
    case .leadershipTransfer: "LeadershipTransfer"
    case .noRetryBackoff: "NoRetryBackoff"
    case .peers: "Peers"
    case .previousLogIndex: "PrevLogEntry"
    case .previousLogTerm: "PrevLogTerm"
    case .protocolVersion: "ProtocolVersion"
    case .size: "Size"
    case .snapshotVersion: "SnapshotVersion"
    case .success: "Success"
    case .term: "Term"
    case .type: "Type"
    }
  }

  /// The header's fields in the order of their declaration, which is that of messages written as arrays.
  static let header: [WireField] = [.protocolVersion, .id, .address]

  /// The field of this name, found by length and bytes without making a string.
  @inline(__always)
  static func named(_ bytes: UnsafeRawBufferPointer) -> WireField? {
    guard bytes.count >= 2,
      let candidate = unsafe candidate(length: bytes.count, first: bytes[0], second: bytes[1])
    else { return nil }
    let name = candidate.name
    guard name.utf8CodeUnitCount == bytes.count else { return nil }
    let expected = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    return unsafe isEqual(bytes, expected) ? candidate : nil
  }

  /// Whether two buffers of the same length, at least 2, hold the same bytes: a name is looked at for each field of each
  /// entry, so it is compared in words, the last of which overlaps the one before.
  private static func isEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    switch one.count {
    case 8...: unsafe isEqual(one, other, by: UInt64.self)
    case 4...: unsafe isEqual(one, other, by: UInt32.self)
    default: unsafe isEqual(one, other, by: UInt16.self)
    }
  }

  /// The same for buffers of at least one word.
  @inline(__always)
  private static func isEqual<Word: FixedWidthInteger & BitwiseCopyable>(
    _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, by word: Word.Type
  ) -> Bool {
    let last = one.count - MemoryLayout<Word>.size
    var offset = 0
    while offset < last {
      guard unsafe isEqual(one, other, word, at: offset) else { return false }
      offset += MemoryLayout<Word>.size
    }
    return unsafe isEqual(one, other, word, at: last)
  }

  @inline(__always)
  private static func isEqual<Word: FixedWidthInteger & BitwiseCopyable>(
    _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer, _ word: Word.Type, at offset: Int
  ) -> Bool {
    unsafe one.loadUnaligned(fromByteOffset: offset, as: word)
      == other.loadUnaligned(fromByteOffset: offset, as: word)
  }

  /// The only field that a name of this length and beginning can be.
  private static func candidate(length: Int, first: UInt8, second: UInt8) -> WireField? {
    switch length {
    case 2: .id
    case 4:
      switch first {
      case UInt8(ascii: "A"): .address
      case UInt8(ascii: "D"): .data
      case UInt8(ascii: "S"): .size
      default: second == UInt8(ascii: "e") ? .term : .type
      }
    case 5: first == UInt8(ascii: "I") ? .index : .peers
    case 6: .leader
    case 7:
      switch first {
      case UInt8(ascii: "E"): .entries
      case UInt8(ascii: "G"): .granted
      case UInt8(ascii: "L"): .lastLog
      default: .success
      }
    case 9: .candidate
    case 10: first == UInt8(ascii: "A") ? .appendedAt : .extensions
    case 11: first == UInt8(ascii: "L") ? .lastLogTerm : .previousLogTerm
    case 12: first == UInt8(ascii: "L") ? .lastLogIndex : .previousLogIndex
    case 13: .configuration
    case 14: .noRetryBackoff
    case 15: first == UInt8(ascii: "P") ? .protocolVersion : .snapshotVersion
    case 17: .leaderCommitIndex
    case 18: first == UInt8(ascii: "C") ? .configurationIndex : .leadershipTransfer
    default: nil
    }
  }
}
