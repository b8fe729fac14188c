import Dispatch
import NIOCore
import NIOPosix
import RaftTransportTesting
import Synchronization
import Testing

@testable import RaftTransport

/// What the user's code, or the system's, never finishes.
@Suite("What hangs beside a call", .timeLimit(.minutes(2)))
struct HangingHelpersTests {
  /// Says nothing until its gate is opened, whatever happens to its caller.
  private struct HangingProvider: ServerAddressProvider {
    let gate: Gate

    func serverAddress(for id: ServerID) async throws -> ServerAddress {
      await gate.pass()
      return "127.0.0.1:1"
    }
  }

  /// Looks hosts up when it is told to.
  private final class SlowNetwork: TransportNetwork {
    struct Unused: Error {}

    let asked = Mutex<[EventLoopPromise<Set<String>>]>([])

    func listen(
      host: String, port: Int, eventLoop: any EventLoop,
      accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
      failed: @escaping @Sendable (any Error, TimeAmount) -> Void
    ) -> EventLoopFuture<any Channel> { eventLoop.makeFailedFuture(Unused()) }

    func connect(
      host: String, port: Int, eventLoop: any EventLoop, timeout: TimeAmount,
      resolver: any Resolver & Sendable,
      initialize: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> { eventLoop.makeFailedFuture(Unused()) }

    func addresses(of host: String, eventLoop: any EventLoop) -> EventLoopFuture<Set<String>> {
      let promise = eventLoop.makePromise(of: Set<String>.self)
      asked.withLock { $0.append(promise) }
      return promise.futureResult
    }
  }

  @Test("However many ask where a host is while the system looks it up, it is asked once")
  func oneLookup() async throws {
    let network = SlowNetwork()
    let checks = AddressChecks(network: network, eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    let same = (0..<5).map { _ in checks.lookUp("host") }
    let other = checks.lookUp("other host")
    #expect(network.asked.withLock { $0.count } == 2)
    for promise in network.asked.withLock({ $0 }) { promise.succeed(["192.0.2.1"]) }
    for future in same + [other] { #expect(try await future.get() == ["192.0.2.1"]) }
    // What is known now may be wrong later.
    let later = checks.lookUp("host")
    network.asked.withLock { $0.last }?.succeed(["192.0.2.2"])
    #expect(try await later.get() == ["192.0.2.2"])
  }

  enum End: CaseIterable { case deadline, cancellation, close }

  @Test("A call whose address provider hangs ends in time, undelivered", arguments: End.allCases)
  func provider(_ end: End) async throws {
    let gate = Gate()
    defer { gate.open() }
    let transport = try await listen("a") {
      $0.addressProvider = HangingProvider(gate: gate)
      $0.timeout = end == .deadline ? .milliseconds(50) : .zero
    }
    try await closing(transport) {
      let call = Task {
        try await failure("a call whose provider hangs") {
          try await transport.proveCall(to: "b", at: "127.0.0.1:1")
        }
      }
      try await eventually("the provider is asked") { gate.arrivals == 1 }
      switch end {
      case .deadline: break
      case .cancellation: call.cancel()
      case .close: await transport.close()
      }
      let error = try await call.value
      let expected: [End: TransportError.Code] = [
        .deadline: .timeout, .cancellation: .cancelled, .close: .shutdown,
      ]
      #expect(error.code == expected[end], "\(error)")
      #expect(error.delivery == .notDelivered)
      if end == .deadline { #expect(error.message.contains("address provider"), "\(error)") }
    }
  }

  /// Gives some bytes, and then nothing for as long as its gate is closed.
  private struct HangingSource: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let gate: Gate
    var hasGiven = false

    func makeAsyncIterator() -> HangingSource { self }

    mutating func next() async -> ByteBuffer? {
      if hasGiven { await gate.pass() }
      hasGiven = true
      return ByteBuffer(repeating: 1, count: 1_000)
    }
  }

  @Test(
    "A snapshot whose source ignores cancellation ends with its answer",
    arguments: [CompressionMode.off, .automatic])
  func source(_ compression: CompressionMode) async throws {
    let gate = Gate()
    defer { gate.open() }
    let (sender, receiver) = (try await listen("a") { $0.compression = compression }, try await listen("b"))
    try await closing(sender, receiver) {
      async let error = failure("a snapshot that is not wanted") {
        try await sender.installSnapshot(
          id: "b", target: receiver.localAddress, InstallSnapshotRequest(size: 1 << 20),
          data: SnapshotSource(HangingSource(gate: gate)))
      }
      let snapshot = try await receiver.nextSnapshot()
      try await eventually("the source hangs") { gate.arrivals > 0 }
      snapshot.responder.fail("no room")
      #expect(try await error.remote?.text == "no room")
    }
  }

  @Test("A snapshot whose source ignores cancellation ends when it is cancelled")
  func cancelledSource() async throws {
    let gate = Gate()
    defer { gate.open() }
    let (sender, receiver) = (try await listen("a"), try await listen("b"))
    try await closing(sender, receiver) {
      let call = Task {
        try await failure("a snapshot that is cancelled") {
          try await sender.installSnapshot(
            id: "b", target: receiver.localAddress, InstallSnapshotRequest(size: 1 << 20),
            data: SnapshotSource(HangingSource(gate: gate)))
        }
      }
      let snapshot = try await receiver.nextSnapshot()
      try await eventually("the source hangs") { gate.arrivals > 0 }
      call.cancel()
      #expect(try await call.value.code == .cancelled)
      snapshot.responder.fail("late")
    }
  }

  /// Look-ups that take as long as a test wants, each on a thread that the system gives it.
  private final class SlowNames: Sendable {
    let begun = Atomic(0)
    let ended = Atomic(0)
    private let semaphore = DispatchSemaphore(value: 0)

    var lookUp: HostLookups.System {
      { _, port in
        self.begun.add(1, ordering: .relaxed)
        self.semaphore.wait()
        self.ended.add(1, ordering: .relaxed)
        return (try? SocketAddress(ipAddress: "127.0.0.1", port: port)).map { [$0] } ?? []
      }
    }

    func release() { semaphore.signal() }
  }

  @Test("Closing does not wait for a name to be looked up, and nothing is dialled behind it")
  func closeInLookUp() async throws {
    let names = SlowNames()
    let transport = try await listen("a") { $0.lookUp = names.lookUp }
    let target = try await listen("b")
    try await closing(transport, target) {
      async let error = failure("a call whose name is being looked up") {
        try await transport.proveCall(to: "b", at: ServerAddress("some.name:\(target.port)"))
      }
      try await eventually("the look-up has begun") { names.begun.load(ordering: .relaxed) == 1 }
      await transport.close()
      #expect(names.ended.load(ordering: .relaxed) == 0)
      #expect(try await error.code == .shutdown)
      names.release()
      try await eventually("the look-up ends") { names.ended.load(ordering: .relaxed) == 1 }
      #expect(await target.statistics().events.accepted == 0)
    }
  }

  @Test("A name that takes for ever keeps neither its call beyond its time nor other calls")
  func slowName() async throws {
    let names = SlowNames()
    let transport = try await listen("a") {
      $0.lookUp = names.lookUp
      $0.timeout = .seconds(5)
    }
    let target = try await listen("b")
    let echo = EchoConsumer(target)
    try await closing(transport, target) {
      async let error = failure("a call whose name is being looked up") {
        try await transport.proveCall(to: "c", at: "some.name:1")
      }
      try await eventually("the look-up has begun") { names.begun.load(ordering: .relaxed) == 1 }
      try await transport.proveCall(to: target, as: "b")
      let result = try await error
      #expect([.timeout, .unreachable].contains(result.code), "\(result)")
      #expect(result.delivery == .notDelivered)
      names.release()
    }
    await echo.stop()
  }

  @Test("Of several look-ups under way each is let go, and later ones fail at once")
  func lookUps() throws {
    let loop = EmbeddedLoop()
    let names = SlowNames()
    let lookups = HostLookups(system: names.lookUp)
    let futures = (1...3).map { _ in lookups.resolver(on: loop.loop).initiateAQuery(host: "x", port: 1) }
    lookups.shutDown()
    for future in futures { #expect(throws: TransportError.self) { try loop.result(future) } }
    let late = lookups.resolver(on: loop.loop).initiateAAAAQuery(host: "x", port: 1)
    #expect(throws: TransportError.self) { try loop.result(late) }
    for _ in 1...3 { names.release() }
    // Literal addresses need nobody.
    let literal = lookups.resolver(on: loop.loop).initiateAAAAQuery(host: "::1", port: 7)
    #expect(try loop.result(literal).first?.ipAddress == "::1")
  }
}
