import Foundation
import NIOCore
import RaftTransport
import RaftTransportTesting

/// The server of ``FaultNodeCommand``.
final class FaultNode: Sendable {
  /// What becomes of requests that come in.
  enum Fate: Sendable {
    /// They are answered.
    case echo
    /// They are held for ever; a snapshot's body is not read.
    case hold
    /// Snapshots are written to a file, the rest is answered.
    case store(path: String)

    init(_ text: String) {
      switch text {
      case "echo": self = .echo
      case "hold": self = .hold
      default: self = .store(path: text)
      }
    }
  }

  private let transport: MuxTransport
  private let fate: Fate

  init(transport: MuxTransport, fate: Fate) {
    self.transport = transport
    self.fate = fate
  }

  /// One line on standard output, at once and in one piece.
  static func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  /// Serves and obeys until the input ends.
  func run() async {
    await withTaskGroup { group in
      group.addTask { await self.serve() }
      let (orders, feed) = AsyncStream.makeStream(of: String.self)
      Thread.detachNewThread {
        while let line = readLine() { feed.yield(line) }
        feed.finish()
      }
      for await order in orders {
        group.addTask { await self.obey(order) }
      }
      group.cancelAll()
      await self.transport.close()
    }
  }

  // MARK: Serving

  private func serve() async {
    switch fate {
    case .echo:
      let echo = EchoConsumer(transport)
      await untilCancelled()
      await echo.stop()
    case .hold:
      var held: [IncomingRPC] = []
      for await rpc in transport.consumer {
        held.append(rpc)
        Self.say("holding \(held.count)")
      }
    case .store(let path):
      for await rpc in transport.consumer {
        guard case .installSnapshot(_, let body, let responder) = rpc.command else {
          rpc.fail("only snapshots")
          continue
        }
        await store(body, at: path, responder)
      }
    }
  }

  private func store(
    _ body: SnapshotBody, at path: String, _ responder: Responder<InstallSnapshotResponse>
  ) async {
    do {
      guard FileManager.default.createFile(atPath: path, contents: nil),
        let file = FileHandle(forWritingAtPath: path)
      else {
        responder.fail("cannot create the file")
        return
      }
      defer { try? file.close() }
      for try await piece in body { try file.write(contentsOf: Data(piece.readableBytesView)) }
      responder.succeed(InstallSnapshotResponse(success: true))
    } catch {
      responder.fail("cannot store the snapshot: \(error)")
    }
  }

  private func untilCancelled() async {
    let (never, feed) = AsyncStream.makeStream(of: Never.self)
    for await _ in never {}
    feed.finish()
  }

  // MARK: Orders

  /// `snapshot ID ADDRESS BYTES` sends one, `pipeline ID ADDRESS` sends requests without end, `call ID ADDRESS` one;
  /// what became of it is said. `events` says what has happened to connections, `burden` what peers make the server hold:
  /// bytes, weight with handlers, handshakes, streams.
  private func obey(_ order: String) async {
    let words = order.split(separator: " ").map(String.init)
    do {
      switch words.first {
      case "snapshot" where words.count == 4:
        let size = Int64(words[3]) ?? 0
        let block = ByteBuffer(repeating: 0x5A, count: 1 << 20)
        let response = try await transport.installSnapshot(
          id: ServerID(words[1]), target: ServerAddress(words[2]), InstallSnapshotRequest(size: size),
          data: SnapshotSource(Array(repeating: block, count: Int(size >> 20))))
        Self.say("snapshot \(response.success)")
      case "pipeline" where words.count == 3:
        try await pipeline(ServerID(words[1]), ServerAddress(words[2]))
      case "call" where words.count == 3:
        _ = try await transport.appendEntries(
          id: ServerID(words[1]), target: ServerAddress(words[2]), AppendEntriesRequest(term: 1))
        Self.say("called")
      case "events":
        let statistics = await transport.statistics()
        Self.say(
          "events accepted=\(statistics.events.accepted) acceptFailures=\(statistics.events.acceptFailures) "
            + "connections=\(statistics.connections.count)")
      case "burden":
        let burden = await transport.burden()
        Self.say(
          "burden \(burden.heldBytes) \(burden.handlerWeight) \(burden.handshakes) "
            + "\(burden.streams + burden.resetStreams)")
      default:
        Self.say("unknown order: \(order)")
      }
    } catch let error as TransportError {
      Self.say("error \(error.code)")
    } catch {
      Self.say("error \(error)")
    }
  }

  private func pipeline(_ id: ServerID, _ target: ServerAddress) async throws {
    let pipeline = try await transport.appendEntriesPipeline(id: id, target: target)
    let answers = pipeline.consumer.makeAsyncIterator()
    Self.say("pipelining")
    var index: UInt64 = 0
    while true {
      index += 1
      let future = try await pipeline.appendEntries(
        AppendEntriesRequest(
          term: 1, previousLogIndex: index, entries: [LogEntry(index: index + 1, term: 1)]))
      _ = await answers.next()
      _ = try await future.response
    }
  }
}
