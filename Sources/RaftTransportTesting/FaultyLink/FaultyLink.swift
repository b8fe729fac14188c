internal import NIOCore
internal import NIOPosix
public import RaftTransport

/// A TCP relay on the loopback interface that does to connections what networks do, on command.
///
/// Peers connect to ``address`` instead of the target's own. What a link is like, its rate, delay, queue and
/// jitter, is its ``LinkProfile``; what else goes wrong comes by methods. Both apply to the connections that
/// are open and to those to come, until ``heal()``. It needs no rights beyond opening a socket.
///
/// ```swift
/// let link = try await FaultyLink.start(to: server, profile: .hundredMegabit80ms)
/// try await link.stall(.toTarget, for: .seconds(3))
/// ```
///
/// What comes out at a time does not depend on timers being exact, so rate and delay are right on average even
/// where the machine is busy: a link that wakes up late hands over what is due and goes on as if it had been
/// on time. A saturated link takes an eighth to a fifth
/// of a core at rates from 20 Mb/s to 1 Gb/s.
///
/// A link keeps a few tens of kilobytes in the kernel on both sides of each connection that are no part of
/// its queue, 256 KiB at the fastest rates. The sender's own socket buffer is the sender's, as on any path.
public final class FaultyLink: Sendable {
  /// One way of the bytes.
  public enum Direction: Sendable, Hashable, CaseIterable {
    /// From whoever connected to the link, to the target.
    case toTarget
    /// From the target back.
    case toClient
  }

  /// What has gone through a link.
  public struct Figures: Sendable, Hashable {
    /// Connections that came in, refused ones included.
    public var connectionsAccepted = 0
    /// Connections that are relayed now.
    public var openConnections = 0
    /// Connections that ended because the target did not answer.
    public var targetsUnreachable = 0
    /// Bytes that went on, by direction; swallowed ones do not count.
    public var bytesForwarded: [Direction: Int] = [.toTarget: 0, .toClient: 0]
    /// Bytes that wait for the wire now, by direction.
    public var queuedBytes: [Direction: Int] = [.toTarget: 0, .toClient: 0]
    /// Bytes that are on the wire now, by direction.
    public var bytesInFlight: [Direction: Int] = [.toTarget: 0, .toClient: 0]
  }

  /// Where peers connect: `127.0.0.1` with a port that the system chose.
  public let address: ServerAddress

  private let eventLoop: any EventLoop
  private let listener: any Channel
  private let core: NIOLoopBound<FaultyLinkCore>

  private init(
    address: ServerAddress, eventLoop: any EventLoop, listener: any Channel,
    core: NIOLoopBound<FaultyLinkCore>
  ) {
    self.address = address
    self.eventLoop = eventLoop
    self.listener = listener
    self.core = core
  }

  deinit {
    self.listener.close(promise: nil)
    let core = self.core
    self.eventLoop.execute { _ = core.value.closeConnections() }
  }

  /// Starts a link to a target. It lives until ``close()`` or until it is dropped.
  ///
  /// - Parameters:
  ///   - target: `host:port`; it is connected once for each connection that comes in.
  ///   - profile: What both directions are like; ``apply(_:_:)`` makes them differ.
  /// - Throws: ``TransportError`` with `badAddress` or `badConfiguration`, or what opening the listener throws.
  public static func start(
    to target: ServerAddress, profile: LinkProfile = .unlimited
  ) async throws -> FaultyLink {
    try profile.validate()
    guard let colon = target.rawValue.lastIndex(of: ":"),
      let port = UInt16(target.rawValue[target.rawValue.index(after: colon)...])
    else {
      throw TransportError(.badAddress, "\(target) is not host:port", delivery: .notDelivered)
    }
    let host = String(target.rawValue[..<colon].filter { $0 != "[" && $0 != "]" })
    let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let core = try await eventLoop.submit {
      NIOLoopBound(
        FaultyLinkCore(eventLoop: eventLoop, targetHost: host, targetPort: Int(port), profile: profile),
        eventLoop: eventLoop)
    }.get()
    let listener = try await ServerBootstrap(group: eventLoop)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.autoRead, value: false)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { client in
        client.eventLoop.makeCompletedFuture {
          let clientEnd = LinkEndHandler()
          try client.pipeline.syncOperations.addHandler(clientEnd)
          let bound = NIOLoopBound(clientEnd, eventLoop: eventLoop)
          // The channel is active only after its initialiser has ended.
          eventLoop.execute { core.value.accept(client, bound.value) }
        }
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
    let boundPort = listener.localAddress?.port ?? 0
    return FaultyLink(
      address: ServerAddress("127.0.0.1:\(boundPort)"), eventLoop: eventLoop, listener: listener, core: core)
  }

  /// What has gone through until now.
  public func figures() async throws -> Figures {
    try await self.onLoop { $0.figures }
  }

  /// Another profile for a direction from now on. What is on the wire keeps its time.
  ///
  /// - Throws: ``TransportError`` with `badConfiguration` for a profile that is out of range.
  public func apply(_ profile: LinkProfile, _ direction: Direction) async throws {
    try profile.validate()
    try await self.onLoop { $0.change(direction, to: profile) }
  }

  /// Holds every byte back for a time: changes the profile's ``LinkProfile/delay``.
  public func delay(_ delay: Duration, _ direction: Direction) async throws {
    try await self.changeProfile(direction) { $0.delay = delay }
  }

  /// Lets no more than so many bytes a second through, of all connections together; `nil` lifts the limit.
  /// Changes the profile's ``LinkProfile/bytesPerSecond``.
  public func throttle(bytesPerSecond: Int?, _ direction: Direction) async throws {
    try await self.changeProfile(direction) { $0.bytesPerSecond = bytesPerSecond }
  }

  /// Lets nothing through and keeps it: time stands still on the path, and buffers fill up to the sender.
  /// ``resume(_:)`` lets it go on. Both directions stalled are an outage that TCP survives.
  public func stall(_ direction: Direction) async throws {
    try await self.onLoop { $0.path(direction).standStill(true) }
  }

  /// Stalls a direction and resumes it after a time, also if it was stalled or resumed in between.
  public func stall(_ direction: Direction, for length: Duration) async throws {
    let amount = TimeAmount(length)
    try await self.onLoop { core in
      core.path(direction).standStill(true)
      let path = NIOLoopBound(core.path(direction), eventLoop: core.eventLoop)
      _ = core.eventLoop.scheduleTask(in: amount) { path.value.standStill(false) }
    }
  }

  /// Ends a stall; nothing was lost.
  public func resume(_ direction: Direction) async throws {
    try await self.onLoop { $0.path(direction).standStill(false) }
  }

  /// Takes everything and throws it away, as a path does that has gone without a word.
  ///
  /// A connection that lost bytes this way is broken for good.
  public func swallow(_ direction: Direction) async throws {
    try await self.onLoop { $0.path(direction).faults.isSwallowing = true }
  }

  /// Flips bits of one byte of every connection that has not passed it.
  ///
  /// - Parameters:
  ///   - offset: How many bytes of the direction come before it.
  ///   - mask: The bits to be flipped.
  ///   - direction: Whose bytes are meant.
  public func corrupt(byteAt offset: UInt64, mask: UInt8 = 0xFF, _ direction: Direction) async throws {
    try await self.onLoop { $0.path(direction).faults.corruptions[offset] = mask }
  }

  /// Lifts everything that was imposed and returns to the profile that the link began with; bytes that were
  /// swallowed stay lost.
  public func heal() async throws {
    try await self.onLoop { core in
      core.refusesConnections = false
      for direction in Direction.allCases { core.path(direction).heal() }
    }
  }

  /// Ends all connections with a FIN to both ends; bytes that were held are lost.
  public func cut() async throws {
    try await self.onLoop { $0.forEachConnection { $0.cut() } }
  }

  /// Ends all connections with an RST to both ends.
  public func reset() async throws {
    try await self.onLoop { $0.forEachConnection { $0.reset() } }
  }

  /// Whether new connections are reset as soon as they are made.
  public func refuseConnections(_ refuses: Bool = true) async throws {
    try await self.onLoop { $0.refusesConnections = refuses }
  }

  /// Closes the listener and all connections. Closing twice does nothing.
  public func close() async {
    // What fails here is closed already.
    try? await self.listener.close().get()
    let core = self.core
    try? await self.eventLoop.flatSubmit { core.value.closeConnections() }.get()
  }

  private func changeProfile(
    _ direction: Direction, _ change: @escaping @Sendable (inout LinkProfile) -> Void
  ) async throws {
    try await self.onLoop { core in
      var profile = core.path(direction).profile
      change(&profile)
      try profile.validate()
      core.change(direction, to: profile)
    }
  }

  private func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (FaultyLinkCore) throws -> Result
  ) async throws -> Result {
    let core = self.core
    return try await self.eventLoop.submit { try body(core.value) }.get()
  }
}
