import ArgumentParser
import Foundation
import RaftTransport

/// `raft-mux bench-idle`: the calling process of the measurements of idle things. Nobody types it.
struct IdleCallerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench-idle",
    abstract: "Makes connections or streams that raft-mux bench leaves idle, until its standard input ends.",
    shouldDisplay: false
  )

  @Option(help: "What to make.")
  var thing: Workload.IdleThing

  @Option(help: "Whom to call.")
  var target: String

  @Option(help: "The address to listen on.")
  var host: String

  @Option(help: "How many streams there will be.")
  var streams: Int

  static func arguments(
    _ thing: Workload.IdleThing, target: String, host: String, streams: Int
  ) -> [String] {
    [
      configuration.commandName ?? "", "--thing", thing.rawValue, "--target", target, "--host", host,
      "--streams", "\(streams)",
    ]
  }

  func run() async throws {
    Interruption.leaveToParent()
    Interruption.ignoreBrokenPipes()
    DescriptorLimit.raise()
    var maker: any IdleMaker =
      switch thing {
      case .connections: IdleConnections(target: ServerAddress(target), host: host)
      case .streams: IdleStreams(target: ServerAddress(target), host: host, streams: streams)
      }
    for await order in OrderLines.standardInput {
      do {
        if order.order == "make" {
          try await maker.make(order.more ?? 0)
          OrderLines.say(PeerLines.Done(done: order.order))
        } else {
          OrderLines.say(PeerLines.ProcessUsage.current)
        }
      } catch {
        OrderLines.say(PeerLines.Failure(failure: "\(error)"))
      }
    }
    await maker.close()
  }
}

extension Workload.IdleThing: ExpressibleByArgument {}

/// Makes things and keeps them.
private protocol IdleMaker {
  mutating func make(_ more: Int) async throws
  func close() async
}

/// A transport of its own for each connection: a pair of servers has only one.
private struct IdleConnections: IdleMaker {
  let target: ServerAddress
  let host: String
  private var transports: [MuxTransport] = []

  init(target: ServerAddress, host: String) {
    self.target = target
    self.host = host
  }

  mutating func make(_ more: Int) async throws {
    for _ in 0..<more {
      let transport = try await MuxTransport.listen(
        on: "\(host):0",
        configuration: MuxSystem.configuration(serverID: ServerID("idle-\(transports.count)")))
      transports.append(transport)
      _ = try await transport.requestVote(
        id: BenchServer.serverID, target: target,
        RequestVoteRequest(term: 1, lastLogIndex: 1, lastLogTerm: 1))
    }
  }

  func close() async {
    for transport in transports { await transport.close() }
  }
}

/// Pipelines of one transport to one peer, each of which has carried a request.
private struct IdleStreams: IdleMaker {
  let target: ServerAddress
  let host: String
  let streams: Int
  private var transport: MuxTransport?
  private var pipelines: [any AppendPipeline] = []

  init(target: ServerAddress, host: String, streams: Int) {
    self.target = target
    self.host = host
    self.streams = streams
  }

  mutating func make(_ more: Int) async throws {
    let transport: MuxTransport
    if let known = self.transport {
      transport = known
    } else {
      transport = try await MuxTransport.listen(
        on: "\(host):0", configuration: MuxSystem.configuration(serverID: "idle", streams: streams))
      self.transport = transport
    }
    let request = AppendEntriesRequest(
      term: 1, previousLogIndex: 1, previousLogTerm: 1, entries: [LogEntry(index: 2, term: 1)])
    for _ in 0..<more {
      let pipeline = try await transport.appendEntriesPipeline(id: BenchServer.serverID, target: target)
      pipelines.append(pipeline)
      _ = try await pipeline.appendEntries(request).response
      let answers = pipeline.consumer.makeAsyncIterator()
      _ = await answers.next()
    }
  }

  func close() async {
    await transport?.close()
  }
}
