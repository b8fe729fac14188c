import Crypto
import Foundation
import Logging
import NIOCore
import RaftTransport
import Synchronization

/// One server of this library that answers what comes, by the same rules as the Go peer: each answer is a function of
/// its request.
struct SwiftPeer: Sendable {
  let transport: MuxTransport
  private let answering: Answering
  private let serving: Task<Void, Never>

  /// Opens the transport and begins to answer.
  ///
  /// - Parameters:
  ///   - failure: A term, and the error text that requests of this term get.
  ///   - adjust: Changes the configuration before it is used.
  init(
    id: String = "swift", failure: (term: UInt64, text: String)? = nil,
    adjust: (inout TransportConfiguration) -> Void = { _ in }
  ) async throws {
    var configuration = TransportConfiguration(
      serverID: ServerID(id), clusterID: "interop", timeout: .seconds(30), maxRPCsInFlight: 128,
      logger: .interop)
    adjust(&configuration)
    let transport = try await MuxTransport.listen(on: "127.0.0.1:0", configuration: configuration)
    let answering = Answering(failure)
    self.transport = transport
    self.answering = answering
    serving = Task {
      await withDiscardingTaskGroup { group in
        for await rpc in transport.consumer {
          if case .installSnapshot(let request, let body, let responder) = rpc.command {
            group.addTask { await answering.install(request, body, responder) }
          } else {
            answering.answer(rpc)
          }
        }
      }
    }
  }

  /// What was asked of it until now.
  var seen: Seen { answering.seen }

  var address: String { transport.localAddress.rawValue }

  func close() async {
    await transport.close()
    await serving.value
  }
}

/// What a server was asked.
struct Seen: Sendable {
  var appendEntries: [AppendEntriesRequest] = []
  var requestVote: [RequestVoteRequest] = []
  var timeoutNow = 0
  var installSnapshot: [InstallSnapshotRequest] = []
  /// The sums of the bodies that came whole, in hexadecimal.
  var snapshots: [String] = []
  /// What reading the others ended with.
  var snapshotErrors: [TransportError.Code?] = []
}

private final class Answering: Sendable {
  private let failure: (term: UInt64, text: String)?
  private let state = Mutex(Seen())

  init(_ failure: (term: UInt64, text: String)?) { self.failure = failure }

  var seen: Seen { state.withLock { $0 } }

  func answer(_ rpc: IncomingRPC) {
    switch rpc.command {
    case .appendEntries(let request, let responder):
      state.withLock { $0.appendEntries.append(request) }
      let count = request.entries?.count ?? 0
      reply(
        AppendEntriesResponse(
          header: request.header, term: request.term, lastLog: request.previousLogIndex + UInt64(count),
          success: true, noRetryBackoff: count == 0), to: responder, ofTerm: request.term)
    case .requestVote(let request, let responder):
      state.withLock { $0.requestVote.append(request) }
      reply(
        RequestVoteResponse(
          header: request.header, term: request.term, peers: request.candidate,
          granted: request.lastLogIndex % 2 == 0), to: responder, ofTerm: request.term)
    case .timeoutNow(let request, let responder):
      state.withLock { $0.timeoutNow += 1 }
      responder.succeed(TimeoutNowResponse(header: request.header))
    case .requestPreVote, .installSnapshot:
      rpc.fail("unexpected command")
    }
  }

  func install(
    _ request: InstallSnapshotRequest, _ body: SnapshotBody, _ responder: Responder<InstallSnapshotResponse>
  ) async {
    state.withLock { $0.installSnapshot.append(request) }
    if let failure, failure.term == request.term {
      // The body is left alone: what nobody wants need not be sent.
      responder.fail(failure.text)
      return
    }
    var sum = SHA256()
    do {
      for try await piece in body { sum.update(data: Data(piece.readableBytesView)) }
      let text = sum.finalize().hexadecimal
      state.withLock { $0.snapshots.append(text) }
      responder.succeed(InstallSnapshotResponse(header: request.header, term: request.term, success: true))
    } catch {
      state.withLock { $0.snapshotErrors.append((error as? TransportError)?.code) }
      responder.fail("the snapshot could not be read: \(error)")
    }
  }

  private func reply<Response>(_ response: Response, to responder: Responder<Response>, ofTerm term: UInt64) {
    if let failure, failure.term == term {
      responder.fail(failure.text, response: response)
    } else {
      responder.succeed(response)
    }
  }
}

extension Sequence<UInt8> {
  var hexadecimal: String { map { String(format: "%02x", $0) }.joined() }
}

extension Logger {
  /// Swallows everything, unless `RAFT_MUX_TEST_LOG` asks for it.
  static let interop: Logger = {
    guard ProcessInfo.processInfo.environment["RAFT_MUX_TEST_LOG"] != nil else {
      return Logger(label: "interop") { _ in SwiftLogNoOpLogHandler() }
    }
    var logger = Logger(label: "interop")
    logger.logLevel = .trace
    return logger
  }()
}
