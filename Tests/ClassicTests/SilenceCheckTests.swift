import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import Testing

@testable import RaftTransport

/// Whether a peer bears silence (R-CLS-26), with sockets and time that a test has in its hands.
@Suite(.timeLimit(.minutes(2))) struct SilenceCheckTests {
  /// One look at a peer, and the connection that is made for it.
  private struct Look {
    let network = HandNetwork()
    let caller: ClassicCaller
    let verdicts = Verdicts()

    init() {
      var configuration = TransportConfiguration(serverID: "caller", clusterID: "classic", logger: .quiet)
      configuration.environment.network = network
      let chooser = ProtocolChooser(configuration: configuration, eventLoop: network.loop)
      caller = ClassicCaller(configuration: configuration, chooser: chooser, eventLoop: network.loop)
      let verdicts = verdicts
      caller.look(at: DialTarget(address: "127.0.0.1:1", id: "old")) { verdicts.all.append($0) }
    }
  }

  private final class Verdicts {
    var all: [Bool] = []
  }

  // R-CLS-26
  @Test("a connection that stays open for a tenth of a second says yes, and serves the first call")
  func staysOpen() throws {
    let look = Look()
    let channel = try look.network.stand()
    look.network.loop.advanceTime(by: .milliseconds(99))
    #expect(look.verdicts.all == [])
    look.network.loop.advanceTime(by: .milliseconds(1))
    #expect(look.verdicts.all == [true])
    #expect(channel.isActive)
    // The next look finds it and opens no other one.
    look.caller.look(at: DialTarget(address: "127.0.0.1:1", id: "old")) { look.verdicts.all.append($0) }
    #expect(look.verdicts.all == [true, true])
    #expect(look.network.attempts == 1)
  }

  // R-CLS-26
  @Test("a connection that is closed says no if that is soon, and is forgotten if it is later")
  func closed() throws {
    let early = Look()
    let first = try early.network.stand()
    early.network.loop.advanceTime(by: .milliseconds(99))
    first.close(promise: nil)
    early.network.loop.advanceTime(by: .seconds(10))
    #expect(early.verdicts.all == [false])
    let late = Look()
    let second = try late.network.stand()
    late.network.loop.advanceTime(by: .milliseconds(101))
    second.close(promise: nil)
    late.network.loop.advanceTime(by: .seconds(10))
    #expect(late.verdicts.all == [true])
    #expect(late.caller.statistics.isEmpty)
  }

  // R-CLS-26
  @Test("a server that speaks first is none of the old protocol")
  func speaks() throws {
    let look = Look()
    let channel = try look.network.stand()
    try channel.writeInbound(ByteBuffer(string: "220 ready\r\n"))
    #expect(look.verdicts.all == [false])
    #expect(!channel.isActive)
    look.network.loop.advanceTime(by: .seconds(10))
    #expect(look.verdicts.all == [false])
  }

  @Test(
    "while it listens the streams may be closed, and everything may be shut down", arguments: [true, false])
  func interrupted(isShutDown: Bool) throws {
    let look = Look()
    let channel = try look.network.stand()
    look.network.loop.advanceTime(by: .milliseconds(50))
    if isShutDown { look.caller.shutDown() } else { look.caller.retireAll() }
    look.network.loop.run()
    #expect(look.verdicts.all == [false])
    #expect(!channel.isActive)
    look.network.loop.advanceTime(by: .seconds(10))
    #expect(look.verdicts.all == [false])
    #expect(look.caller.statistics.isEmpty)
  }

  @Test(
    "a connection that hangs delays the error that is known by a second and not by all that dialling may take"
  )
  func hangs() throws {
    let look = Look()
    look.network.loop.advanceTime(by: .milliseconds(999))
    #expect(look.verdicts.all == [])
    look.network.loop.advanceTime(by: .milliseconds(1))
    #expect(look.verdicts.all == [false])
    // Nothing of it is left that would count as a call.
    for _ in 1...TransportConfiguration.OldPeers.defaults.maximumCalls {
      look.caller.look(at: DialTarget(address: "127.0.0.1:1", id: "old")) { _ in }
      look.network.loop.advanceTime(by: .seconds(1))
    }
    look.caller.look(at: DialTarget(address: "127.0.0.1:1", id: "old")) { look.verdicts.all.append($0) }
    _ = try look.network.stand()
    look.network.loop.advanceTime(by: .milliseconds(100))
    #expect(look.verdicts.all == [false, true])
  }

  @Test("a connection that is refused says no")
  func refused() {
    let look = Look()
    look.network.refuse()
    #expect(look.verdicts.all == [false])
    look.network.loop.advanceTime(by: .seconds(10))
    #expect(look.verdicts.all == [false])
  }

  // R-CLS-26
  @Test(
    "a call that is cancelled while its peer is looked at ends, and so does one whose transport is closed")
  func callsInBetween() async throws {
    for isCancelled in [true, false] {
      let host = try await RawListener.start()
      let caller = try await listen("caller")
      let call = Task { try await caller.proveCall(to: "host", at: host.address) }
      // RMUX is closed in silence; then comes the connection on which nothing is said.
      let first = try await host.next()
      #expect(await first.next()?.readableBytesView.first == 0xAC)
      await first.close()
      let silent = try await host.next()
      if isCancelled { call.cancel() } else { await caller.close() }
      let error = try await failure("the call") { try await call.value }
      // On a machine that is busy for long enough the request may have been sent.
      #expect(error.delivery != .answered, "\(error)")
      // Whether the end of the transport is heard first, or that of the look at the peer, which then is unreachable.
      let codes: Set<TransportError.Code> = isCancelled ? [.cancelled] : [.shutdown, .unreachable]
      #expect(codes.contains(error.code), "\(error)")
      await caller.close()
      _ = await silent.remaining()
      await host.close()
    }
  }
}

/// A network whose connections stand when a test says so. All of it is used in one thread.
private final class HandNetwork: TransportNetwork {
  let loop = EmbeddedEventLoop()
  private let pending = Mutex<[(channel: EmbeddedChannel, promise: EventLoopPromise<any Channel>)]>([])
  private let count = Mutex(0)

  /// How often somebody was dialled.
  var attempts: Int { count.withLock { $0 } }

  /// The connection that is being made stands now.
  func stand() throws -> EmbeddedChannel {
    let next = pending.withLock { $0.removeLast() }
    try next.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    next.promise.succeed(next.channel)
    loop.run()
    return next.channel
  }

  /// Nobody is there.
  func refuse() {
    let next = pending.withLock { $0.removeLast() }
    next.promise.fail(ChannelError.connectTimeout(.seconds(1)))
    loop.run()
  }

  func listen(
    host: String, port: Int, eventLoop: any EventLoop,
    accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
    failed: @escaping @Sendable (any Error, TimeAmount) -> Void
  ) -> EventLoopFuture<any Channel> {
    eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
  }

  func connect(
    host: String, port: Int, eventLoop: any EventLoop, timeout: TimeAmount,
    resolver: any Resolver & Sendable,
    initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any Channel> {
    count.withLock { $0 += 1 }
    let channel = EmbeddedChannel(loop: loop)
    let promise = eventLoop.makePromise(of: (any Channel).self)
    initialize(channel).cascadeFailure(to: promise)
    pending.withLock { $0.append((channel, promise)) }
    loop.scheduleTask(in: timeout) { promise.fail(ChannelError.connectTimeout(timeout)) }
    return promise.futureResult
  }

  func addresses(of host: String, eventLoop: any EventLoop) -> EventLoopFuture<Set<String>> {
    eventLoop.makeSucceededFuture([])
  }
}
