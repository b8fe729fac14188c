public import NIOCore

/// Why a call on a transport failed, and what is known of its request.
public struct TransportError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure. More kinds may come, so a `switch` needs a default.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The text for logs.
    public let description: String

    private init(_ description: String) {
      self.description = description
    }

    /// The transport was closed: upstream's `ErrTransportShutdown`.
    public static let shutdown = Code("transport shutdown")
    /// The pipeline was closed: upstream's `ErrPipelineShutdown`.
    public static let pipelineClosed = Code("append pipeline closed")
    /// Pipelining is switched off by `maxRPCsInFlight`: upstream's `ErrPipelineReplicationNotSupported`.
    public static let pipelineUnsupported = Code("pipeline replication not supported")
    /// The peer answered with an error text; see ``TransportError/remote``.
    public static let remote = Code("remote error")
    /// The deadline passed.
    public static let timeout = Code("timeout")
    /// The caller's task was cancelled.
    public static let cancelled = Code("cancelled")
    /// No connection could be made, or the peer is known to be down for the moment.
    public static let unreachable = Code("peer unreachable")
    /// Another server than the one that the call names answers at that address.
    public static let wrongServer = Code("wrong server")
    /// The peer refused the connection in the handshake.
    public static let refused = Code("refused by the peer")
    /// The two servers could not show each other who they are: certificates, keys or methods do not fit.
    public static let unauthenticated = Code("not authenticated")
    /// One of the two servers knows the other and does not allow it to speak.
    public static let unauthorized = Code("not authorized")
    /// The connection ended while the call was under way.
    public static let connectionLost = Code("connection lost")
    /// The peer ended the call's stream without an answer.
    public static let streamReset = Code("stream reset by the peer")
    /// The peer's answer is not what the protocol allows.
    public static let malformedResponse = Code("malformed response")
    /// The request has no form on the wire.
    public static let unencodable = Code("request cannot be encoded")
    /// The snapshot's source threw, ended short of the announced size, or went on beyond it.
    public static let snapshotSource = Code("snapshot source failed")
    /// The snapshot's body ended before its last byte because the sender went away.
    public static let snapshotCut = Code("snapshot cut short")
    /// The address to be advertised is not one that peers can reach: upstream's `errNotAdvertisable`.
    public static let notAdvertisable = Code("local bind address is not advertisable")
    /// An address is not `host:port`.
    public static let badAddress = Code("bad address")
    /// The configuration has a value outside its range.
    public static let badConfiguration = Code("bad configuration")
    /// A certificate, a key or a list of trust roots cannot be used.
    public static let badCredentials = Code("bad credentials")
    /// The listener could not be opened.
    public static let listenFailed = Code("cannot listen")
    /// More calls wait for this peer than the configuration allows.
    public static let tooManyCalls = Code("too many waiting calls")
  }

  /// What is known of the request when a call fails.
  public enum Delivery: Hashable, Sendable {
    /// Certainly no handler of the peer saw the request; it may be sent again safely.
    case notDelivered
    /// A handler may have seen the request, or may yet.
    case unknown
    /// The peer answered, so a handler saw the request.
    case answered
  }

  /// The kind of failure.
  public let code: Code

  /// What went wrong, where, and what to do; for people.
  public let message: String

  /// What is known of the request.
  public let delivery: Delivery

  /// The error beneath, where another library threw one.
  public let underlying: (any Error)?

  /// The peer's own error, for code `remote`.
  public let remote: RemoteError?

  /// Where in the library the error arose; for bug reports.
  public let location: SourceLocation

  /// A place in the source.
  public struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
    /// The file, as `Module/File.swift`.
    public let file: String
    /// The line.
    public let line: Int

    /// The text for logs.
    public var description: String { "\(file):\(line)" }
  }

  /// Makes an error; for transports and their tests.
  public init(
    _ code: Code, _ message: String, delivery: Delivery, underlying: (any Error)? = nil,
    remote: RemoteError? = nil, file: String = #fileID, line: Int = #line
  ) {
    self.code = code
    self.message = message
    self.delivery = delivery
    self.underlying = underlying
    self.remote = remote
    self.location = SourceLocation(file: file, line: line)
  }

  /// The text for logs.
  public var description: String {
    var text = message.isEmpty ? code.description : "\(code): \(message)"
    switch delivery {
    case .notDelivered: text += " (not delivered)"
    case .unknown: text += " (may have been delivered)"
    case .answered: break
    }
    if let underlying { text += " [\(underlying)]" }
    return text
  }
}

/// The error that the peer's handler answered with.
public struct RemoteError: Error, Sendable, CustomStringConvertible {
  /// The text just as it came; Go's strings may hold any bytes.
  public let bytes: ByteBuffer

  /// The response object that came along with the error, where there was one.
  public let response: Response?

  /// A response of any RPC.
  public enum Response: Sendable, Hashable {
    /// Of AppendEntries.
    case appendEntries(AppendEntriesResponse)
    /// Of RequestVote.
    case requestVote(RequestVoteResponse)
    /// Of RequestPreVote.
    case requestPreVote(RequestPreVoteResponse)
    /// Of InstallSnapshot.
    case installSnapshot(InstallSnapshotResponse)
    /// Of TimeoutNow.
    case timeoutNow(TimeoutNowResponse)
  }

  /// Makes a remote error; for transports and their tests.
  public init(bytes: ByteBuffer, response: Response? = nil) {
    self.bytes = bytes
    self.response = response
  }

  /// The text, with what is not UTF-8 replaced.
  public var text: String { String(buffer: bytes) }

  /// The text for logs.
  public var description: String { text }
}
