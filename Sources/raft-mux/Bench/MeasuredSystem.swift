/// Something that moves Raft's RPCs, or the like of them, from one process to another on this machine.
protocol MeasuredSystem: Sendable {
  /// As tables and `--json` name it.
  var name: String { get }

  /// Whether it can do such a thing at all.
  func supports(_ workload: Workload) -> Bool

  /// Connects for a workload.
  func open(_ workload: Workload) async throws -> any MeasuringSession

  /// Ends its processes.
  func stop() async
}

/// One system, ready for one workload.
protocol MeasuringSession: Sendable {
  /// Works for so long, and until all is answered that was asked.
  func measure(_ duration: Duration) async throws -> Sample

  /// What both processes have used until now.
  func usage() async throws -> Usage

  func close() async
}
