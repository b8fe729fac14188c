@testable import raft_mux

/// Measurements as tests need them.
enum BenchMeasurements {
  static func requests(
    _ workload: String, _ system: String, round: Int = 1, perSecond: Int, isCounted: Bool = false,
    systemCalls: UInt64 = 0
  ) -> Measurement {
    var usage = Usage(clientCPUSeconds: 0.5, serverCPUSeconds: 0.25, wireBytes: 1_000)
    if isCounted {
      usage.client = Usage.Counts(systemCalls: systemCalls, allocations: nil)
      usage.server = Usage.Counts(systemCalls: systemCalls, allocations: nil)
    }
    return Measurement(
      workload: workload, system: system, round: round, isCounted: isCounted,
      sample: Sample(operations: perSecond, payloadBytes: 0, seconds: 1), usage: usage)
  }

  static func latency(
    _ workload: String, _ system: String, round: Int = 1, p50: Double, p99: Double
  ) -> Measurement {
    let curve = Sample.Latency.curvePercentiles.map { $0 < 99 ? p50 : p99 }
    return Measurement(
      workload: workload, system: system, round: round,
      sample: Sample(
        operations: 100, payloadBytes: 0, seconds: 1,
        latency: Sample.Latency(p50: p50, p99: p99, p999: p99, curve: curve),
        load: Sample.Load(requestsPerSecond: 5, snapshotBytesPerSecond: 1e6),
        timeline: (0..<10).map {
          Sample.Moment(seconds: Double($0) / 10, mean: p50, worst: p99, snapshotBytes: UInt64($0) * 100_000)
        }),
      usage: Usage(clientCPUSeconds: 0.1, serverCPUSeconds: 0.1, wireBytes: 1_000))
  }
}
