import ArgumentParser
import Foundation
import RaftTransport
import RaftTransportTesting

/// `raft-mux link`.
struct LinkCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link",
    abstract: "Emulates a slow or long network path in front of a TCP server.",
    discussion: """
      Prints the address to connect to instead of the server's own, and relays until its standard input ends. It \
      relays TCP: a full queue stops the sender instead of dropping packets, so slow start and congestion windows \
      are not part of what it shows.
      """
  )

  @Option(help: ArgumentHelp("The server.", valueName: "host:port"))
  var to: String

  @Option(help: ArgumentHelp("What both directions are like: \(LinkChoice.help).", valueName: "link"))
  var profile: LinkChoice

  @Flag(help: "Print the address as a line of JSON, and what was relayed for each line of input.")
  var json = false

  /// The arguments with which this executable relays for itself.
  static func arguments(to target: String, _ profile: LinkChoice) -> [String] {
    [
      self.configuration.commandName ?? "", "--to", target, "--profile", profile.description, "--json",
    ]
  }

  func run() async throws {
    if self.json { Interruption.leaveToParent() }
    Interruption.ignoreBrokenPipes()
    let link = try await FaultyLink.start(to: ServerAddress(self.to), profile: self.profile.profile)
    let (lines, feed) = AsyncStream.makeStream(of: String.self)
    Thread.detachNewThread {
      LineReader(.standardInput).run { feed.yield($0) }
      feed.finish()
    }
    if self.json {
      try Self.say(PeerLines.Listening(address: link.address.rawValue))
    } else {
      // Not buffered: whoever reads it through a pipe waits for it.
      try FileHandle.standardOutput.write(contentsOf: Data("\(link.address)\n".utf8))
    }
    for await _ in lines where self.json {
      let bytes = try await link.figures().bytesForwarded.values.reduce(0, +)
      try Self.say(PeerLines.ProcessUsage(cpuSeconds: ProcessorTime.seconds, wireBytes: UInt64(bytes)))
    }
    await link.close()
  }

  private static func say(_ line: some Encodable) throws {
    try FileHandle.standardOutput.write(contentsOf: PeerLines.encode(line))
  }
}
