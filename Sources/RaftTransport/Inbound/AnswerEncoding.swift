import Logging
import NIOCore
import RaftWire

extension WireEncoder {
  /// The bytes of an answer; of an error where the answer has no form on the wire.
  @specialized(where Response == AppendEntriesResponse)
  func encoded<Response: WireResponse>(_ reply: Reply<Response>, logger: Logger) -> ByteBuffer {
    var bytes = ByteBuffer()
    do throws(WireError) {
      try encode(answer: WireAnswer(error: reply.error, response: reply.response), into: &bytes)
    } catch {
      logger.error("an answer cannot be encoded; the peer gets an error", metadata: ["error": "\(error)"])
      bytes = encodedError("the answer cannot be encoded: \(error.message)")
    }
    return bytes
  }

  /// An answer that is only an error text, which can always be encoded.
  func encodedError(_ text: String) -> ByteBuffer {
    var bytes = ByteBuffer()
    do {
      try encode(error: ByteBuffer(string: text), into: &bytes)
    } catch {
      preconditionFailure("an error text has an encoding: \(error)")
    }
    return bytes
  }
}
