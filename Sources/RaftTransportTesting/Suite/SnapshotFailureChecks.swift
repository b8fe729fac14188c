internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  private struct SourceBroke: Error {}

  static var snapshotFailureChecks: [Check] {
    [
      Check("A source that ends short fails the call and cuts the body") { scene in
        try await scene.failingTransfer(
          PatternPieces(sizes: [400, 599]), size: 1000, what: "a short source",
          mayBeWhole: false)
      },
      Check("A source that ends short by far fails the call and cuts the body") { scene in
        try await scene.failingTransfer(
          PatternPieces(sizes: []), size: 1_000_000, what: "an empty source",
          mayBeWhole: false)
      },
      Check("A source that throws fails the call with its error and cuts the body") { scene in
        let error = try await scene.failingTransfer(
          PatternPieces(sizes: [400, 599], error: SourceBroke()), size: 1000,
          what: "a source that throws", mayBeWhole: false)
        try scene.expect(
          error.underlying is SourceBroke, "the source's error beneath",
          found: "\(String(describing: error.underlying))")
      },
      Check("A source that goes on fails the call, and no byte beyond the size arrives") { scene in
        for sizes in [[400, 601], [1000, 1], [2_000_000]] {
          try await scene.failingTransfer(
            PatternPieces(sizes: sizes), size: 1000, what: "a long source", mayBeWhole: true)
        }
      },
      Check("A cancelled snapshot ends with cancelled, and its body is cut") { scene in
        let stalled = StalledPieces(first: SnapshotPattern.bytes(1000))
        let call = Task {
          await scene.outcome {
            try await scene.snapshot(InstallSnapshotRequest(size: 5000), SnapshotSource(stalled))
          }
        }
        let received = try await scene.nextSnapshot()
        async let body = scene.outcome { try await received.body.collect(upTo: 5000) }
        call.cancel()
        try scene.error(await call.value, "the cancelled call", codes: [.cancelled], delivery: [.unknown])
        try scene.error(
          await body, "its body", codes: [.snapshotCut], delivery: [.unknown, .notDelivered, .answered])
        received.responder.fail("cut short")
        try await scene.proveAlive("after a cancelled snapshot")
      },
    ]
  }
}

extension TransportSuite.Scene {
  /// Sends from a source that is not what it should be; returns the caller's error.
  ///
  /// - Parameter mayBeWhole: Whether the body may have ended well, because all its bytes were there.
  @discardableResult
  func failingTransfer(
    _ pieces: PatternPieces, size: Int, what: String, mayBeWhole: Bool
  ) async throws -> TransportError {
    // The source holds back until the request has arrived: a call that fails before may well send nothing at all.
    let gate = AsyncQueue<Never>()
    let source = SnapshotSource(GatedPieces(gate: gate, pieces: pieces))
    async let outcome = self.outcome {
      try await self.snapshot(InstallSnapshotRequest(term: 6, size: Int64(size)), source)
    }
    let received = try await self.nextSnapshot()
    gate.finish()
    let body = await self.outcome { try await received.body.collect(upTo: size) }
    switch body {
    case .failure(let error as TransportError):
      try self.expect(error.code, equals: .snapshotCut, "the error of the body of \(what)")
    case .failure(let error):
      throw TransportSuite.Failure(
        expected: "at most \(size) bytes in the body of \(what), or snapshotCut", actual: "\(error)")
    case .success(let bytes):
      try self.expect(
        mayBeWhole && bytes.readableBytes == size, "the body of \(what) to throw",
        found: "an end after \(bytes.readableBytes) of \(size) bytes")
    }
    let error = try self.error(
      await outcome, "a call with \(what)", codes: [.snapshotSource], delivery: [.unknown, .notDelivered])
    received.responder.fail("the snapshot was no good")
    try await self.proveAlive("after \(what)")
    return error
  }
}

/// Gives the pieces of another sequence, but not before a gate has been opened by finishing it.
private struct GatedPieces: AsyncSequence, Sendable {
  let gate: AsyncQueue<Never>
  let pieces: PatternPieces

  func makeAsyncIterator() -> Iterator {
    Iterator(gate: self.gate, base: self.pieces.makeAsyncIterator())
  }

  struct Iterator: AsyncIteratorProtocol {
    let gate: AsyncQueue<Never>
    var base: PatternPieces.AsyncIterator

    mutating func next() async throws -> ByteBuffer? {
      _ = await self.gate.next()
      return try await self.base.next()
    }
  }
}
