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
  /// Works, until all is answered that was asked.
  func measure(_ effort: Effort) async throws -> Sample

  /// What both processes have used until now.
  func usage() async throws -> Usage

  func close() async
}
