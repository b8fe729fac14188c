import NIOCore
import RaftWire
import StreamMux

/// What kinds of calls there are: the one place where a request is joined to its response and its traffic class.
protocol RaftRequest: WireRequest {
  associatedtype Answer: WireResponse

  /// The class that its bytes travel in.
  var trafficClass: TrafficClass { get }

  /// Wraps a response that came along with an error.
  static func remoteResponse(_ response: Answer) -> RemoteError.Response
}

extension AppendEntriesRequest: RaftRequest {
  var trafficClass: TrafficClass { isHeartbeat ? .election : .append }

  static func remoteResponse(_ response: AppendEntriesResponse) -> RemoteError.Response {
    .appendEntries(response)
  }
}

extension RequestVoteRequest: RaftRequest {
  var trafficClass: TrafficClass { .election }

  static func remoteResponse(_ response: RequestVoteResponse) -> RemoteError.Response {
    .requestVote(response)
  }
}

extension RequestPreVoteRequest: RaftRequest {
  var trafficClass: TrafficClass { .election }

  static func remoteResponse(_ response: RequestPreVoteResponse) -> RemoteError.Response {
    .requestPreVote(response)
  }
}

extension TimeoutNowRequest: RaftRequest {
  var trafficClass: TrafficClass { .election }

  static func remoteResponse(_ response: TimeoutNowResponse) -> RemoteError.Response {
    .timeoutNow(response)
  }
}

extension InstallSnapshotRequest: RaftRequest {
  var trafficClass: TrafficClass { .snapshot }

  static func remoteResponse(_ response: InstallSnapshotResponse) -> RemoteError.Response {
    .installSnapshot(response)
  }
}

extension WireEncoder {
  /// The bytes of a request; nothing is sent if it has none.
  func encoded<Request: RaftRequest>(_ request: Request) throws(TransportError) -> ByteBuffer {
    var bytes = ByteBuffer()
    do {
      try encode(request: request, into: &bytes)
    } catch {
      throw TransportError(.unencodable, error.message, delivery: .notDelivered, underlying: error)
    }
    return bytes
  }
}

extension WireAnswer {
  /// What the caller gets: the response, zero where the peer sent none, or the peer's error.
  func result<Request: RaftRequest>(
    of request: Request.Type, from peer: ServerID
  ) -> Result<Response, TransportError> where Request.Answer == Response {
    guard let error else { return .success(response ?? .blank) }
    let remote = RemoteError(bytes: error, response: response.map(Request.remoteResponse))
    return .failure(
      TransportError(
        .remote, "server '\(peer)' answered: \(remote.text)", delivery: .answered, remote: remote))
  }
}

extension TransportError {
  /// A stream that could not be opened.
  init(_ error: OpenError, peer: ServerID) {
    switch error {
    case .draining, .closed:
      self.init(.connectionLost, "to server '\(peer)', before the call began", delivery: .notDelivered)
    case .tooManyPending:
      self.init(
        .tooManyCalls, "server '\(peer)' has no stream credit left and too many calls wait for it",
        delivery: .notDelivered)
    }
  }

  /// The connection went away between being chosen and being used.
  static func connectionGone(_ peer: ServerID) -> TransportError {
    TransportError(.connectionLost, "to server '\(peer)', before the call began", delivery: .notDelivered)
  }

  /// An answer that cannot be read.
  static func malformedAnswer(_ error: WireError, peer: ServerID) -> TransportError {
    TransportError(
      .malformedResponse, "server '\(peer)' answered with something else than the protocol allows",
      delivery: .answered, underlying: error)
  }
}
