import DequeModule

/// The books of one pipeline: which requests are under way, who may send the next one and which answers wait for the
/// consumer. A plain value; the continuations in it are resumed by whoever gets them back.
///
/// hashicorp/raft has a channel of N - 2 futures under way, one reader that holds one more, and a channel of N - 2
/// answered ones; a sender writes first and then waits until its future fits. The same counts follow here from the
/// lengths of two queues.
struct PipelineLedger {
  struct BlockedSender {
    /// The number of its request among all of the pipeline.
    let request: UInt64
    let waiter: Waiter<Result<AppendFuture, TransportError>>
    let future: AppendFuture
  }

  /// The capacity of each of upstream's two channels.
  private let capacity: Int
  private var unanswered = Deque<AppendFuture>()
  /// Requests that were sent in all; the last of them have the numbers up to this one.
  private var sentCount: UInt64 = 0
  private var answeredCount: UInt64 = 0
  private var blocked = Deque<BlockedSender>()
  private(set) var failure: TransportError?
  /// Why no further requests are taken, though those under way may still be answered.
  var refusal: TransportError?
  /// Answered futures that the consumer has not taken.
  private(set) var untaken = 0

  /// - Parameter depth: `maxRPCsInFlight`, at least 2.
  init(depth: Int) {
    precondition(depth >= 2, "a pipeline of less than two requests is a unary call")
    capacity = depth - 2
  }

  /// How many more answers the reader may deliver before the consumer takes one.
  var readAllowance: Int { max(0, capacity + 1 - untaken) }

  /// How many requests without an answer are let in; those beyond are written, but their senders wait.
  private var room: Int { capacity + (readAllowance > 0 ? 1 : 0) }

  /// Notes a request that is about to be written; answers its number.
  mutating func send(_ future: AppendFuture) -> UInt64 {
    unanswered.append(future)
    sentCount += 1
    return sentCount
  }

  /// Whether the sender of a request has to wait.
  func mustWait(_ request: UInt64) -> Bool {
    request > answeredCount + UInt64(room)
  }

  mutating func block(_ sender: BlockedSender) {
    blocked.append(sender)
  }

  /// Takes a waiting sender out, whose task was cancelled.
  mutating func unblock(_ request: UInt64) -> BlockedSender? {
    guard let index = blocked.firstIndex(where: { $0.request == request }) else { return nil }
    return blocked.remove(at: index)
  }

  /// The oldest request has its answer: its future, which now waits for the consumer. `nil` for an answer to
  /// nothing, which only a faulty peer sends.
  mutating func answer() -> AppendFuture? {
    guard let future = unanswered.popFirst() else { return nil }
    answeredCount += 1
    untaken += 1
    return future
  }

  /// The consumer took an answered future.
  mutating func take() {
    untaken -= 1
  }

  /// The senders that need not wait any longer.
  mutating func admitSenders() -> [BlockedSender] {
    var admitted: [BlockedSender] = []
    while let first = blocked.first, !mustWait(first.request) {
      admitted.append(first)
      blocked.removeFirst()
    }
    return admitted
  }

  /// The pipeline is over, once: the futures that will have no answer, and the senders that wait in vain.
  mutating func fail(_ error: TransportError) -> (futures: [AppendFuture], senders: [BlockedSender])? {
    guard failure == nil else { return nil }
    failure = error
    defer {
      unanswered = []
      blocked = []
    }
    return (Array(unanswered), Array(blocked))
  }
}
