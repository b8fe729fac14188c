import NIOCore
import Testing

/// Plays a recorded server: takes what was recorded and answers what was recorded, request by request, on whichever
/// connection its client prefers.
actor RecordedServer {
  private let name: String
  private let sizes: [Int]
  private var expected: ArraySlice<RecordedExchange>

  /// - Parameter sizes: Of the pieces in which answers are sent.
  init(_ exchanges: [RecordedExchange], name: String, sizes: [Int]) {
    expected = exchanges[...]
    self.name = name
    self.sizes = sizes
  }

  /// Serves until its task is cancelled and the client has closed its connections.
  func serve(_ listener: RawListener) async {
    await withDiscardingTaskGroup { group in
      while let socket = try? await listener.next() {
        group.addTask { await self.serve(socket) }
      }
    }
  }

  /// What was never asked.
  var missing: Int { expected.count }

  private func serve(_ socket: RawSocket) async {
    var early = ByteBuffer()
    while let bytes = await socket.next() {
      early.writeImmutableBuffer(bytes)
      while let exchange = expected.first, early.readableBytes >= exchange.sent.readableBytes {
        expected.removeFirst()
        let received = early.readSlice(length: exchange.sent.readableBytes)
        #expect(received == exchange.sent, "\(name)")
        guard let answer = exchange.answered else { return await socket.close() }
        await socket.send(answer, inPiecesOf: sizes)
      }
    }
    #expect(early.readableBytes == 0, "\(name): bytes that were not recorded")
    await socket.close()
  }
}
