package import NIOCore

/// Counts what a peer does against the table of budgets (R-LIM-3, R-LIM-4).
package struct AbuseGuard: Equatable, Sendable {
  private var buckets: [TokenBucket]

  package init(limits: AbuseLimits, now: NIODeadline) {
    buckets = AbuseBudget.allCases.map { budget in
      TokenBucket(burst: limits[budget].burst, perSecond: limits[budget].perSecond, now: now)
    }
  }

  /// Counts one more.
  ///
  /// - Throws: ``Violation/Sin/budgetExceeded(_:)`` if that is more than the budget allows.
  package mutating func spend(_ budget: AbuseBudget, now: NIODeadline) throws(Violation) {
    guard buckets[budget.rawValue].take(now: now) else { throw Violation(.budgetExceeded(budget)) }
  }
}
