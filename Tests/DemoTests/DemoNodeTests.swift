import Crypto
import Foundation
import NIOCore
import RaftTransport
import Testing

@testable import raft_mux

@Suite("Nodes of the demo, over real connections")
struct DemoNodeTests {
  private static let settings = NodeSettings(clusterID: "demo-tests", compression: .on, depth: 4)

  /// Runs a leader and a follower, and closes them whatever happens.
  private func withNodes(_ body: (DemoNode, DemoNode) async throws -> Void) async throws {
    let leader = try await DemoNode.start(id: "leader", settings: Self.settings, open: TransportOpener.open)
    let follower: DemoNode
    do {
      follower = try await DemoNode.start(id: "follower", settings: Self.settings, open: TransportOpener.open)
    } catch {
      await leader.close()
      throw error
    }
    let result: Result<Void, any Error>
    do {
      result = .success(try await body(leader, follower))
    } catch {
      result = .failure(error)
    }
    await leader.close()
    await follower.close()
    try result.get()
  }

  private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
  }

  @Test func `A log arrives whole and in order, and its digest is the file's`() async throws {
    try await self.withFile(GeneratedText.lines(1000)) { path in
      try await self.withNodes { leader, follower in
        let sent = await LogSender(
          leader: leader, follower: follower.peer, path: path, batch: 64, pace: Pace(duration: .zero)
        ).run()
        #expect(sent.failure == nil)
        #expect(sent.entries == 1000)
        #expect(sent.acknowledged == sent.requests)
        let digest = try SHA256.digest(ofFile: path)
        #expect(sent.sha256 == digest)
        #expect(
          await follower.observe().log == ReceivedLog(entries: 1000, bytes: sent.bytes, sha256: sent.sha256))
      }
    }
  }

  @Test func `A follower that has other entries than the leader thinks ends the sending with a failure`()
    async throws
  {
    try await self.withFile(GeneratedText.lines(1000)) { path in
      try await self.withNodes { leader, follower in
        func send() async -> SentLog {
          await LogSender(
            leader: leader, follower: follower.peer, path: path, batch: 8, pace: Pace(duration: .zero)
          ).run()
        }
        #expect(await send().failure == nil)
        #expect(await send().failure?.contains("is at entry 1000 after being sent 8") == true)
      }
    }
  }

  @Test func `A snapshot arrives with the file's digest`() async throws {
    try await self.withFile(GeneratedText.lines(20_000)) { path in
      try await self.withNodes { leader, follower in
        let sent = await SnapshotSender(
          leader: leader, follower: follower.peer, path: path, pace: Pace(duration: .zero)
        ).run()
        #expect(sent.failure == nil)
        #expect(sent.completed == 1)
        let got = await follower.observe().snapshots
        #expect(got.completed == 1)
        let digest = try SHA256.digest(ofFile: path)
        #expect(got.sha256 == [digest])
        #expect(got.bytes == UInt64(sent.size))
      }
    }
  }

  @Test func `Votes asked from both ends at once are all answered`() async throws {
    try await self.withNodes { leader, follower in
      leader.askForVotes(.votesAndPreVotes, of: [follower.peer], pause: .zero)
      follower.askForVotes(.preVotes, of: [leader.peer], pause: .zero)
      while await leader.observe().votes.first?.answered ?? 0 < 20 { await Task.yield() }
      await leader.stopAsking()
      await follower.stopAsking()
      for (node, peer) in [(leader, follower), (follower, leader)] {
        let votes = try #require(await node.observe().votes(of: peer.id))
        #expect(votes.answered == votes.asked)
        #expect(votes.firstError == nil)
        #expect(votes.medianNanoseconds != nil)
        #expect(await node.observe().connections.count == 1)
      }
    }
  }
}
