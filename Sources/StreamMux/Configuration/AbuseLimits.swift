/// The one table of what a peer may do how often. 16 bytes per budget and connection.
package struct AbuseLimits: Equatable, Sendable {
  /// What may come at once, and how much of it returns per second. 1...1,000,000 each.
  package struct Allowance: Hashable, Sendable {
    package let burst: Int
    package let perSecond: Int

    package init(burst: Int, perSecond: Int) {
      self.burst = burst
      self.perSecond = perSecond
    }
  }

  private var allowances: [Allowance]

  private init() {
    allowances = AbuseBudget.allCases.map(Self.standard)
  }

  package static let defaults = AbuseLimits()

  /// The defaults, but for the budgets that `changes` names.
  ///
  /// - Throws: ``ConfigurationError`` for the first allowance that is out of range.
  package init(changing changes: [AbuseBudget: Allowance]) throws(ConfigurationError) {
    self = .defaults
    for (budget, allowance) in changes {
      try ConfigurationError.check(allowance.burst, "abuse.\(budget).burst", in: 1...1_000_000)
      try ConfigurationError.check(allowance.perSecond, "abuse.\(budget).perSecond", in: 1...1_000_000)
      allowances[budget.rawValue] = allowance
    }
  }

  package subscript(budget: AbuseBudget) -> Allowance { allowances[budget.rawValue] }

  private static func standard(_ budget: AbuseBudget) -> Allowance {
    switch budget {
    case .pings: Allowance(burst: 32, perSecond: 16)
    case .ignorableFrames: Allowance(burst: 64, perSecond: 16)
    case .emptyData: Allowance(burst: 64, perSecond: 16)
    case .tinyData: Allowance(burst: 1_024, perSecond: 256)
    case .lateFrames: Allowance(burst: 1_024, perSecond: 512)
    case .resets: Allowance(burst: 1_024, perSecond: 512)
    case .provokedResets: Allowance(burst: 1_024, perSecond: 512)
    case .idleStreams: Allowance(burst: 64, perSecond: 16)
    }
  }
}
