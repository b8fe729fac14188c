import NIOCore
import StreamMux
import Testing

@Suite("Configuration")
struct ConfigurationTests {
  @Test("has defaults that its own initialisers take")
  func defaults() throws {
    #expect(try MuxLimits() == .defaults)
    #expect(try SchedulingLimits() == .defaults)
    #expect(try LivenessLimits() == .defaults)
    #expect(try AbuseLimits(changing: [:]) == .defaults)
    let limits = MuxLimits.defaults
    #expect(limits.maximumFramePayload == 65_536)
    #expect(limits.initialWindow == 262_144)
    #expect(limits.receiveBudget == 134_217_728)
    #expect(limits.handshakeTimeout == .seconds(5))
  }

  // R-LIM-2
  @Test("refuses what is out of range and names the field")
  func limits() {
    let wrong: [(String, () throws -> Void)] = [
      ("maximumFramePayload", { _ = try MuxLimits(maximumFramePayload: 4_095) }),
      ("maximumFramePayload", { _ = try MuxLimits(maximumFramePayload: 65_537) }),
      ("initialWindow", { _ = try MuxLimits(initialWindow: 16_383) }),
      (
        "streamCredit.append",
        { _ = try MuxLimits(streamCredit: StreamCredit(election: 1, append: 0, snapshot: 1)) }
      ),
      ("receiveBudget", { _ = try MuxLimits(initialWindow: 1_048_576, receiveBudget: 1_048_575) }),
      ("assemblyBudget", { _ = try MuxLimits(assemblyBudget: 0) }),
      ("maximumAppendWindow", { _ = try MuxLimits(maximumAppendWindow: 16_383) }),
      ("maximumSnapshotWindow", { _ = try MuxLimits(maximumSnapshotWindow: 1 << 30 + 1) }),
      ("maximumPendingOpens", { _ = try MuxLimits(maximumPendingOpens: 0) }),
      ("writeLowWater", { _ = try MuxLimits(writeLowWater: 0) }),
      ("maximumControlFrames", { _ = try MuxLimits(maximumControlFrames: 63) }),
      ("maximumWaitingPongs", { _ = try MuxLimits(maximumWaitingPongs: 0) }),
      ("handshakeTimeout", { _ = try MuxLimits(handshakeTimeout: .zero) }),
      ("bulkFrame", { _ = try SchedulingLimits(bulkFrame: 65_537) }),
      ("quantum", { _ = try SchedulingLimits(quantum: 0) }),
      ("appendWeight", { _ = try SchedulingLimits(appendWeight: 0) }),
      ("snapshotWeight", { _ = try SchedulingLimits(snapshotWeight: -1) }),
      ("electionBurst", { _ = try SchedulingLimits(electionBurst: 1) }),
      ("electionRate", { _ = try SchedulingLimits(electionRate: .max) }),
      ("electionMessage", { _ = try SchedulingLimits(electionMessage: 0) }),
      ("sliceThreshold", { _ = try SchedulingLimits(sliceThreshold: 255) }),
      ("silenceBeforePing", { _ = try LivenessLimits(silenceBeforePing: .milliseconds(9)) }),
      ("jitterPercent", { _ = try LivenessLimits(jitterPercent: 51) }),
      ("deadAfter", { _ = try LivenessLimits(deadAfter: .milliseconds(1_199)) }),
      ("deadRoundTrips", { _ = try LivenessLimits(deadRoundTrips: 0) }),
      ("drainPause", { _ = try LivenessLimits(drainPause: .nanoseconds(-1)) }),
      (
        "abuse.pings.burst",
        { _ = try AbuseLimits(changing: [.pings: .init(burst: 0, perSecond: 1)]) }
      ),
      (
        "abuse.resets.perSecond",
        { _ = try AbuseLimits(changing: [.resets: .init(burst: 1, perSecond: 1_000_001)]) }
      ),
    ]
    for (field, make) in wrong {
      let error = #expect(throws: ConfigurationError.self) { try make() }
      #expect(error?.field == field)
      #expect(error?.description.contains(field) == true)
    }
  }
}
