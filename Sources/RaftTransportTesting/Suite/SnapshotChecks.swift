internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  static var snapshotChecks: [Check] {
    [
      Check("InstallSnapshot arrives whole, with its body and its answer") { scene in
        let request = InstallSnapshotRequest(
          header: Self.sampleHeader, snapshotVersion: 1, term: 10, leader: ByteBuffer(string: "kyle"),
          lastLogIndex: 100, lastLogTerm: 9, peers: ByteBuffer(string: "blah blah"),
          configuration: ByteBuffer(string: "configuration"), configurationIndex: 99, size: 10)
        let response = InstallSnapshotResponse(header: Self.sampleHeader, term: 10, success: true)
        async let answer = scene.outcome {
          try await scene.snapshot(request, SnapshotSource(ByteBuffer(string: "0123456789")))
        }
        let received = try await scene.nextSnapshot()
        try scene.expect(received.request, equals: request, "the request at the callee")
        let body = try await received.body.collect(upTo: 100)
        try scene.expect(String(buffer: body), equals: "0123456789", "the body")
        received.responder.succeed(response)
        try scene.expect(
          scene.value(await answer, "the call"), equals: response, "the answer at the caller")
      },
      Check("Snapshots of no byte, one byte and odd sizes arrive byte for byte") { scene in
        for size in [0, 1, 2, 16_383, 16_384, 65_537, 262_145, 1_000_003] {
          try await scene.transfer(size, SnapshotSource(SnapshotPattern.bytes(size)))
        }
      },
      Check("A snapshot of many MiB arrives byte for byte") { scene in
        let size = scene.options.largeSnapshotBytes
        try await scene.transfer(size, SnapshotSource(SnapshotPattern.bytes(size)))
      },
      Check("How the source is cut into pieces does not show") { scene in
        let cuts: [[Int]] = [
          [0, 1, 0, 0, 2, 3, 0], Array(repeating: 1, count: 500), [1 << 20, 1, 1 << 20], [0, 0, 0],
        ]
        for sizes in cuts {
          try await scene.transfer(sizes.reduce(0, +), SnapshotSource(PatternPieces(sizes: sizes)))
        }
      },
      Check("Two snapshots at once do not mix") { scene in
        async let first = scene.outcome {
          try await scene.snapshot(
            InstallSnapshotRequest(term: 1, size: 700_000), SnapshotSource(SnapshotPattern.bytes(700_000)))
        }
        async let second = scene.outcome {
          try await scene.snapshot(
            InstallSnapshotRequest(term: 2, size: 500_000), SnapshotSource(SnapshotPattern.bytes(500_000)))
        }
        let one = try await scene.nextSnapshot()
        let other = try await scene.nextSnapshot()
        async let oneRead: Void = scene.readPattern(one.body, size: Int(one.request.size))
        async let otherRead: Void = scene.readPattern(other.body, size: Int(other.request.size))
        _ = try await (oneRead, otherRead)
        one.responder.succeed(InstallSnapshotResponse(term: one.request.term))
        other.responder.succeed(InstallSnapshotResponse(term: other.request.term))
        try scene.expect(scene.value(await first, "the first").term, equals: 1, "the first answer's term")
        try scene.expect(scene.value(await second, "the second").term, equals: 2, "the second answer's term")
      },
      Check("A handler may refuse a snapshot without reading it") { scene in
        let size = scene.options.largeSnapshotBytes
        async let outcome = scene.outcome {
          try await scene.snapshot(
            InstallSnapshotRequest(size: Int64(size)), SnapshotSource(SnapshotPattern.bytes(size)))
        }
        let received = try await scene.nextSnapshot()
        received.responder.fail("no room", response: InstallSnapshotResponse(term: 9))
        let error = try scene.error(
          await outcome, "a snapshot that was refused", codes: [.remote], delivery: [.answered])
        try scene.expect(error.remote?.text, equals: "no room", "the text of the refusal")
        try await scene.proveAlive("after a refused snapshot")
      },
      Check(
        "A handler may refuse a snapshot whose source has stalled", if: \.answersUnfinishedSnapshots
      ) { scene in
        let stalled = StalledPieces(first: SnapshotPattern.bytes(1000))
        async let outcome = scene.outcome {
          try await scene.snapshot(InstallSnapshotRequest(size: 5000), SnapshotSource(stalled))
        }
        let received = try await scene.nextSnapshot()
        received.responder.succeed(InstallSnapshotResponse(term: 9))
        try scene.expect(scene.value(await outcome, "the call").term, equals: 9, "the early answer's term")
        try await scene.proveAlive("after an early answer")
      },
      Check("A snapshot that nobody reads does not hold other calls back") { scene in
        let size = scene.options.largeSnapshotBytes
        async let outcome = scene.outcome {
          try await scene.snapshot(
            InstallSnapshotRequest(size: Int64(size)), SnapshotSource(SnapshotPattern.bytes(size)))
        }
        let received = try await scene.nextSnapshot()
        for _ in 1...5 { try await scene.proveAlive("beside a snapshot that waits") }
        try await scene.readPattern(received.body, size: size)
        received.responder.succeed(InstallSnapshotResponse(success: true))
        _ = try scene.value(await outcome, "the snapshot that waited")
      },
    ]
  }
}

extension TransportSuite.Scene {
  /// Sends a snapshot of the pattern and checks every byte.
  func transfer(_ size: Int, _ source: SnapshotSource) async throws {
    async let answer = self.outcome {
      try await self.snapshot(InstallSnapshotRequest(term: 6, size: Int64(size)), source)
    }
    let received = try await self.nextSnapshot()
    try await self.readPattern(received.body, size: size)
    received.responder.succeed(InstallSnapshotResponse(term: 7, success: true))
    try self.expect(
      self.value(await answer, "a snapshot of \(size) bytes").term, equals: 7, "the answer's term")
  }

  /// Reads a body to its end and checks that it is the pattern.
  func readPattern(_ body: SnapshotBody, size: Int) async throws {
    var offset = 0
    let iterator = body.makeAsyncIterator()
    while let piece = try await iterator.next() {
      try self.expect(piece.readableBytes > 0, "pieces with bytes", found: "an empty one at \(offset)")
      try self.expect(
        piece == SnapshotPattern.bytes(piece.readableBytes, from: offset),
        "the bytes from offset \(offset) as they were sent", found: "others")
      offset += piece.readableBytes
    }
    try self.expect(offset, equals: size, "the number of bytes in the body")
    let beyond = try await iterator.next()
    try self.expect(beyond == nil, "nothing behind the end", found: "\(String(describing: beyond))")
  }
}
