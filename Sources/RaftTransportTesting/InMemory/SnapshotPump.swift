internal import NIOCore
internal import RaftTransport

/// Moves a snapshot from its source into the pipe, exactly as many bytes as were announced.
struct SnapshotPump: Sendable {
  /// Why the source was not what the request announced.
  struct Failure: Error {
    let message: String
    let underlying: (any Error)?
  }

  let source: SnapshotSource
  let size: Int64
  let pipe: SnapshotPipe

  /// Calls `deliver` once when the request may go out and feeds the pipe; returns what is wrong with the
  /// source.
  ///
  /// A request without a body goes out only after the source proved empty, any other one at once.
  func run(deliver: () -> Void) async -> Failure? {
    let hasBody = self.size > 0
    if hasBody { deliver() }
    do {
      let failure = try await self.feed()
      if failure == nil, !hasBody { deliver() }
      return failure
    } catch {
      return Failure(message: "the snapshot's source threw", underlying: error)
    }
  }

  /// The last piece is held back until the source has ended, so that a source that goes on gives no whole
  /// body.
  private func feed() async throws -> Failure? {
    var total: Int64 = 0
    var held: ByteBuffer?
    for try await piece in self.source where piece.readableBytes > 0 {
      total += Int64(piece.readableBytes)
      guard total <= max(self.size, 0) else {
        return Failure(message: "the source goes on beyond the announced \(self.size) bytes", underlying: nil)
      }
      if let held, await !self.pipe.write(held) { return nil }
      held = piece
    }
    guard total == max(self.size, 0) else {
      return Failure(
        message: "the source ended after \(total) of \(self.size) bytes", underlying: nil)
    }
    if let held, await !self.pipe.write(held) { return nil }
    await self.pipe.end()
    return nil
  }
}
