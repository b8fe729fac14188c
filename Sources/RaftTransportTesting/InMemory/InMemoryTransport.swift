public import NIOCore
public import RaftTransport
internal import Synchronization

/// A transport within one process, for tests of consensus code: upstream's `InmemTransport`.
///
/// Transports reach each other only after ``connect(_:to:)``, in one direction per call. Unlike upstream's:
/// - Pre-votes are carried, too.
/// - The heartbeat handler is honoured; upstream's ignores it.
/// - Elections (votes, pre-votes, TimeoutNow, heartbeats) have room of their own and overtake what waits.
/// - The room at a peer (upstream's channel of 16) counts requests without an answer, per link and lane.
/// - A server ID is checked where both sides name one.
/// - ``disconnect(_:)`` fails the calls under way, not only the pipelines, and ``close()`` ends the consumer.
public final class InMemoryTransport: LoopbackTransport {
  /// How an in-memory transport behaves.
  public struct Options: Sendable {
    /// How long a call may take; snapshots and TimeoutNow get ten times as long. Zero means no limit.
    public var timeout: Duration

    /// How many AppendEntries requests a pipeline may have under way; 1 switches pipelining off.
    public var maxRPCsInFlight: Int

    /// How many requests may be at one peer without an answer, for elections and for everything else each;
    /// further ones wait with the caller.
    public var unansweredRequestsPerLink: Int

    /// What measures the timeouts; a manual clock makes them part of a test's script.
    public var clock: any Clock<Duration>

    /// 500 ms, 16 requests in a pipeline and at a peer, the continuous clock.
    public static var defaults: Options { Options() }

    /// Options with defaults for everything that is not named.
    public init(
      timeout: Duration = .milliseconds(500),
      maxRPCsInFlight: Int = 16,
      unansweredRequestsPerLink: Int = 16,
      clock: any Clock<Duration> = ContinuousClock()
    ) {
      precondition(maxRPCsInFlight >= 1, "a pipeline needs room for a request")
      precondition(unansweredRequestsPerLink >= 1, "a link needs room for a request")
      self.timeout = timeout
      self.maxRPCsInFlight = maxRPCsInFlight
      self.unansweredRequestsPerLink = unansweredRequestsPerLink
      self.clock = clock
    }
  }

  private struct State {
    var isClosed = false
    var links: [ServerAddress: InMemoryLink] = [:]
  }

  /// This server's ID; empty if it has none.
  public let serverID: ServerID

  /// The address under which other transports are to connect this one.
  public let localAddress: ServerAddress

  /// The RPCs that peers send to this server.
  public var consumer: IncomingRPCs { IncomingRPCs(queue: self.inbox.queue) }

  let options: Options
  private let inbox: InMemoryInbox
  private let state = Mutex(State())

  /// Makes a transport without any route.
  ///
  /// - Parameters:
  ///   - serverID: The server's ID; empty for none, as upstream.
  ///   - address: The server's address; `nil` for a random one.
  ///   - options: How it behaves.
  public init(serverID: ServerID = "", address: ServerAddress? = nil, options: Options = .defaults) {
    self.serverID = serverID
    self.localAddress = address ?? Self.randomAddress()
    self.options = options
    self.inbox = InMemoryInbox(serverID: serverID)
  }

  deinit {
    self.shutDown()
  }

  /// A new address in the form of a random UUID: upstream's `NewInmemAddr`.
  public static func randomAddress() -> ServerAddress {
    let digits = (0..<32).map { _ in String(UInt8.random(in: 0..<16), radix: 16) }
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text += "-" }
      text += digit
    }
    return ServerAddress(text)
  }

  /// Makes a peer reachable under an address, from here only.
  ///
  /// - Precondition: The peer is an `InMemoryTransport`.
  public func connect(_ address: ServerAddress, to peer: any Transport) {
    guard let peer = peer as? InMemoryTransport else {
      preconditionFailure(
        "an in-memory transport can be connected only to another one, not to \(type(of: peer))")
    }
    let link = InMemoryLink(to: peer.inbox, slots: self.options.unansweredRequestsPerLink)
    let (isConnected, replaced) = self.state.withLock { state -> (Bool, InMemoryLink?) in
      if state.isClosed { return (false, nil) }
      if let present = state.links[address], present.inbox === peer.inbox, !present.isSevered {
        return (false, nil)
      }
      return (true, state.links.updateValue(link, forKey: address))
    }
    guard isConnected else { return }
    replaced?.sever(Self.disconnected(address))
    peer.inbox.attach(link)
  }

  /// Makes an address unreachable from here; calls and pipelines to it fail.
  public func disconnect(_ address: ServerAddress) {
    let link = self.state.withLock { $0.links.removeValue(forKey: address) }
    link?.sever(Self.disconnected(address))
  }

  /// Makes all peers unreachable from here; calls and pipelines to them fail.
  public func disconnectAll() {
    let links = self.state.withLock { state in
      defer { state.links = [:] }
      return state.links
    }
    for (address, link) in links { link.sever(Self.disconnected(address)) }
  }

  /// The address' UTF-8, as upstream's in-memory transport has it.
  public func encodePeer(id: ServerID, address: ServerAddress) -> ByteBuffer {
    ByteBuffer(string: address.rawValue)
  }

  /// The address in bytes that ``encodePeer(id:address:)`` made.
  public func decodePeer(_ bytes: ByteBuffer) -> ServerAddress {
    ServerAddress(String(buffer: bytes))
  }

  /// Sets or removes the handler that takes heartbeats past the consumer. It runs in the caller's task.
  public func setHeartbeatHandler(_ handler: HeartbeatHandler?) {
    self.inbox.setHeartbeatHandler(handler)
  }

  /// Stops serving and calling for good; what is under way in either direction fails, the consumer ends.
  public func close() async {
    self.shutDown()
  }

  private func shutDown() {
    let links = self.state.withLock { state in
      defer { state.links = [:] }
      state.isClosed = true
      return state.links
    }
    for link in links.values {
      link.sever(
        InMemorySeverance(
          code: .shutdown, codeBeforeDelivery: .shutdown, message: "this transport was closed"))
    }
    self.inbox.close()
  }

  /// The way to a peer.
  ///
  /// - Throws: `shutdown`, `cancelled`, `unreachable` and `wrongServer`, each not delivered.
  func link(to target: ServerAddress, id: ServerID) throws -> InMemoryLink {
    let (isClosed, link) = self.state.withLock { ($0.isClosed, $0.links[target]) }
    if isClosed {
      throw TransportError(.shutdown, "this transport was closed", delivery: .notDelivered)
    }
    if Task.isCancelled {
      throw TransportError(.cancelled, "the task of the call was cancelled", delivery: .notDelivered)
    }
    guard let link, !link.isSevered else {
      throw TransportError(
        .unreachable, "failed to connect to peer: \(target)", delivery: .notDelivered)
    }
    if !id.isEmpty, !link.inbox.serverID.isEmpty, id != link.inbox.serverID {
      throw TransportError(
        .wrongServer, "\(link.inbox.serverID) answers at \(target), not \(id)", delivery: .notDelivered)
    }
    return link
  }

  var origin: IncomingRPC.Origin { IncomingRPC.Origin(id: self.serverID, address: self.localAddress) }

  private static func disconnected(_ address: ServerAddress) -> InMemorySeverance {
    InMemorySeverance(
      code: .connectionLost, codeBeforeDelivery: .unreachable, message: "disconnected from peer: \(address)")
  }
}
