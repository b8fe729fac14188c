/// How streams share the connection.
package struct SchedulingLimits: Equatable, Sendable {
  /// The largest frame of an append or snapshot while others have something to send, bytes, 1 KiB...64 KiB.
  /// What a vote waits for.
  package private(set) var bulkFrame = 16 * 1_024
  /// One turn of a weight of 1, bytes, 1 KiB...1 MiB.
  package private(set) var quantum = 16 * 1_024
  /// Turns of the append class, 1...1,024.
  package private(set) var appendWeight = 8
  /// Turns of the snapshot class, 1...1,024.
  package private(set) var snapshotWeight = 1
  /// What elections may send at once ahead of the others, bytes, 1 KiB...16 MiB.
  package private(set) var electionBurst = 64 * 1_024
  /// What elections may send ahead of the others for long, bytes per second, 1 KiB...1 GiB.
  package private(set) var electionRate = 256 * 1_024
  /// An election stream that queues more than this is an append from then on, bytes, 1 KiB...1 MiB.
  package private(set) var electionMessage = 16 * 1_024
  /// Payloads of at least this are handed out as slices instead of being copied, bytes, 256...64 KiB.
  package private(set) var sliceThreshold = 4 * 1_024

  private init() {}

  package static let defaults = SchedulingLimits()

  /// - Throws: ``ConfigurationError`` for the first field that is out of range.
  package init(
    bulkFrame: Int = defaults.bulkFrame,
    quantum: Int = defaults.quantum,
    appendWeight: Int = defaults.appendWeight,
    snapshotWeight: Int = defaults.snapshotWeight,
    electionBurst: Int = defaults.electionBurst,
    electionRate: Int = defaults.electionRate,
    electionMessage: Int = defaults.electionMessage,
    sliceThreshold: Int = defaults.sliceThreshold
  ) throws(ConfigurationError) {
    self.bulkFrame = bulkFrame
    self.quantum = quantum
    self.appendWeight = appendWeight
    self.snapshotWeight = snapshotWeight
    self.electionBurst = electionBurst
    self.electionRate = electionRate
    self.electionMessage = electionMessage
    self.sliceThreshold = sliceThreshold

    let kibibyte = 1_024
    try ConfigurationError.check(bulkFrame, "bulkFrame", in: kibibyte...64 * kibibyte)
    try ConfigurationError.check(quantum, "quantum", in: kibibyte...1_024 * kibibyte)
    try ConfigurationError.check(appendWeight, "appendWeight", in: 1...1_024)
    try ConfigurationError.check(snapshotWeight, "snapshotWeight", in: 1...1_024)
    try ConfigurationError.check(electionBurst, "electionBurst", in: kibibyte...16_384 * kibibyte)
    try ConfigurationError.check(electionRate, "electionRate", in: kibibyte...1_024 * 1_024 * kibibyte)
    try ConfigurationError.check(electionMessage, "electionMessage", in: kibibyte...1_024 * kibibyte)
    try ConfigurationError.check(sliceThreshold, "sliceThreshold", in: 256...64 * kibibyte)
  }
}
