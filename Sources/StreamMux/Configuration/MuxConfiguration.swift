/// Every number that one connection's engine goes by.
///
/// Each part has `.defaults` and an initialiser that throws ``ConfigurationError`` for values out of range,
/// and states for each field its unit, range and the memory that it can cost (R-LIM-2).
package struct MuxConfiguration: Equatable, Sendable {
  package var limits: MuxLimits
  package var scheduling: SchedulingLimits
  package var liveness: LivenessLimits
  package var abuse: AbuseLimits
  /// The Raft group whose streams the peer may open; nil: any.
  package var group: UInt64?

  package init(
    limits: MuxLimits = .defaults,
    scheduling: SchedulingLimits = .defaults,
    liveness: LivenessLimits = .defaults,
    abuse: AbuseLimits = .defaults,
    group: UInt64? = nil
  ) {
    self.limits = limits
    self.scheduling = scheduling
    self.liveness = liveness
    self.abuse = abuse
    self.group = group
  }

  package static let defaults = MuxConfiguration()
}
