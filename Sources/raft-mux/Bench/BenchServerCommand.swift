import ArgumentParser
import Foundation
import RaftTransport

/// `raft-mux bench-server`: the answering process of a measurement. Nobody types it.
struct BenchServerCommand: AsyncParsableCommand {
  /// What it serves.
  enum System: String, CaseIterable, Sendable, ExpressibleByArgument {
    case mux
    case nio
  }

  static let configuration = CommandConfiguration(
    commandName: "bench-server",
    abstract: "Answers what raft-mux bench sends, until its standard input ends.",
    shouldDisplay: false
  )

  @Option(help: "What to serve.")
  var system: System

  static func arguments(_ system: System) -> [String] {
    [self.configuration.commandName ?? "", "--system", system.rawValue]
  }

  func run() async throws {
    Interruption.leaveToParent()
    Interruption.ignoreBrokenPipes()
    switch self.system {
    case .mux:
      let transport = try await MuxTransport.listen(
        on: "127.0.0.1:0", configuration: MuxSystem.configuration(serverID: BenchServer.serverID))
      async let serving: Void = withTaskExecutorPreference(transport.executor) {
        await BenchServer(transport: transport).run()
      }
      await Self.answerOrders(listeningAt: transport.localAddress.rawValue)
      await transport.close()
      await serving
    case .nio:
      let server = try await MessageServer.listen()
      await Self.answerOrders(listeningAt: server.address)
      try await server.close()
    }
  }

  /// Says where it listens, and then what it has used whenever it is asked.
  private static func answerOrders(listeningAt address: String) async {
    let (orders, feed) = AsyncStream.makeStream(of: String.self)
    Thread.detachNewThread {
      LineReader(.standardInput).run { feed.yield($0) }
      feed.finish()
    }
    self.say(PeerLines.Listening(address: address))
    for await _ in orders {
      self.say(PeerLines.ProcessUsage(cpuSeconds: ProcessorTime.seconds, wireBytes: 0))
    }
  }

  private static func say<Line: Encodable>(_ line: Line) {
    // If the parent is gone, the end of the input will say so.
    guard let bytes = try? PeerLines.encode(line) else { return }
    try? FileHandle.standardOutput.write(contentsOf: bytes)
  }
}
