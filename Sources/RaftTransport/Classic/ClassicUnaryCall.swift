import NIOCore
import RaftWire

/// One request to an old peer, and its answer.
///
/// Confined to the event loop, but for its result.
final class ClassicUnaryCall<Request: RaftRequest>: ClassicExchange {
  private enum State {
    case waiting
    case open(ClassicConnection)
    case ended
  }

  let target: DialTarget
  let needsFreshConnection: Bool
  private let caller: ClassicCaller
  private let request: ByteBuffer
  private let result: CallResult<Request.Answer>
  private var assembler: MessageAssembler
  private var state = State.waiting
  private var timer: Scheduled<Void>?

  private init(
    _ request: ByteBuffer, to target: DialTarget, caller: ClassicCaller, limits: MessageLimits,
    result: CallResult<Request.Answer>
  ) {
    self.target = target
    self.caller = caller
    self.request = request
    self.result = result
    assembler = MessageAssembler(limits: limits)
    // An old peer answers what it does not know by closing. On a connection that was idle before this would say
    // nothing: it may just have been closed.
    needsFreshConnection = Self.isPreVote && !caller.knowsPreVote(target.address)
  }

  private static var isPreVote: Bool { Request.rpcType == .requestPreVote }

  /// Sends a request and waits for the answer.
  ///
  /// - Parameter deadline: When the call ends with `timeout`; `nil` for never.
  static func run(
    _ request: Request, to target: DialTarget, on peers: OldPeerDirectory, deadline: NIODeadline?
  ) async throws -> Request.Answer {
    let bytes = try peers.encoder.encoded(request)
    let result = CallResult<Request.Answer>()
    let handle = LoopHandle<ClassicUnaryCall<Request>>(eventLoop: peers.eventLoop)
    peers.perform { caller in
      let call = ClassicUnaryCall(
        bytes, to: target, caller: caller, limits: peers.limits, result: result)
      handle.value = call
      call.start(deadline)
    }
    return try await result.value {
      peers.perform { _ in handle.value?.cancel() }
    }
  }

  private func start(_ deadline: NIODeadline?) {
    if let deadline {
      timer = caller.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.deadlinePassed() }
    }
    caller.start(self)
  }

  // MARK: ClassicExchange

  func begin(on connection: ClassicConnection) {
    guard case .waiting = state else { return connection.giveBack() }
    state = .open(connection)
    connection.write(request)
    connection.flush()
  }

  func failed(_ error: TransportError) {
    end(.failure(error))
  }

  func received(_ bytes: ByteBuffer, _ connection: ClassicConnection) {
    assembler.append(bytes)
    do {
      guard let answer = try assembler.nextAnswer(Request.Answer.self) else { return }
      if Self.isPreVote { caller.setKnowsPreVote(target.address, true) }
      connection.notePeerAnswered()
      state = .waiting
      // What comes behind the answer answers nothing.
      if assembler.pendingBytes == 0 { connection.giveBack() } else { connection.abandon() }
      end(answer.result(of: Request.self, from: target.id))
    } catch {
      fail(.malformedAnswer(error, peer: target.id), connection)
    }
  }

  func ended(_ end: ClassicEnd, _ connection: ClassicConnection) {
    state = .waiting
    if Self.isPreVote, !connection.hasHeard, case .closedByPeer = end {
      caller.setKnowsPreVote(target.address, false)
      if connection.isFresh { return self.end(.failure(.unexpectedCommand(target))) }
    } else {
      caller.failed(target)
    }
    self.end(.failure(end.error(peer: target)))
  }

  // MARK: The end

  private func cancel() {
    switch state {
    case .waiting: end(.failure(TransportError(.cancelled, "", delivery: .notDelivered)))
    case .open(let connection): fail(TransportError(.cancelled, "", delivery: .unknown), connection)
    case .ended: break
    }
  }

  private func deadlinePassed() {
    switch state {
    case .waiting:
      let message = "no connection to \(target.name) in time"
      end(.failure(TransportError(.timeout, message, delivery: .notDelivered)))
    case .open(let connection):
      caller.failed(target)
      fail(
        TransportError(.timeout, "\(target.name) has not answered in time", delivery: .unknown), connection)
    case .ended: break
    }
  }

  private func fail(_ error: TransportError, _ connection: ClassicConnection) {
    state = .waiting
    connection.abandon()
    end(.failure(error))
  }

  private func end(_ outcome: Result<Request.Answer, TransportError>) {
    if case .ended = state { return }
    state = .ended
    timer?.cancel()
    timer = nil
    result.complete(outcome)
  }
}

extension TransportError {
  /// What upstream's core takes for "this peer knows no pre-votes, so count it as granted" (R-CLS-18).
  static func unexpectedCommand(_ target: DialTarget) -> TransportError {
    TransportError(
      .remote, "\(target.name) does not know pre-votes: it closed the connection", delivery: .unknown,
      remote: RemoteError(bytes: ByteBuffer(string: "unexpected command")))
  }
}
