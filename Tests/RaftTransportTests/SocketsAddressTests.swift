import Logging
import NIOCore
import NIOPosix
import RaftTransport
import RaftTransportTesting
import Testing

@Suite("Sockets: addresses", .timeLimit(.minutes(5)))
struct SocketsAddressTests {
  /// What no resolver has to be asked about: a label of a name has at most 63 bytes.
  private static let unresolvable = String(repeating: "x", count: 70)

  /// Whether there is an IPv6 loopback interface.
  private static let hasIPv6: Bool = {
    let channel = try? ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "::1", port: 0).wait()
    try? channel?.close().wait()
    return channel != nil
  }()

  // MARK: Listening

  @Test(
    "What is no address cannot be listened on",
    arguments: [
      "", "nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:port", "127.0.0.1:99999", "127.0.0.1:-1",
      "::1:80", "[::1:80", "127.0.0.1: 80",
    ])
  func badBindAddress(_ address: String) async throws {
    let error = try await failure("listening on '\(address)'") { try await listen("a", on: address) }
    #expect(error.code == .badAddress)
    #expect(error.message.contains("'\(address)'"))
  }

  @Test("All interfaces need an advertised address", arguments: ["0.0.0.0:0", "[::]:0", ":0"])
  func allInterfaces(_ address: String) async throws {
    let error = try await failure("listening on '\(address)'") { try await listen("a", on: address) }
    #expect(error.code == .notAdvertisable)
    #expect(error.code.description == "local bind address is not advertisable")

    let transport = try await listen("a", on: address) { $0.advertisedAddress = "raft-1.example:8300" }
    #expect(transport.localAddress == "raft-1.example:8300")
    await transport.close()
  }

  @Test(
    "An advertised address has to be one that can be dialled",
    arguments: ["0.0.0.0:8300", "[::]:8300", ":8300", "127.0.0.1:0", "raft-1:0"] as [ServerAddress])
  func unusableAdvertisedAddress(_ address: ServerAddress) async throws {
    let error = try await failure("advertising \(address)") {
      try await listen("a") { $0.advertisedAddress = address }
    }
    #expect(error.code == .notAdvertisable)
  }

  @Test(
    "What is no address cannot be advertised",
    arguments: ["", "nonsense", "host:", "host:x"] as [ServerAddress])
  func badAdvertisedAddress(_ address: ServerAddress) async throws {
    let error = try await failure("advertising '\(address)'") {
      try await listen("a") { $0.advertisedAddress = address }
    }
    #expect(error.code == .badAddress)
  }

  @Test("A refused start leaves its port free")
  func refusedStartFreesThePort() async throws {
    let first = try await listen("a")
    let address = first.localAddress
    await first.close()
    for _ in 1...3 {
      let error = try await failure("advertising nothing") {
        try await listenAgain("a", on: address) { $0.advertisedAddress = "0.0.0.0:1" }
      }
      #expect(error.code == .notAdvertisable)
    }
    let second = try await listenAgain("a", on: address)
    #expect(second.localAddress == address)
    await second.close()
  }

  @Test("Port 0 becomes the port that the system chose")
  func systemPort() async throws {
    let transport = try await listen("a")
    #expect(transport.port > 0)
    #expect(transport.localAddress.rawValue == "127.0.0.1:\(transport.port)")
    await transport.close()
  }

  @Test("A port in use cannot be listened on, and its owner notices nothing")
  func portInUse() async throws {
    let owner = try await listen("b")
    let caller = try await listen("a")
    let echo = EchoConsumer(owner)
    try await closing(owner, caller) {
      let error = try await failure("listening on a port in use") {
        try await listen("c", on: owner.localAddress.rawValue)
      }
      #expect(error.code == .listenFailed)
      #expect(error.underlying != nil)
      #expect(error.message.contains("\(owner.port)"))
      try await caller.proveCall(to: owner, as: "b")
    }
    await echo.stop()
  }

  @Test("Neither a foreign address nor an unknown name can be listened on")
  func foreignAddress() async throws {
    for host in ["192.0.2.1", Self.unresolvable] {
      let error = try await failure("listening on \(host)") { try await listen("a", on: "\(host):0") }
      #expect(error.code == .listenFailed)
    }
  }

  // MARK: Calling

  @Test(
    "Calls to what is no address, to nobody and to unknown names fail undelivered",
    arguments: [
      ("", .badAddress), ("nonsense", .badAddress), ("127.0.0.1:x", .badAddress), ("::1:80", .badAddress),
      ("127.0.0.1:0", .unreachable), ("\(unresolvable):80", .unreachable),
    ] as [(String, TransportError.Code)])
  func badTarget(_ target: String, _ code: TransportError.Code) async throws {
    let caller = try await listen("a")
    try await closing(caller) {
      // The second failure in a row may come from the pause; it has to say the same.
      for _ in 1...4 {
        let error = try await failure("a call to '\(target)'") {
          try await caller.proveCall(to: "b", at: ServerAddress(target))
        }
        #expect(error.delivery == .notDelivered)
        #expect(error.code == code, "\(error)")
        let pipelineError = try await failure("a pipeline to '\(target)'") {
          try await caller.appendEntriesPipeline(id: "b", target: ServerAddress(target))
        }
        #expect(pipelineError.code == code, "\(pipelineError)")
      }
    }
  }

  @Test("A peer that comes up is called again, though calls to it failed before")
  func peerComesUp() async throws {
    let placeholder = try await listen("b")
    let address = placeholder.localAddress
    await placeholder.close()
    let caller = try await listen("a")
    try await closing(caller) {
      for _ in 1...10 {
        let error = try await failure("a call to nobody") { try await caller.proveCall(to: "b", at: address) }
        #expect(error.code == .unreachable)
        #expect(error.delivery == .notDelivered)
      }
      let callee = try await listenAgain("b", on: address)
      let echo = EchoConsumer(callee)
      try await closing(callee) {
        try await untilDelivered { try await caller.proveCall(to: "b", at: address) }
      }
      await echo.stop()
    }
  }

  @Test("Pairs on the IPv6 loopback work as others do", .enabled(if: hasIPv6))
  func ipv6() async throws {
    let one = try await listen("a", on: "[::1]:0")
    let other = try await listen("b", on: "[::1]:0")
    let echoes = [EchoConsumer(one), EchoConsumer(other)]
    try await closing(one, other) {
      #expect(one.localAddress.rawValue == "[::1]:\(one.port)")
      try await one.proveCall(to: other, as: "b")
      try await other.proveCall(to: one, as: "a")
      #expect(await one.statistics().connections.count == 1)
      #expect(await other.statistics().connections.map(\.carriesCalls) == [true])
    }
    for echo in echoes { await echo.stop() }
  }

  @Test("A peer on all interfaces earns its route with either form of its address", .enabled(if: hasIPv6))
  func mappedAddress() async throws {
    let placeholder = try await listen("b")
    let port = placeholder.port
    await placeholder.close()
    // An IPv6 socket that takes IPv4 connections sees mapped source addresses.
    let one = try await listenAgain("a", on: ServerAddress("[::]:\(port)")) {
      $0.advertisedAddress = ServerAddress("127.0.0.1:\(port)")
    }
    let other = try await listen("b")
    let echoes = [EchoConsumer(one), EchoConsumer(other)]
    try await closing(one, other) {
      try await other.proveCall(to: one, as: "a")
      #expect(await one.statistics().connections.map(\.carriesCalls) == [true])
      try await one.proveCall(to: other, as: "b")
      #expect(await one.statistics().connections.count == 1)
    }
    for echo in echoes { await echo.stop() }
  }

  // MARK: The address provider

  private struct Provider: ServerAddressProvider {
    struct Unknown: Error {}
    let addresses: [ServerID: ServerAddress]

    func serverAddress(for id: ServerID) async throws -> ServerAddress {
      guard let address = addresses[id] else { throw Unknown() }
      return address
    }
  }

  @Test("The provider's address counts, not that of the call")
  func provider() async throws {
    let callee = try await listen("b")
    let logs = LogCapture()
    let caller = try await listen("a", logger: logs.logger) {
      $0.addressProvider = Provider(addresses: ["b": callee.localAddress])
    }
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await caller.proveCall(to: "b", at: "127.0.0.1:1")
      let vote = try await caller.requestVote(
        id: "b", target: "nonsense", RequestVoteRequest(term: 9))
      #expect(vote.term == 9)
      try await caller.withAppendPipeline(id: "b", target: "") { pipeline in
        let response = try await pipeline.appendEntries(numbered(1)).response
        #expect(response.lastLog == 2)
      }
      let snapshot = try await caller.installSnapshot(
        id: "b", target: "127.0.0.1:1", InstallSnapshotRequest(size: 3),
        data: SnapshotSource(ByteBuffer(string: "abc")))
      #expect(snapshot.success)
      #expect(!logs.contains("provider"))
    }
    await echo.stop()
  }

  @Test("Where the provider throws, the call's own address counts and the log says so")
  func throwingProvider() async throws {
    let callee = try await listen("b")
    let logs = LogCapture()
    let caller = try await listen("a", logger: logs.logger) {
      $0.addressProvider = Provider(addresses: [:])
    }
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await caller.proveCall(to: callee, as: "b")
      try await logs.expect("the address provider does not know the server", level: .warning)
      #expect(logs.contains("server=b", "Unknown"))
    }
    await echo.stop()
  }

  @Test("A call to whoever answers does not ask the provider")
  func providerIsNotAskedForNobody() async throws {
    let callee = try await listen("b")
    let caller = try await listen("a") {
      $0.addressProvider = Provider(addresses: ["": "127.0.0.1:1"])
    }
    let echo = EchoConsumer(callee)
    try await closing(caller, callee) {
      try await caller.proveCall(to: callee, as: "")
    }
    await echo.stop()
  }
}
