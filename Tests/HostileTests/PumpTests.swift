import Logging
import NIOCore
import NIOEmbedded
import RaftWire
import StreamMux
import Testing

@testable import RaftTransport

/// One driver on a channel without a socket, and an engine at the other end.
private final class DriverBench {
  let channel = EmbeddedChannel()
  let driver: ConnectionDriver
  private let link: Link
  private let observer = Observer()
  private var peer: MuxConnection

  /// Welcomes whoever comes.
  private final class Observer: ConnectionObserver {
    func connection(
      _ link: Link, authenticated: Hello, _ agreement: Agreement, _ endpoints: Endpoints,
      certificate: PeerCertificate?
    ) {
      link.send(.perform { $0.accept(grantsRoute: true) })
    }
    func connection(_ link: Link, establishedGrantingRoute: Bool) {}
    func connection(_ link: Link, refused refusal: Refusal) {}
    func connectionDraining(_ link: Link) {}
    func connection(_ link: Link, probeAnswered: Bool) {}
    func connection(_ link: Link, closed closure: Closure, unheard: Bool) {}
  }

  init() throws {
    let now = channel.eventLoop.now
    func engine(_ role: Role, _ id: String) throws -> MuxConnection {
      MuxConnection(
        role: role, hello: try RawPeer.hello(serverID: id), expectedServerID: nil, configuration: .defaults,
        seed: 1, now: now)
    }
    link = Link(id: LinkID(rawValue: 1), eventLoop: channel.eventLoop)
    driver = ConnectionDriver(
      engine: try engine(.dialler, "a"), link: link, observer: observer,
      services: InboundServices(configuration: TransportConfiguration(serverID: "a", clusterID: "sockets")),
      security: .plaintext, logger: .quiet)
    peer = try engine(.acceptor, "b")
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.pipeline.syncOperations.addHandler(driver)
    for _ in 0..<10 { try exchange() }
  }

  /// Carries everything there and back once.
  func exchange() throws {
    channel.embeddedEventLoop.run()
    let now = channel.eventLoop.now
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { peer.receive(bytes, now: now) }
    while let event = peer.nextEvent() {
      if case .peerAuthenticated = event { peer.accept(grantsRoute: true, now: now) }
      if case .data(let stream, let bytes) = event { peer.consume(bytes.readableBytes, of: stream) }
    }
    while let bytes = peer.nextTransmission(limit: 65_536, now: now) { try channel.writeInbound(bytes) }
  }
}

@Suite("The driver's pump")
struct PumpTests {
  private final class Writer: StreamOwner {
    var timesWritable = 0
    /// How our side ended the connection, if it did.
    var ends: [(code: ErrorCode, text: String)] = []
    /// Written as soon as there is room; `nil` at the end.
    var next: (() -> ByteBuffer?)?

    func streamReceived(_ bytes: ByteBuffer, _ stream: StreamKey, _ driver: ConnectionDriver) {}
    func streamFinished(_ stream: StreamKey, _ driver: ConnectionDriver) {}
    func streamEnded(_ end: StreamEnd, _ stream: StreamKey, _ driver: ConnectionDriver) {
      if case .connectionOver(.local(let code, let text), _) = end { ends.append((code, text)) }
    }

    func streamWritable(_ stream: StreamKey, _ driver: ConnectionDriver) {
      timesWritable += 1
      if let bytes = next?() { driver.engine.write(bytes, to: stream) }
    }
  }

  @Test("Room that is made while frames are cut is told in the same turn, and what is written then goes out")
  func roomWithinATurn() throws {
    let bench = try DriverBench()
    let writer = Writer()
    var pieces = 1
    writer.next = {
      guard pieces > 0 else { return nil }
      pieces -= 1
      return ByteBuffer(repeating: 2, count: 1_000)
    }
    var key: StreamKey?
    bench.driver.perform {
      key = try? bench.driver.open(StreamOpening(trafficClass: .append), owner: writer)
      guard let key else { return }
      // Above the low-water mark, and within the peer's window.
      bench.driver.engine.write(ByteBuffer(repeating: 1, count: 100_000), to: key)
    }
    // Nothing has come in and no timer has run: the pump itself has to hear what its own cutting of frames made.
    #expect(writer.timesWritable >= 1)
    #expect(pieces == 0)
    #expect(bench.driver.engine.queuedBytes(try #require(key)) == 0)
    #expect(!bench.driver.engine.hasTransmission)
  }

  // R-DRN-11
  @Test("A drain with a stream that never ends is bounded, and patient before that")
  func drainIsBounded() throws {
    let bench = try DriverBench()
    let writer = Writer()
    bench.driver.perform { _ = try? bench.driver.open(StreamOpening(trafficClass: .append), owner: writer) }
    bench.driver.perform { bench.driver.drain() }
    func pass(seconds: Int) throws {
      for _ in 0..<2 * seconds {
        try bench.exchange()
        bench.channel.embeddedEventLoop.advanceTime(by: .milliseconds(500))
      }
    }
    try pass(seconds: 60)
    #expect(writer.ends.isEmpty, "a snapshot may take a minute")
    try pass(seconds: 3_600)
    #expect(writer.ends.map(\.code) == [.shutdown])
  }

  @Test("Rounds in a row have an end, and the rest goes out when others have had their turn")
  func manyRounds() throws {
    let bench = try DriverBench()
    let writer = Writer()
    var left = 200
    writer.next = {
      guard left > 0 else { return nil }
      left -= 1
      return ByteBuffer(repeating: 2, count: 100_000)
    }
    bench.driver.perform {
      guard let key = try? bench.driver.open(StreamOpening(trafficClass: .append), owner: writer) else {
        return
      }
      bench.driver.engine.write(ByteBuffer(repeating: 1, count: 100_000), to: key)
    }
    #expect(left > 100, "the loop's others wait")
    for _ in 0..<2_000 where left > 0 {
      try bench.exchange()
      bench.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    }
    #expect(left == 0)
  }
}
