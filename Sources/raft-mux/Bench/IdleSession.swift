import Foundation
import RaftTransport

/// What connections or streams hold that nobody uses: two processes of their own, so that nothing else is in them.
struct IdleSession: MeasuringSession {
  /// So many are there before the first look: what the first ones cost once is not theirs.
  private static let first = 16

  /// A little more than the transport's limit for calls.
  private static let settling = Duration.seconds(11)
  /// Long enough to meet what comes every few seconds.
  private static let quiet = Duration.seconds(5)

  let count: Int
  private let server: any AnsweringSide
  private let caller: Conversation

  static func open(
    _ thing: Workload.IdleThing, count: Int, host: any AnsweringHost
  ) async throws -> IdleSession {
    let streams = thing == .streams ? count + first : 0
    let server = try await host.start(.rmux, ServerShape(streams: streams))
    do {
      let (caller, _) = try Conversation.withProcess(
        arguments: IdleCallerCommand.arguments(
          thing, target: server.address, host: host.callerHost, streams: streams))
      return IdleSession(count: count, server: server, caller: caller)
    } catch {
      await server.stop()
      throw error
    }
  }

  /// The measurement begins from nothing.
  func warmUp(_ effort: Effort) async throws {}

  func measure(_ effort: Effort) async throws -> Sample {
    try await make(Self.first)
    let before = try await look()
    try await make(count)
    // What was needed to make them comes to its end: a call's time limit may keep a timer until it has passed.
    try await Task.sleep(for: Self.settling)
    let after = try await look()
    let quiet = max(effort.duration, Self.quiet)
    let watch = Stopwatch(quiet)
    // The quiet is what is measured.
    try await Task.sleep(for: quiet)
    let seconds = watch.seconds
    let later = try await look()
    return Sample(
      operations: count, payloadBytes: 0, seconds: seconds,
      idle: Sample.Idle(
        client: side(before.client, after.client, later.client, seconds),
        server: side(before.server, after.server, later.server, seconds)))
  }

  func count(_ isOn: Bool) async throws {}

  func usage() async throws -> Usage {
    let now = try await look()
    return Usage(client: now.client, server: now.server, wireBytes: 0)
  }

  func close() async {
    await caller.stop()
    await server.stop()
  }

  private func make(_ more: Int) async throws {
    let _: PeerLines.Done = try await caller.ask(
      PeerLines.Order(order: "make", more: more), patience: .seconds(60))
  }

  private func look() async throws -> (client: PeerLines.ProcessUsage, server: PeerLines.ProcessUsage) {
    (try await caller.ask(.usage), try await server.usage())
  }

  private func side(
    _ before: PeerLines.ProcessUsage, _ after: PeerLines.ProcessUsage, _ later: PeerLines.ProcessUsage,
    _ seconds: Double
  ) -> Sample.Idle.Side {
    func each(_ field: KeyPath<PeerLines.ProcessUsage, UInt64?>) -> Double {
      (Double(after[keyPath: field] ?? 0) - Double(before[keyPath: field] ?? 0)) / Double(count)
    }
    return Sample.Idle.Side(
      residentBytesEach: each(\.residentBytes), heapBytesEach: each(\.heapBytes),
      wakeUpsPerSecond: Double((later.wakeUps ?? 0) - min(after.wakeUps ?? 0, later.wakeUps ?? 0)) / seconds,
      processorShare: (later.cpuSeconds - after.cpuSeconds) / seconds)
  }
}
