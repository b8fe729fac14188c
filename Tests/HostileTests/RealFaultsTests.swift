import Foundation
import Logging
import NIOCore
import NIOPosix
import RaftTransport
import RaftTransportTesting
import StreamMux
import Synchronization
import Testing

/// What happens to machines and processes, and the error that the user sees of it.
@Suite(
  "Faults of processes and machines", .serialized, .enabled(if: FaultProcess.isAvailable),
  .timeLimit(.minutes(5)))
struct RealFaultsTests {
  private static let size: Int64 = 256 << 20

  private static var source: SnapshotSource {
    SnapshotSource(Array(repeating: ByteBuffer(repeating: 0x5A, count: 1 << 20), count: Int(size >> 20)))
  }

  // MARK: kill -9

  @Test("A receiver that is killed in the middle of a snapshot: connection lost, may have been delivered")
  func receiverKilledInSnapshot() async throws {
    let sender = try await listen("a") { $0.compression = .off }
    try await closing(sender) {
      try await FaultProcess.with("--consumer", "hold") { receiver in
        async let error = failure("a snapshot to a process that is killed") {
          try await sender.installSnapshot(
            id: "b", target: receiver.address, InstallSnapshotRequest(size: Self.size), data: Self.source)
        }
        try await eventually("the snapshot is on its way") {
          await sender.statistics().connections.first?.snapshots.first.map { $0.encodedBytes > 0 } ?? false
        }
        receiver.kill()
        let result = try await error
        #expect(result.code == .connectionLost, "\(result)")
        #expect(result.delivery == .unknown)
        let next = try await failure("a call to a process that is gone") {
          try await sender.proveCall(to: "b", at: receiver.address)
        }
        #expect(next.code == .unreachable, "\(next)")
        #expect(next.delivery == .notDelivered)
      }
    }
  }

  @Test("A sender that is killed in the middle of a snapshot: the body throws, and never looks whole")
  func senderKilledInSnapshot() async throws {
    let receiver = try await listen("a")
    try await closing(receiver) {
      try await FaultProcess.with { sender in
        try sender.order("snapshot a \(receiver.localAddress) \(Self.size)")
        let snapshot = try await receiver.nextSnapshot()
        var taken: Int64 = 0
        let error = try await failure("a body whose sender is killed") {
          for try await piece in snapshot.body {
            if taken == 0 { sender.kill() }
            taken += Int64(piece.readableBytes)
          }
        }
        #expect(error.code == .snapshotCut, "\(error)")
        #expect(taken < Self.size)
        snapshot.responder.fail("too late")
      }
    }
  }

  @Test(
    "A receiver that is killed under a pipeline: what was not answered fails, and the next call is unreachable"
  )
  func receiverKilledInPipeline() async throws {
    let sender = try await listen("a") { $0.maxRPCsInFlight = 32 }
    try await closing(sender) {
      try await FaultProcess.with("--consumer", "hold") { receiver in
        let pipeline = try await sender.appendEntriesPipeline(id: "b", target: receiver.address)
        var futures: [AppendFuture] = []
        for number: UInt64 in 1...16 { futures.append(try await pipeline.appendEntries(numbered(number))) }
        while try await receiver.line(beginning: "holding") != "holding 16" {}
        receiver.kill()
        for future in futures {
          let error = try await failure("a request to a process that is killed") { try await future.response }
          #expect(error.code == .connectionLost, "\(error)")
          #expect(error.delivery == .unknown, "its handler had the request")
        }
        await pipeline.close()
        let error = try await failure("a call to a process that is gone") {
          try await sender.proveCall(to: "b", at: receiver.address)
        }
        #expect(error.code == .unreachable, "\(error)")
        #expect(error.delivery == .notDelivered)
      }
    }
  }

  @Test("A sender that is killed under a pipeline leaves nothing behind, and the next one is served")
  func senderKilledInPipeline() async throws {
    let receiver = try await listen("a")
    let echo = EchoConsumer(receiver)
    try await closing(receiver) {
      for _ in 1...2 {
        try await FaultProcess.with { sender in
          try sender.order("pipeline a \(receiver.localAddress)")
          _ = try await sender.line(beginning: "pipelining")
          let before = echo.counts.appendEntries
          try await eventually("it is pipelining") { echo.counts.appendEntries > before + 10 }
          sender.kill()
          try await eventually("its connection is gone") { await receiver.statistics().connections.isEmpty }
        }
      }
      #expect(await receiver.statistics().events.closures["endOfInput"] == 2)
    }
    await echo.stop()
  }

  // MARK: A black hole

  @Test(
    "A process that is stopped is given up as silent and not by the call's own limit, and found again when it goes on"
  )
  func stopped() async throws {
    let log = LogCapture()
    let sender = try await listen("a", logger: log.logger)
    try await closing(sender) {
      try await FaultProcess.with { receiver in
        try await sender.proveCall(to: "b", at: receiver.address)
        try await receiver.stop()
        let error = try await failure("a call into a black hole") {
          try await sender.proveCall(to: "b", at: receiver.address)
        }
        #expect(error.code == .connectionLost, "\(error)")
        #expect(error.delivery == .unknown)
        try await log.expect("nothing was heard of the peer for too long", level: .warning)
        try await eventually("it is counted") { await sender.statistics().events.closures["silent"] == 1 }
        receiver.goOn()
        try await untilDelivered { try await sender.proveCall(to: "b", at: receiver.address) }
      }
    }
  }

  // MARK: Out of something

  @Test("A receiver whose disk is full answers its error, and the sender sees the text")
  func diskFull() async throws {
    let sender = try await listen("a") { $0.compression = .off }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(
      "rmux-\(UInt64.random(in: 0...(.max)))")
    defer { try? FileManager.default.removeItem(at: path) }
    try await closing(sender) {
      try await FaultProcess.with("--consumer", path.path, "--file-size", "\(4 << 20)") { receiver in
        let error = try await failure("a snapshot for a full disk") {
          try await sender.installSnapshot(
            id: "b", target: receiver.address, InstallSnapshotRequest(size: Self.size), data: Self.source)
        }
        #expect(error.code == .remote, "\(error)")
        #expect(error.delivery == .answered)
        #expect(error.remote?.text.contains("cannot store the snapshot") == true, "\(error)")
        // The connection is none the worse for it, and a snapshot that fits is stored.
        let response = try await sender.installSnapshot(
          id: "b", target: receiver.address, InstallSnapshotRequest(size: 1 << 20),
          data: SnapshotSource(ByteBuffer(repeating: 1, count: 1 << 20)))
        #expect(response.success)
        #expect(await sender.statistics().events.dialled == 1)
      }
    }
  }

  @Test("A server without descriptors goes on serving those that it has, and accepts again when it has some")
  func descriptorsExhausted() async throws {
    let friend = try await listen("a")
    try await closing(friend) {
      try await FaultProcess.with("--descriptors", "64") { server in
        try await untilDelivered { try await friend.proveCall(to: "b", at: server.address) }
        var strangers: [RawPeer] = []
        var failures = 0
        for number in 0..<200 where failures == 0 {
          // The system takes a connection into its queue, whether the server can accept it or not.
          strangers.append(try await RawPeer.connect(to: server.address))
          await strangers[number].send(RawPeer.greeting(try RawPeer.hello(serverID: "stranger\(number)")))
          await strangers[number].send(
            .authentication(Authentication(.none)), .welcome(.accepted(grantsRoute: false)))
          failures = try await acceptFailures(server)
        }
        #expect(failures > 0)
        // Who is connected notices nothing.
        try await friend.proveCall(to: "b", at: server.address, number: 2)
        for stranger in strangers { await stranger.close() }
        let newcomer = try await listen("c")
        try await closing(newcomer) {
          try await untilDelivered { try await newcomer.proveCall(to: "b", at: server.address) }
        }
      }
    }
  }

  private func acceptFailures(_ server: FaultProcess) async throws -> Int {
    let line = try await server.ask("events", for: "events")
    return line.split(separator: " ").compactMap { word in
      word.hasPrefix("acceptFailures=") ? Int(word.dropFirst("acceptFailures=".count)) : nil
    }.first ?? 0
  }

  // MARK: Addresses

  @Test("A port in use: the error says so")
  func portInUse() async throws {
    let first = try await listen("a")
    try await closing(first) {
      let error = try await failure("a listener on a port in use") {
        try await listen("b", on: first.localAddress.rawValue)
      }
      #expect(error.code == .listenFailed)
      #expect(error.message.contains("is the port free"), "\(error)")
      #expect((error.underlying as? IOError)?.errnoCode == EADDRINUSE, "\(error)")
    }
  }

  @Test("A name that does not resolve: unreachable, undelivered, and the message names the name")
  func unknownName() async throws {
    let caller = try await listen("a")
    try await closing(caller) {
      // RFC 6761: this top-level name never resolves.
      let error = try await failure("a call to a name that does not resolve") {
        try await caller.proveCall(to: "b", at: "no-such-host.invalid:8300")
      }
      #expect(error.code == .unreachable, "\(error)")
      #expect(error.delivery == .notDelivered)
      #expect(error.message.contains("the name 'no-such-host.invalid' does not resolve"), "\(error)")
      #expect(await caller.statistics().events.dialFailures == 1)
    }
  }

  private static let hasIPv6 =
    FileManager.default.fileExists(atPath: "/proc/net/if_inet6")
    && ((try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? "").contains(" lo")

  @Test("IPv6, with the address in brackets", .enabled(if: hasIPv6))
  func version6() async throws {
    let (caller, server) = (try await listen("a", on: "[::1]:0"), try await listen("b", on: "[::1]:0"))
    let echo = EchoConsumer(server)
    try await closing(caller, server) {
      #expect(server.localAddress.rawValue.hasPrefix("[::1]:"))
      try await caller.proveCall(to: server, as: "b")
      #expect(await caller.statistics().connections.first?.peerAddress == server.localAddress)
    }
    await echo.stop()
  }

  /// Says where a server is now.
  private final class MovingAddress: ServerAddressProvider {
    let address: Mutex<ServerAddress>

    init(_ address: ServerAddress) { self.address = Mutex(address) }

    func serverAddress(for id: ServerID) async throws -> ServerAddress { address.withLock { $0 } }
  }

  @Test("A server that moves is called at its new address, whatever address the call names")
  func moved() async throws {
    let first = try await listen("b")
    let firstEcho = EchoConsumer(first)
    let provider = MovingAddress(first.localAddress)
    let caller = try await listen("a") { $0.addressProvider = provider }
    try await closing(caller) {
      try await caller.proveCall(to: "b", at: "127.0.0.1:1")
      await first.close()
      let second = try await listen("b")
      let echo = EchoConsumer(second)
      try await closing(second) {
        // At the old address nobody is left.
        let error = try await failure("a call to where nobody is any more") {
          for _ in 1...10_000 { try await caller.proveCall(to: "b", at: "127.0.0.1:1") }
        }
        #expect([.unreachable, .connectionLost, .streamReset].contains(error.code), "\(error)")
        provider.address.withLock { $0 = second.localAddress }
        try await caller.proveCall(to: "b", at: "127.0.0.1:1", number: 2)
      }
      await echo.stop()
    }
    await firstEcho.stop()
  }
}

@Suite("The process for tests of faults")
struct FaultProcessTests {
  @Test("It lies beside the tests, or none of what needs it would be tested", .enabled(if: isLinux))
  func isThere() {
    #expect(FaultProcess.isAvailable)
  }

  #if os(Linux)
    private static let isLinux = true
  #else
    private static let isLinux = false
  #endif
}
