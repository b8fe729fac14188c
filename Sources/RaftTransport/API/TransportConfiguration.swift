public import Logging
public import NIOCore
public import NIOPosix

/// How a ``MuxTransport`` behaves. Everything but the two names has a default that suits a cluster of a few nodes.
public struct TransportConfiguration: Sendable {
  /// This server's ID, 1 to 255 bytes of UTF-8, unique in the cluster for all time.
  public var serverID: ServerID

  /// The cluster's name, 1 to 255 bytes of UTF-8. Servers of different clusters refuse each other.
  public var clusterID: String

  /// The address that peers use; `nil` means the bound address, which must then be one that peers can reach.
  public var advertisedAddress: ServerAddress?

  /// How long a call may take in all, and a pipelined request from the moment when it is next to be answered; also
  /// the longest time for making a connection. Zero means no limit for calls. Upstream's `timeout`.
  public var timeout: Duration

  /// How long a snapshot may take.
  public var snapshotDeadline: SnapshotDeadline

  /// How many AppendEntries requests a pipeline may have under way: upstream's `MaxRPCsInFlight`. 0 stands for the
  /// default of 2; 1 switches pipelining off.
  public var maxRPCsInFlight: Int

  /// Which release of hashicorp/raft the payloads are written like. Reading does not depend on it.
  public var wireProfile: WireProfile

  /// Whether snapshots are compressed.
  public var compression: CompressionMode

  /// Gives current addresses by server ID; `nil` means that calls name the address themselves.
  public var addressProvider: (any ServerAddressProvider)?

  /// The Raft group whose RPCs these are, for processes that host many groups; peers must use the same number.
  public var group: UInt64

  /// Which protocols are spoken: RMUX, hashicorp/raft's own, or both.
  public var peerProtocol: ProtocolChoice

  /// How peers are dealt with that speak hashicorp/raft's own protocol.
  public var oldPeers: OldPeers

  /// How failed connections are tried again.
  public var dialling: Dialling

  /// What peers may cost.
  public var limits: Limits

  /// How much peers may send ahead of the handlers.
  public var windows: Windows

  /// How peers show who they are, and whether the bytes are protected.
  public var security: TransportSecurity

  /// When frames carry checksums.
  public var frameChecksums: FrameChecksums

  /// The threads that move the bytes. A transport takes one event loop of them, on which all its connections live; a
  /// process with several transports spreads them. The group has to outlive the transport and every task that prefers
  /// ``MuxTransport/executor``.
  public var eventLoopGroup: any EventLoopGroup

  /// Where events are logged.
  public var logger: Logger

  /// Looks names up, blocking; the system's, but for tests.
  var lookUp: HostLookups.System = HostResolver.socketAddresses

  /// What the transport takes from outside; another one than the system's is for simulations.
  package var environment = TransportEnvironment.system

  /// A configuration with defaults for everything that is not named.
  public init(
    serverID: ServerID,
    clusterID: String,
    advertisedAddress: ServerAddress? = nil,
    timeout: Duration = .seconds(10),
    snapshotDeadline: SnapshotDeadline = .progress(),
    maxRPCsInFlight: Int = 2,
    wireProfile: WireProfile = .default,
    compression: CompressionMode = .automatic,
    addressProvider: (any ServerAddressProvider)? = nil,
    group: UInt64 = 0,
    peerProtocol: ProtocolChoice = .preferRMUX,
    oldPeers: OldPeers = .defaults,
    dialling: Dialling = .defaults,
    limits: Limits = .defaults,
    windows: Windows = .defaults,
    security: TransportSecurity = .plaintext,
    frameChecksums: FrameChecksums = .automatic,
    eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "raft-mux")
  ) {
    self.serverID = serverID
    self.clusterID = clusterID
    self.advertisedAddress = advertisedAddress
    self.timeout = timeout
    self.snapshotDeadline = snapshotDeadline
    self.maxRPCsInFlight = maxRPCsInFlight
    self.wireProfile = wireProfile
    self.compression = compression
    self.addressProvider = addressProvider
    self.group = group
    self.peerProtocol = peerProtocol
    self.oldPeers = oldPeers
    self.dialling = dialling
    self.limits = limits
    self.windows = windows
    self.security = security
    self.frameChecksums = frameChecksums
    self.eventLoopGroup = eventLoopGroup
    self.logger = logger
  }

  /// How failed connections are tried again.
  ///
  /// While a peer is down, calls to it fail at once with `unreachable` instead of waiting for the network each time;
  /// one call after each pause tries again. A connection that the peer makes ends the pause.
  public struct Dialling: Sendable, Hashable {
    /// The pause after the second failure in a row (the first one has none); it doubles with each further failure.
    public var firstPause: Duration

    /// The longest pause. Each pause is shortened by a random part of up to a quarter.
    public var longestPause: Duration

    /// Pauses from 50 ms to 1 s.
    public static let defaults = Dialling(firstPause: .milliseconds(50), longestPause: .seconds(1))

    /// Pauses between the given bounds; both must be positive.
    public init(firstPause: Duration, longestPause: Duration) {
      self.firstPause = firstPause
      self.longestPause = longestPause
    }
  }

  /// What peers may cost.
  ///
  /// The bytes that one connection can hold are at most
  /// `electionStreams * windows.initial + windows.receiveBudget + 2 * maximumMessageBytes`, and the memory that these
  /// can pin four times as much; the page `limits` of the specification has the whole account.
  public struct Limits: Sendable, Hashable {
    /// The largest request or response without a snapshot's body, in bytes (16 KiB to 1 GiB).
    public var maximumMessageBytes: Int

    /// How many streams for votes, pre-votes, TimeoutNow and heartbeats a peer may have open.
    public var electionStreams: Int

    /// How many streams for AppendEntries, unary and pipelines, a peer may have open.
    public var appendStreams: Int

    /// How many snapshots a peer may send at once.
    public var snapshotStreams: Int

    /// How many requests of one stream may wait for their answers in ``Transport/consumer`` at once. Answers always
    /// go out in the order of the requests; 1 is upstream's behaviour, where a handler never sees the next request
    /// of a pipeline before it has answered the last one.
    public var unansweredRequestsPerStream: Int

    /// How many calls may wait for a connection to one peer, or for stream credit on it.
    public var waitingCalls: Int

    /// How many requests of one peer may be with handlers, over all its connections, and as many again for elections;
    /// those behind them wait on their streams. A request with n entries counts as 1 + n / 16, and what has come over
    /// connections that were lost counts as long as its handlers run. 2 KiB each.
    public var handlersPerPeer: Int

    /// The same for all peers together that prove nothing: those that speak plaintext, and can say that they are any
    /// server and as many as they like. One of them is told from the others by its ID and its IP address.
    public var handlersOfUnprovenPeers: Int

    /// How many connections may be in the handshake at once; further ones are closed.
    public var handshakes: Int

    /// How many of these may come from one address; further ones are closed.
    public var handshakesPerAddress: Int

    /// How many connections there may be in all; further peers are refused with `busy`.
    public var connections: Int

    /// 64 MiB messages, 64 + 256 + 8 streams, 64 requests ahead.
    public static let defaults = Limits()

    /// Limits with defaults for everything that is not named.
    public init(
      maximumMessageBytes: Int = 64 << 20,
      electionStreams: Int = 64,
      appendStreams: Int = 256,
      snapshotStreams: Int = 8,
      unansweredRequestsPerStream: Int = 64,
      waitingCalls: Int = 1024,
      handlersPerPeer: Int = 4096,
      handlersOfUnprovenPeers: Int = 16_384,
      handshakes: Int = 128,
      handshakesPerAddress: Int = 64,
      connections: Int = 1024
    ) {
      self.maximumMessageBytes = maximumMessageBytes
      self.electionStreams = electionStreams
      self.appendStreams = appendStreams
      self.snapshotStreams = snapshotStreams
      self.unansweredRequestsPerStream = unansweredRequestsPerStream
      self.waitingCalls = waitingCalls
      self.handlersPerPeer = handlersPerPeer
      self.handlersOfUnprovenPeers = handlersOfUnprovenPeers
      self.handshakes = handshakes
      self.handshakesPerAddress = handshakesPerAddress
      self.connections = connections
    }
  }
}
