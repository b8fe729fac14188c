import NIOCore
import NIOEmbedded

/// An event loop that a test turns by hand.
struct EmbeddedLoop {
  let loop = EmbeddedEventLoop()

  /// The result of a future that has to be there already.
  func result<Value: Sendable>(_ future: EventLoopFuture<Value>) throws -> Value {
    var outcome: Result<Value, any Error>?
    future.assumeIsolated().whenComplete { outcome = $0 }
    loop.run()
    guard let outcome else { throw NeverHappened(description: "a result") }
    return try outcome.get()
  }
}
