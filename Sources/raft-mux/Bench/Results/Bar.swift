/// Something that the transport is meant to reach, always against something else that was measured in the same round.
struct Bar: Sendable {
  let work: String
  let subject: Term
  let reference: Reference
  let limit: Limit
  /// Whether it is a promise over a network only, or on one machine only.
  let place: Place

  /// A number of one system at one workload.
  struct Term: Sendable {
    let system: SystemName
    let workload: String
    let quantity: Quantity
  }

  enum Quantity: Sendable {
    case figure(Figure)
    /// Of both sides together.
    case cost(String)
  }

  enum Reference: Sendable {
    case term(Term)
    /// The greatest of them.
    case best([Term])
    /// A fixed number, with its unit.
    case constant(Double, String)
    /// A number and something on top of it.
    case sum(Term, Double, String)
  }

  enum Limit: Sendable, Equatable {
    case atLeast(Double)
    case atMost(Double)

    func allows(_ ratio: Double) -> Bool {
      switch self {
      case .atLeast(let least): ratio >= least
      case .atMost(let most): ratio <= most
      }
    }
  }

  enum Place: Sendable, Equatable {
    case near
    case far
    case anywhere
  }
}

extension Bar {
  /// What the measurements say about it.
  enum Verdict: Sendable, Equatable {
    case reached(Spread)
    case notReached(Spread)
    /// Something that it takes was not measured.
    case open(String)
  }

  /// Takes the ratio within each round and looks at the median.
  func verdict(_ measurements: [Measurement]) -> Verdict {
    let rounds = Set(measurements.map(\.round)).sorted()
    let ratios = rounds.compactMap { round -> Double? in
      let round = measurements.filter { $0.round == round }
      guard let mine = value(of: subject, round), let other = value(of: reference, round), other > 0 else {
        return nil
      }
      return mine / other
    }
    guard let spread = Spread(ratios) else {
      return .open("not measured")
    }
    return limit.allows(spread.median) ? .reached(spread) : .notReached(spread)
  }

  private func value(of reference: Reference, _ round: [Measurement]) -> Double? {
    switch reference {
    case .term(let term): value(of: term, round)
    case .best(let terms): terms.compactMap { value(of: $0, round) }.max()
    case .constant(let value, _): value
    case .sum(let term, let more, _): value(of: term, round).map { $0 + more }
    }
  }

  private func value(of term: Term, _ round: [Measurement]) -> Double? {
    guard
      let measurement = round.first(where: {
        $0.system == term.system.rawValue && $0.workload == term.workload
      })
    else {
      return nil
    }
    switch term.quantity {
    case .figure(let figure):
      return measurement.isCounted ? nil : figure.value(measurement)
    case .cost(let title):
      guard let workload = Workload.all.first(where: { $0.name == term.workload }),
        let cost = workload.costs.first(where: { $0.title == title }), cost.isCounted == measurement.isCounted
      else {
        return nil
      }
      let (client, server) = cost.value(measurement)
      return client.flatMap { client in server.map { client + $0 } }
    }
  }
}

extension Bar.Reference {
  var text: String {
    switch self {
    case .term(let term): term.text
    case .best(let terms): "the better of " + terms.map(\.text).joined(separator: " and ")
    case .constant(let value, let unit): "\(Figure.text(value)) \(unit)"
    case .sum(let term, _, let more): "\(term.text) + \(more)"
    }
  }
}

extension Bar.Term {
  var text: String {
    switch quantity {
    case .figure(let figure): "\(system.rawValue), \(workload), \(figure.title)"
    case .cost(let title): "\(system.rawValue), \(workload), \(title)"
    }
  }
}

extension Bar.Limit {
  var text: String {
    switch self {
    case .atLeast(let ratio): "at least \(Figures.fixed(ratio, digits: 2))"
    case .atMost(let ratio): "at most \(Figures.fixed(ratio, digits: 2))"
    }
  }
}
