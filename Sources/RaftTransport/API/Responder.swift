public import NIOCore
import Synchronization

/// Takes the answer to one incoming RPC, once.
///
/// The first answer counts. A responder that is dropped without an answer answers with an error, so that no peer
/// waits for ever.
public final class Responder<Response: Sendable>: Sendable {
  private let completion: Mutex<(@Sendable (Reply<Response>) -> Void)?>

  /// Makes a responder that hands the answer on; for transports and their tests.
  ///
  /// - Parameter completion: Called exactly once, from whichever task or thread answers; it must not block.
  public init(_ completion: @escaping @Sendable (Reply<Response>) -> Void) {
    self.completion = Mutex(completion)
  }

  deinit {
    complete(Reply(error: ByteBuffer(string: "the RPC was dropped without an answer")))
  }

  /// Answers with a response.
  ///
  /// - Returns: `false` if the RPC had been answered before; then nothing happens.
  @discardableResult
  @specialized(where Response == AppendEntriesResponse)
  public func succeed(_ response: Response) -> Bool {
    complete(Reply(response: response))
  }

  /// Answers with an error text and, as upstream allows, a response beside it.
  ///
  /// - Parameters:
  ///   - errorText: What the caller sees as ``RemoteError/text``. An empty text would mean success to the peer, so
  ///     it is replaced by a text that says so.
  ///   - response: An object that the caller gets along with the error.
  /// - Returns: `false` if the RPC had been answered before; then nothing happens.
  @discardableResult
  public func fail(_ errorText: String, response: Response? = nil) -> Bool {
    fail(ByteBuffer(string: errorText), response: response)
  }

  /// Answers with an error of any bytes, as Go's strings may hold, and perhaps a response beside it.
  ///
  /// - Returns: `false` if the RPC had been answered before; then nothing happens.
  @discardableResult
  public func fail(_ errorBytes: ByteBuffer, response: Response? = nil) -> Bool {
    let isEmpty = errorBytes.readableBytes == 0
    let error = isEmpty ? ByteBuffer(string: "the handler failed without a text") : errorBytes
    return complete(Reply(error: error, response: response))
  }

  @discardableResult
  @specialized(where Response == AppendEntriesResponse)
  private func complete(_ reply: Reply<Response>) -> Bool {
    let taken = completion.withLock { $0.take() }
    taken?(reply)
    return taken != nil
  }
}

/// The answer to an RPC as it goes on the wire: an error text, which is absent in success, and an object.
public struct Reply<Response: Sendable>: Sendable {
  /// The error's text, any bytes; `nil` in success.
  public let error: ByteBuffer?

  /// The response object; may stand beside an error.
  public let response: Response?

  /// A successful answer.
  public init(response: Response) {
    self.error = nil
    self.response = response
  }

  /// A failure, with an object beside it where the handler gave one.
  public init(error: ByteBuffer, response: Response? = nil) {
    self.error = error
    self.response = response
  }
}
