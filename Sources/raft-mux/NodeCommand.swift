import ArgumentParser

/// `raft-mux node`: one follower of `raft-mux demo --processes`. Nobody types it.
struct NodeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node",
    abstract: "Runs one follower of the demo; takes orders on standard input.",
    shouldDisplay: false
  )

  @Option(help: "The node's ID.")
  var id: String

  @Option(help: "The cluster's name.")
  var cluster: String

  @Option(help: "Whether snapshots are compressed.")
  var compression: CompressionChoice

  @Option(help: "AppendEntries requests under way at once.")
  var depth: Int

  @Option(help: "The folder with certificates.")
  var tls: String?

  @Option(help: "The file with the shared key.")
  var key: String?

  func run() async {
    Interruption.leaveToParent()
    Interruption.ignoreBrokenPipes()
    let settings = NodeSettings(
      clusterID: self.cluster, compression: self.compression, depth: self.depth,
      security: SecurityChoice(certificates: self.tls, keyFile: self.key))
    await NodeRole(id: self.id, settings: settings, open: TransportOpener.open).run()
  }
}
