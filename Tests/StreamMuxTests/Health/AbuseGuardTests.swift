import NIOCore
import StreamMux
import Testing

@Suite("Budgets for what a peer may do")
struct AbuseGuardTests {
  private let start = NIODeadline.uptimeNanoseconds(0)

  /// Burst and rate as the specification has them.
  static let table: [(AbuseBudget, Int, Int)] = [
    (.pings, 32, 16), (.ignorableFrames, 64, 16), (.emptyData, 64, 16), (.tinyData, 1_024, 256),
    (.lateFrames, 1_024, 512), (.resets, 1_024, 512), (.provokedResets, 1_024, 512), (.idleStreams, 64, 16),
  ]

  // R-LIM-3, R-LIM-4
  @Test("each allows its burst, then its rate, and names itself when it is used up", arguments: table.indices)
  func budget(index: Int) throws {
    let (budget, burst, perSecond) = Self.table[index]
    var guarding = AbuseGuard(limits: .defaults, now: start)
    for _ in 0..<burst { try guarding.spend(budget, now: start) }
    let error = #expect(throws: Violation.self) { try guarding.spend(budget, now: start) }
    #expect(error?.sin == .budgetExceeded(budget))
    #expect(error?.code == .excessiveLoad)

    let later = start + .seconds(1)
    for _ in 0..<perSecond { try guarding.spend(budget, now: later) }
    #expect(throws: Violation(.budgetExceeded(budget))) { try guarding.spend(budget, now: later) }
    // The others are untouched.
    for other in AbuseBudget.allCases where other != budget { try guarding.spend(other, now: later) }
  }

  @Test("the table has every budget")
  func complete() {
    #expect(Set(Self.table.map(\.0)) == Set(AbuseBudget.allCases))
  }

  @Test("follow the configuration")
  func configured() throws {
    let limits = try AbuseLimits(changing: [.pings: .init(burst: 1, perSecond: 2)])
    #expect(limits[.pings] == .init(burst: 1, perSecond: 2))
    #expect(limits[.resets] == AbuseLimits.defaults[.resets])
    var guarding = AbuseGuard(limits: limits, now: start)
    try guarding.spend(.pings, now: start)
    #expect(throws: Violation(.budgetExceeded(.pings))) {
      try guarding.spend(.pings, now: start + .milliseconds(499))
    }
    try guarding.spend(.pings, now: start + .milliseconds(500))
  }
}
