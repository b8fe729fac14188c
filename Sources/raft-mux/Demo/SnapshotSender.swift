import Foundation
import RaftTransport

/// What became of the snapshots that the leader sent.
struct SentSnapshots: Sendable, Equatable {
  /// The size of each in bytes.
  var size: Int64 = 0
  /// How many the follower has answered with success.
  var completed = 0
  /// Time from the start of the first to the answer of the last one.
  var seconds: Double = 0
  /// What ended the sending too early.
  var failure: String?
}

/// Sends a file as a snapshot to one follower, over and over while there is time.
struct SnapshotSender: Sendable {
  let leader: DemoNode
  let follower: Peer
  let path: String
  let pace: Pace

  /// Sends until the time is over; one snapshot at least, unless interrupted.
  func run() async -> SentSnapshots {
    var sent = SentSnapshots()
    do {
      sent.size = try Self.size(of: self.path)
      repeat {
        try await self.sendOne(size: sent.size)
        sent.completed += 1
        sent.seconds = Double(self.pace.elapsed.wholeNanoseconds) / 1e9
      } while self.pace.hasTimeLeft && sent.size > 0
    } catch {
      // A snapshot that an interruption cut short was not asked to arrive.
      if !self.pace.isInterrupted { sent.failure = "\(error)" }
      self.pace.cutShort()
    }
    return sent
  }

  private func sendOne(size: Int64) async throws {
    let request = InstallSnapshotRequest(
      header: self.leader.header, snapshotVersion: 1, term: DemoTerm.current,
      leader: self.leader.header.address, lastLogIndex: 0, lastLogTerm: 0, size: size)
    let response = try await self.leader.transport.installSnapshot(
      id: ServerID(self.follower.id), target: ServerAddress(self.follower.address), request,
      data: SnapshotSource(contentsOfFile: self.path))
    guard response.success else { throw DemoError("\(self.follower.id) did not install the snapshot") }
  }

  private static func size(of path: String) throws -> Int64 {
    let file = try FileHandle(forReadingFrom: URL(filePath: path))
    defer { try? file.close() }
    return Int64(clamping: try file.seekToEnd())
  }
}
