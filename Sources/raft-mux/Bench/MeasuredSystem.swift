/// Something that moves Raft's RPCs, or the like of them, from one process to another.
protocol MeasuredSystem: Sendable {
  var name: SystemName { get }

  /// Whether it can do such a thing at all.
  func supports(_ workload: Workload) -> Bool

  /// Connects for a workload.
  func open(_ workload: Workload) async throws -> any MeasuringSession

  /// Ends its processes.
  func stop() async
}

/// One system, ready for one workload.
protocol MeasuringSession: Sendable {
  /// Works a little, so that what follows finds everything in place.
  func warmUp(_ effort: Effort) async throws

  /// Works, until all is answered that was asked.
  func measure(_ effort: Effort) async throws -> Sample

  /// Begins or ends counting system calls and allocations in both processes.
  ///
  /// - Throws: ``BenchError`` with the reason why that is not possible.
  func count(_ isOn: Bool) async throws

  /// What both processes have used until now.
  func usage() async throws -> Usage

  func close() async
}

extension MeasuringSession {
  func warmUp(_ effort: Effort) async throws {
    _ = try await measure(effort)
  }
}
