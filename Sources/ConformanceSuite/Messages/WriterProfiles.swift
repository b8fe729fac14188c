internal import NIOCore
internal import RaftWire

/// Which profiles a writer can have, by what it wrote: a message is right if one of them writes the same bytes (R-PAY-7
/// to R-PAY-17), and all messages of a writer have to be right by one and the same (R-PAY-18).
struct WriterProfiles: Sendable {
  private(set) var possible = WireProfile.allCases

  static let rule = "the bytes that one of the five profiles writes (R-PAY-7 to R-PAY-18)"

  /// Takes note of an answer and of the bytes from which it was read.
  mutating func note<Response: WireResponse>(
    _ answer: WireAnswer<Response>, _ bytes: ByteBuffer
  ) throws(CaseFailure) {
    try narrow("an answer", bytes) { encoder, buffer throws(WireError) in
      try encoder.encode(answer: answer, into: &buffer)
    }
  }

  /// Takes note of a request and of the bytes that begin with it.
  ///
  /// - Returns: How many bytes the request has.
  mutating func note(_ request: WireCommand, _ bytes: ByteBuffer) throws(CaseFailure) -> Int {
    try narrow("a request (\(request.rpcType))", bytes) { encoder, buffer throws(WireError) in
      try encoder.encode(command: request, into: &buffer)
    }
  }

  @discardableResult
  private mutating func narrow(
    _ what: String, _ bytes: ByteBuffer,
    _ encode: (WireEncoder, inout ByteBuffer) throws(WireError) -> Void
  ) throws(CaseFailure) -> Int {
    var length = 0
    // A value without an encoding was not written by one.
    let fitting = WireProfile.allCases.filter { profile in
      var buffer = ByteBuffer()
      do { try encode(WireEncoder(profile: profile), &buffer) } catch { return false }
      let count = buffer.readableBytes
      guard bytes.getSlice(at: bytes.readerIndex, length: count) == buffer else { return false }
      length = count
      return true
    }
    guard !fitting.isEmpty else {
      throw CaseFailure(
        expected: Self.rule,
        actual: "\(what) in other bytes: \(hexadecimal(bytes.readableBytesView.prefix(256)))")
    }
    let common = possible.filter(fitting.contains)
    guard !common.isEmpty else {
      throw CaseFailure(
        expected: Self.rule,
        actual:
          "\(what) as \(Self.names(fitting)) write it, behind others as \(Self.names(possible)) write them")
    }
    possible = common
    return length
  }

  private static func names(_ profiles: [WireProfile]) -> String {
    profiles.map(\.rawValue).joined(separator: ", ")
  }
}

/// Reads the answers of one stream as a strict reader does.
struct AnswerReader {
  private var buffer: ByteBuffer
  private var profiles = WriterProfiles()
  private let what: String
  private var count = 0

  init(_ bytes: [UInt8], _ what: String) {
    buffer = ByteBuffer(bytes: bytes)
    self.what = what
  }

  @discardableResult
  mutating func next<Response: WireResponse>(_: Response.Type) throws(CaseFailure) -> WireAnswer<Response> {
    count += 1
    let before = buffer
    let answer: WireAnswer<Response>
    do {
      answer = try WireDecoder().decodeAnswer(Response.self, from: &buffer)
    } catch {
      throw CaseFailure(
        expected: what,
        actual: "\(before.readableBytes) bytes of which answer \(count) cannot be read: \(error)")
    }
    guard answer.response != nil || answer.error != nil else {
      throw CaseFailure(expected: what, actual: "no error and no object in answer \(count)")
    }
    var bytes = before
    try profiles.note(answer, bytes.readSlice(length: before.readableBytes - buffer.readableBytes) ?? before)
    return answer
  }

  func finish() throws(CaseFailure) {
    guard buffer.readableBytes == 0 else {
      throw CaseFailure(expected: what, actual: "\(buffer.readableBytes) bytes more")
    }
  }
}
