import NIOCore
import RaftWire
import StreamMux
import Synchronization

/// The works of a pipeline, shared by its users, who send requests and take answers, and by its stream on the event
/// loop.
final class PipelineCore: Sendable {
  private let encoder: WireEncoder
  private let ledger: Mutex<PipelineLedger>
  private let answered = AsyncQueue<AppendFuture>()
  private let wire: any PipelineWire

  /// - Parameter depth: `maxRPCsInFlight`, at least 2.
  init(on wire: any PipelineWire, depth: Int, encoder: WireEncoder) {
    self.wire = wire
    self.encoder = encoder
    self.ledger = Mutex(PipelineLedger(depth: depth))
  }

  /// Opens a pipeline on a stream.
  ///
  /// - Parameters:
  ///   - depth: `maxRPCsInFlight`, at least 2.
  ///   - timeout: The longest wait for each answer once it is the next to come; `nil` for no limit.
  static func open(
    on link: Link, peer: ServerID, depth: Int, group: UInt64, encoder: WireEncoder, limits: MessageLimits,
    timeout: TimeAmount?
  ) throws(TransportError) -> PipelineCore {
    let handle = LoopHandle<AppendStream>(eventLoop: link.eventLoop)
    let core = PipelineCore(on: StreamWire(link: link, stream: handle), depth: depth, encoder: encoder)
    let isOpening = link.send(
      .perform { driver in
        let stream = AppendStream(pipeline: core, limits: limits, timeout: timeout)
        handle.value = stream
        stream.open(StreamOpening(trafficClass: .append, encoding: .plain, group: group), driver)
      })
    if !isOpening { throw .connectionGone(peer) }
    return core
  }

  // MARK: From the users

  /// See ``AppendPipeline/appendEntries(_:)``.
  func send(_ request: AppendEntriesRequest) async throws -> AppendFuture {
    let bytes = try encoder.encoded(request)
    let future = AppendFuture(request: request)
    // Under one lock, so that the futures stand in the order of the bytes.
    let (number, mustWait) = try ledger.withLock { ledger throws(TransportError) in
      if let failure = ledger.failure ?? ledger.refusal { throw failure.beforeSending }
      let number = ledger.send(future)
      wire.send(bytes)
      return (number, ledger.mustWait(number))
    }
    return mustWait ? try await waitForRoom(future, number) : future
  }

  /// The next answered future; `nil` at the end.
  func nextAnswered() async -> AppendFuture? {
    guard let future = await answered.next() else { return nil }
    taken()
    return future
  }

  /// Ends the pipeline; requests without an answer fail.
  func close() {
    fail(TransportError(.pipelineClosed, "", delivery: .unknown))
    wire.close()
  }

  private func waitForRoom(_ future: AppendFuture, _ number: UInt64) async throws -> AppendFuture {
    let result: Result<AppendFuture, TransportError> = await withTaskCancellationHandler {
      await Waiter.wait { waiter in
        let ready = ledger.withLock { ledger -> Result<AppendFuture, TransportError>? in
          if let failure = ledger.failure { return .failure(failure) }
          // The request is on its way whatever becomes of the task; a cancelled one only does not wait.
          guard ledger.mustWait(number), !Task.isCancelled else { return .success(future) }
          ledger.block(
            PipelineLedger.BlockedSender(request: number, waiter: waiter, future: future))
          return nil
        }
        if let ready { waiter.resume(returning: ready) }
      }
    } onCancel: {
      let sender = ledger.withLock { $0.unblock(number) }
      sender?.waiter.resume(returning: .success(future))
    }
    return try result.get()
  }

  /// The consumer took a future: more answers may be read, and perhaps more requests sent.
  private func taken() {
    let (mayReadAgain, senders) = ledger.withLock { ledger in
      let wasFull = ledger.readAllowance == 0
      ledger.take()
      return (wasFull && ledger.readAllowance > 0, ledger.admitSenders())
    }
    for sender in senders { sender.waiter.resume(returning: .success(sender.future)) }
    if mayReadAgain { wire.consumerMadeRoom() }
  }

  // MARK: From the stream, on the event loop

  /// How many answers may be read now.
  var readAllowance: Int { ledger.withLock { $0.readAllowance } }

  /// Answers have come, for the oldest requests in their order.
  ///
  /// - Returns: How many more answers may be read now; `nil` if there are more answers than requests.
  func received(_ results: [Result<AppendEntriesResponse, TransportError>]) -> Int? {
    let (allowance, senders) = ledger.withLock { ledger -> (Int?, [PipelineLedger.BlockedSender]) in
      var settled: [AppendFuture] = []
      settled.reserveCapacity(results.count)
      for result in results {
        guard let future = ledger.answer() else { break }
        future.complete(result)
        settled.append(future)
      }
      // Under the ledger's lock, so that no end of the pipeline comes between: a future that was answered is always
      // seen by the consumer.
      answered.push(contentsOf: settled)
      return (settled.count == results.count ? ledger.readAllowance : nil, ledger.admitSenders())
    }
    for sender in senders { sender.waiter.resume(returning: .success(sender.future)) }
    return allowance
  }

  /// The peer takes no further requests; what it was asked before is still answered.
  func refuseRequests(_ error: TransportError) {
    ledger.withLock { $0.refusal = error }
  }

  /// The stream is gone; the two no longer hold each other.
  func streamEnded() {
    wire.letGo()
  }

  /// The pipeline is over.
  func fail(_ error: TransportError) {
    let senders = ledger.withLock { ledger -> [PipelineLedger.BlockedSender] in
      guard let ended = ledger.fail(error) else { return [] }
      for future in ended.futures { future.complete(.failure(error)) }
      answered.push(contentsOf: ended.futures)
      answered.finish()
      return ended.senders
    }
    for sender in senders { sender.waiter.resume(returning: .failure(error)) }
  }
}

extension TransportError {
  /// The same failure for a request that was not even sent.
  fileprivate var beforeSending: TransportError {
    TransportError(code, message, delivery: .notDelivered, underlying: underlying, remote: remote)
  }
}
