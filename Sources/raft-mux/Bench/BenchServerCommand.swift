import ArgumentParser
import Foundation
import RaftTransport

/// `raft-mux bench-server`: the answering process of a measurement. Nobody types it.
struct BenchServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-server",
    abstract: "Answers what raft-mux bench sends, until its standard input ends.",
    shouldDisplay: false
  )

  @Option(help: "What to serve.")
  var system: SystemName

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "How many transports to run.")
  var transports = 1

  @Option(help: "How many streams one connection may have beside the usual ones.")
  var streams = 0

  static func arguments(_ system: SystemName, _ shape: ServerShape, at host: String) -> [String] {
    [
      configuration.commandName ?? "", "--system", system.rawValue, "--host", host,
      "--transports", "\(shape.transports)", "--streams", "\(shape.streams)",
    ]
  }

  func validate() throws {
    guard system.isBuiltIn else { throw ValidationError("\(system.rawValue) is served by another program") }
  }

  func run() async throws {
    Interruption.leaveToParent()
    Interruption.ignoreBrokenPipes()
    if system == .rmux {
      DescriptorLimit.raise()
      var running: [MuxTransport] = []
      for number in 0..<max(1, transports) {
        let configuration = MuxSystem.configuration(serverID: BenchServer.id(number), streams: streams)
        running.append(try await MuxTransport.listen(on: "\(host):0", configuration: configuration))
      }
      await serve(running)
    } else {
      let server = try await MessageServer.listen(at: host)
      await Self.answerOrders(PeerLines.Listening(address: server.address))
      try await server.close()
    }
  }

  private func serve(_ transports: [MuxTransport]) async {
    let addresses = transports.map(\.localAddress.rawValue)
    await withDiscardingTaskGroup { group in
      for transport in transports {
        group.addTask(executorPreference: transport.executor) {
          await BenchServer(transport: transport).run()
        }
      }
      await Self.answerOrders(
        PeerLines.Listening(address: addresses.first ?? "", others: Array(addresses.dropFirst())))
      for transport in transports { await transport.close() }
    }
  }

  /// Says where it listens, and then what it has used whenever it is asked.
  private static func answerOrders(_ listening: PeerLines.Listening) async {
    let orders = OrderLines.standardInput
    OrderLines.say(listening)
    for await order in orders {
      switch order.order {
      case "count", "discount":
        Allocations.count(order.order == "count")
        OrderLines.say(PeerLines.Done(done: order.order))
      default:
        OrderLines.say(PeerLines.ProcessUsage.current)
      }
    }
  }
}
