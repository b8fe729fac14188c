import Foundation
import NIOCore
import RaftTransport
import Testing

/// What the two implementations do with the connection that they share.
@Suite(.enabled(if: GoProgram.isWanted, Comment(rawValue: GoProgram.skipped)))
struct MuxedConnectionTests {
  /// The arbiter is the one with the greater ID: each kind in turn.
  @Test(arguments: ["a", "z"], 0..<4)
  func bothDialAtOnceAndShareOneConnection(goID: String, round: Int) async throws {
    let swift = try await SwiftPeer(id: "m")
    try await withPair(GoListening(transport: .rmux, server: goID), swift: swift) { go, address in
      async let there: Void = Self.ask(of: goID, at: address, from: swift, times: 20)
      async let back: Void = Self.ask(at: swift.address, from: go, times: 20)
      _ = try await (there, back)
      // The one that lost may still be closing.
      try await eventually("one connection is left") {
        let connections = await swift.transport.statistics().connections
        return try await go.statistics().connections == 1 && connections.count == 1
          && connections[0].carriesCalls
      }
      try await Self.ask(of: goID, at: address, from: swift, times: 1)
      try await Self.ask(at: swift.address, from: go, times: 1)
      #expect(try await go.statistics().connections == 1)
    }
  }

  private static func ask(of id: String, at address: String, from swift: SwiftPeer, times: Int) async throws {
    for _ in 0..<times {
      _ = try await swift.transport.timeoutNow(
        id: ServerID(id), target: ServerAddress(address), TimeoutNowRequest())
    }
  }

  private static func ask(at address: String, from go: GoPeer, times: Int) async throws {
    for _ in 0..<times { _ = try await go.call("TimeoutNow", at: address, GoRequest()) }
  }

  /// Go leaves while a snapshot of each direction runs: both come to their end, and later calls are made on a new
  /// connection.
  @Test func goDrainsWithoutBreakingWhatRuns() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, address in
      let target = ServerAddress(address)
      let gate = AsyncStream.makeStream(of: ByteBuffer.self)
      gate.continuation.yield(ByteBuffer(repeating: 1, count: 100_000))
      async let there = swift.transport.installSnapshot(
        id: "go", target: target, InstallSnapshotRequest(term: 3, size: 200_000),
        data: SnapshotSource(gate.stream))
      async let back = go.snapshot(at: swift.address, size: 60_000_000, pieces: 300_000)
      try await eventually("both have begun") {
        let isSending = await swift.transport.statistics().connections.first?.streams.snapshot ?? 0 >= 1
        return isSending && !swift.seen.installSnapshot.isEmpty
      }
      async let drained: Void = go.perform("drain")
      try await eventually("the connection takes no calls any more") {
        await swift.transport.statistics().connections.first?.carriesCalls == false
      }
      _ = try await swift.transport.timeoutNow(id: "go", target: target, TimeoutNowRequest())
      gate.continuation.yield(ByteBuffer(repeating: 2, count: 100_000))
      gate.continuation.finish()
      let isTaken = try await there.success
      #expect(isTaken)
      let sum = try await back.sha256
      #expect([sum] == swift.seen.snapshots)
      try await drained
    }
  }

  @Test func swiftDrainsWithoutBreakingWhatRuns() async throws {
    let swift = try await SwiftPeer()
    try await withPair(GoListening(transport: .rmux, pool: 0), swift: swift) { go, address in
      let target = ServerAddress(address)
      async let back = go.snapshot(at: swift.address, size: 60_000_000, pieces: 300_000)
      try await eventually("the snapshot has begun") { !swift.seen.installSnapshot.isEmpty }
      await swift.transport.closeStreams()
      // Both sides can call at once, on a connection that is made for it.
      _ = try await go.call("TimeoutNow", at: swift.address, GoRequest())
      _ = try await swift.transport.timeoutNow(id: "go", target: target, TimeoutNowRequest())
      #expect(swift.seen.snapshots.isEmpty, "the snapshot ended before the drain")
      let sum = try await back.sha256
      #expect([sum] == swift.seen.snapshots)
      try await eventually("the old connection is closed") { try await go.statistics().connections == 1 }
    }
  }

  /// A pooled stream stays open for the next call; the drain ends it, and the call after it makes a new one.
  @Test func idleStreamsDoNotOutliveADrain() async throws {
    let swift = try await SwiftPeer()
    try await withPair(swift: swift) { go, _ in
      _ = try await go.call("TimeoutNow", at: swift.address, GoRequest())
      await swift.transport.closeStreams()
      try await eventually("the connection is closed") { try await go.statistics().connections == 0 }
    }
  }

  @Test func aPeerThatDiedIsReachedAgainAtItsAddress() async throws {
    let swift = try await SwiftPeer()
    let (first, address) = try await GoPeer.listening(GoListening(transport: .rmux))
    let target = ServerAddress(address)
    _ = try await swift.transport.timeoutNow(id: "go", target: target, TimeoutNowRequest())
    await first.kill()
    try await eventually("the connection has ended") {
      await swift.transport.statistics().connections.isEmpty
    }
    try await withPair(GoListening(transport: .rmux, address: address), swift: swift) { go, _ in
      // It may be known to be down for a moment.
      try await eventually("it answers") {
        (try? await swift.transport.timeoutNow(id: "go", target: target, TimeoutNowRequest())) != nil
      }
      _ = try await go.call("TimeoutNow", at: swift.address, GoRequest())
      #expect(try await go.statistics().connections == 1)
    }
  }
}
