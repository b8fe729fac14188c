/// The RPCs that peers send: upstream's `Consumer()` channel.
///
/// Several tasks may iterate at once; each RPC goes to one of them. Votes, pre-votes and TimeoutNow overtake what
/// waits, so that unanswered appends cannot keep an election out. The sequence ends when the transport is closed or
/// the iterating task is cancelled.
public struct IncomingRPCs: AsyncSequence, Sendable {
  private let queue: AsyncQueue<IncomingRPC>

  package init(queue: AsyncQueue<IncomingRPC>) {
    self.queue = queue
  }

  /// Begins to take elements.
  public func makeAsyncIterator() -> Iterator {
    Iterator(queue: queue)
  }

  /// Takes one RPC after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let queue: AsyncQueue<IncomingRPC>

    /// Waits for the next element; `nil` at the end.
    public func next() async -> IncomingRPC? {
      await queue.next()
    }

    /// Waits for the next element; `nil` at the end.
    public func next(isolation actor: isolated (any Actor)?) async -> IncomingRPC? {
      await queue.next()
    }
  }
}

/// The answered requests of a pipeline, in order: upstream's `AppendPipeline.Consumer()` channel.
///
/// The sequence ends when the pipeline is closed or broken and every future was taken.
public struct AppendFutures: AsyncSequence, Sendable {
  private let take: @Sendable () async -> AppendFuture?

  package init(_ take: @escaping @Sendable () async -> AppendFuture?) {
    self.take = take
  }

  /// Begins to take elements.
  public func makeAsyncIterator() -> Iterator {
    Iterator(take: take)
  }

  /// Takes one future after the other.
  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let take: @Sendable () async -> AppendFuture?

    /// Waits for the next element; `nil` at the end.
    public func next() async -> AppendFuture? {
      await take()
    }

    /// Waits for the next element; `nil` at the end.
    public func next(isolation actor: isolated (any Actor)?) async -> AppendFuture? {
      await take()
    }
  }
}
