import ArgumentParser
import Foundation
import Logging
import RaftTransport

/// `raft-mux fault-node`: a server for the tests of faults, which is killed, stopped and starved. Nobody types it.
///
/// It says `listening ADDRESS` on standard output, takes orders on standard input (`FaultNode/obey(_:)`), one line each,
/// and ends with its input.
struct FaultNodeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fault-node",
    abstract: "Runs a server that tests of faults kill; takes orders on standard input.",
    shouldDisplay: false
  )

  @Option(help: "The node's ID.")
  var id = "b"

  @Option(help: "The cluster's name.")
  var cluster = "sockets"

  @Option(help: "Where it listens.")
  var address = "127.0.0.1:0"

  @Option(help: "What becomes of requests: echo, hold, or the path of a file for snapshots.")
  var consumer = "echo"

  @Option(help: "How many descriptors it may open, beside those that it began with.")
  var descriptors: Int?

  @Option(help: "How large a file it may write, in bytes.")
  var fileSize: Int?

  @Option(help: "Windows do not grow beyond this, in bytes; the default of the library.")
  var largestWindow: Int?

  /// What the parent has left to this process, which may be any number.
  private static var inheritedDescriptors: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
  }

  func run() async throws {
    Interruption.leaveToParent()
    Interruption.ignoreBrokenPipes()
    if let descriptors { ProcessLimit.descriptors.set(descriptors + Self.inheritedDescriptors) }
    if let fileSize { ProcessLimit.fileSize.set(fileSize) }
    var configuration = TransportConfiguration(serverID: ServerID(id), clusterID: cluster)
    configuration.logger = Logger(label: "fault-node") { _ in SwiftLogNoOpLogHandler() }
    configuration.timeout = .seconds(120)
    configuration.compression = .off
    if let largestWindow {
      configuration.windows.largestForAppends = largestWindow
      configuration.windows.largestForSnapshots = largestWindow
    }
    let transport: MuxTransport
    do {
      transport = try await MuxTransport.listen(on: address, configuration: configuration)
    } catch {
      FaultNode.say("failed \(error)")
      throw ExitCode.failure
    }
    let node = FaultNode(transport: transport, fate: FaultNode.Fate(consumer))
    FaultNode.say("listening \(transport.localAddress)")
    await node.run()
  }
}
