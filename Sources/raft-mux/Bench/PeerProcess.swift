import Foundation

/// A process that takes part in a measurement: asked in lines, one question at a time.
actor PeerProcess {
  private let process: ChildProcess
  private var lines: AsyncStream<String>.AsyncIterator

  /// Starts a program, or this executable again.
  init(program: String? = nil, arguments: [String]) throws {
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    self.process = try ChildProcess(
      program: program, arguments: arguments, onLine: { feed.yield($0) }, onEnd: { feed.finish() })
    self.lines = lines.makeAsyncIterator()
  }

  /// The next line that it says by itself.
  ///
  /// - Parameter patience: A process that takes longer is ended, so that no measurement hangs.
  func hear<Line: Decodable & Sendable>(
    _ type: Line.Type = Line.self, patience: Duration = .seconds(20)
  ) async throws -> Line {
    let process = self.process
    let watchdog = Task {
      try await Task.sleep(for: patience)
      await process.end()
    }
    defer { watchdog.cancel() }
    var lines = self.lines
    let line = await lines.next(isolation: self)
    self.lines = lines
    guard let line else { throw BenchError("a process ended, or gave no answer within \(patience)") }
    return try PeerLines.decode(type, line)
  }

  /// Sends an order and waits for the answer.
  func ask<Line: Decodable & Sendable>(
    _ order: PeerLines.Order, for type: Line.Type = Line.self, patience: Duration = .seconds(20)
  ) async throws -> Line {
    try self.process.write(PeerLines.encode(order))
    return try await self.hear(type, patience: patience)
  }

  func usage() async throws -> PeerLines.ProcessUsage {
    try await self.ask(.usage)
  }

  /// It ends at the end of its input, or is made to.
  func stop() async {
    await self.process.end()
  }
}
