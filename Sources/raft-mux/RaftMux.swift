import ArgumentParser

@main
struct RaftMux: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "raft-mux",
    abstract: "Shows, measures and checks the RMUX/1 transport for Raft.",
    subcommands: subcommands
  )

  private static var subcommands: [any ParsableCommand.Type] {
    var commands: [any ParsableCommand.Type] = [
      DemoCommand.self, NodeCommand.self, BenchCommand.self, BenchServerCommand.self, IdleCallerCommand.self,
      LinkCommand.self, FaultNodeCommand.self, ConformanceCommand.self, DecodeCommand.self,
      SimulateCommand.self, SoakCommand.self,
    ]
    #if Authentication
      commands.append(CertsCommand.self)
    #endif
    return commands
  }
}
