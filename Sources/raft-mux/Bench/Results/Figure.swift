/// One number of a measurement that tables and plots show.
struct Figure: Sendable {
  let title: String
  let isBetterWhenLess: Bool
  /// `nil` where a measurement does not have it.
  let value: @Sendable (Measurement) -> Double?

  static func more(_ title: String, _ value: @escaping @Sendable (Measurement) -> Double?) -> Figure {
    Figure(title: title, isBetterWhenLess: false, value: value)
  }

  static func less(_ title: String, _ value: @escaping @Sendable (Measurement) -> Double?) -> Figure {
    Figure(title: title, isBetterWhenLess: true, value: value)
  }

  /// The values of the rounds, each divided by the reference's of the same round; more than 1 is better than it.
  func ratios(_ own: [Measurement], to reference: [Measurement]) -> [Double] {
    own.compactMap { measurement in
      guard let other = reference.first(where: { $0.round == measurement.round }),
        let mine = value(measurement), let its = value(other), mine > 0, its > 0
      else {
        return nil
      }
      return isBetterWhenLess ? its / mine : mine / its
    }
  }

  /// A number as people read it.
  static func text(_ value: Double) -> String {
    if value >= 100 { return Figures.count(UInt64(value.rounded())) }
    return Figures.fixed(value, digits: value >= 10 ? 1 : value >= 0.1 || value <= 0 ? 2 : 3)
  }
}

extension Figure {
  static let requestsPerSecond = more("requests/s") { Double($0.sample.operations) / $0.sample.seconds }
  static let megabytesPerSecond = more("MB/s") { Double($0.sample.payloadBytes) / $0.sample.seconds / 1e6 }
  static let p50 = less("p50 us") { $0.sample.latency?.p50 }
  static let p99 = less("p99 us") { $0.sample.latency?.p99 }
  static let p999 = less("p99.9 us") { $0.sample.latency?.p999 }
  static let besideMegabytes = more("snapshot MB/s beside") {
    ($0.sample.load?.snapshotBytesPerSecond).map { $0 / 1e6 }
  }
  static let besideRequests = more("requests/s beside") { $0.sample.load?.requestsPerSecond }
}

extension Workload {
  private var isGrowth: Bool { name.hasPrefix("growth-") }

  /// What is looked at; the first one is what systems are compared by.
  var figures: [Figure] {
    switch kind {
    case .unary: [.requestsPerSecond, .p50, .p99]
    case .pipeline(let batch, _) where batch.entries > 1 || isGrowth:
      [
        .requestsPerSecond,
        .more("entries/s") { Double($0.sample.operations * batch.entries) / $0.sample.seconds },
      ]
    case .pipeline, .pipelines, .peers: [.requestsPerSecond]
    case .snapshot: [.megabytesPerSecond]
    case .latency(_, beside: .idle): [.p50, .p99, .p999]
    case .latency(_, beside: .snapshot): [.p50, .p99, .p999, .besideMegabytes]
    case .latency(_, beside: .busy): [.p50, .p99, .p999, .besideMegabytes, .besideRequests]
    case .codec:
      [
        .less("write ns") { $0.sample.codec?.encodeNanoseconds },
        .less("read ns") { $0.sample.codec?.decodeNanoseconds },
        .less("allocations, write") { $0.sample.codec?.encodeAllocations },
        .less("allocations, read") { $0.sample.codec?.decodeAllocations },
        .less("bytes") { ($0.sample.codec?.bytes).map { Double($0) } },
      ]
    case .idle:
      [
        .less("B each, server") { $0.sample.idle?.server.residentBytesEach },
        .less("of it heap") { $0.sample.idle?.server.heapBytesEach },
        .less("B each, client") { $0.sample.idle?.client.residentBytesEach },
        .less("of it heap") { $0.sample.idle?.client.heapBytesEach },
        .less("wake-ups/s, server") { $0.sample.idle?.server.wakeUpsPerSecond },
        .less("wake-ups/s, client") { $0.sample.idle?.client.wakeUpsPerSecond },
        .less("CPU %, server") { ($0.sample.idle?.server.processorShare).map { $0 * 100 } },
        .less("CPU %, client") { ($0.sample.idle?.client.processorShare).map { $0 * 100 } },
      ]
    }
  }

  /// What costs are given for, and how many of them a measurement did; `nil` where several things share the costs.
  var unit: (name: String, count: @Sendable (Sample) -> Double)? {
    switch kind {
    case .unary, .pipelines, .peers, .latency(_, beside: .idle): ("request", { Double($0.operations) })
    case .pipeline(let batch, _) where isGrowth:
      ("entry", { Double($0.operations * batch.entries) })
    case .pipeline: ("request", { Double($0.operations) })
    case .snapshot: ("MB", { Double($0.payloadBytes) / 1e6 })
    case .latency, .codec, .idle: nil
    }
  }

  /// What each request, entry or megabyte costs.
  var costs: [Cost] {
    guard let unit else { return [] }
    func each(
      _ title: String, isCounted: Bool = false, _ value: @escaping @Sendable (Usage) -> (Double?, Double?)
    ) -> Cost {
      Cost(title: "\(title)/\(unit.name)", isCounted: isCounted) { measurement in
        let count = unit.count(measurement.sample)
        guard count > 0 else { return (nil, nil) }
        let (client, server) = value(measurement.usage)
        return (client.map { $0 / count }, server.map { $0 / count })
      }
    }
    return [
      each("CPU us") { ($0.clientCPUSeconds * 1e6, $0.serverCPUSeconds * 1e6) },
      each("wire B") { (Double($0.wireBytes), nil) },
      each("system calls", isCounted: true) {
        (($0.client?.systemCalls).map { Double($0) }, ($0.server?.systemCalls).map { Double($0) })
      },
      each("allocations", isCounted: true) {
        (($0.client?.allocations).map { Double($0) }, ($0.server?.allocations).map { Double($0) })
      },
    ]
  }
}

/// What a unit of work costs the calling side and the answering one.
struct Cost: Sendable {
  let title: String
  /// Whether only counted measurements tell.
  let isCounted: Bool
  let value: @Sendable (Measurement) -> (client: Double?, server: Double?)

  /// `client + server`, medians; `nil` if nothing is known.
  func text(_ measurements: [Measurement]) -> String? {
    let values = measurements.filter { $0.isCounted == isCounted }.map(value)
    let sides = [Spread(values.compactMap(\.client)), Spread(values.compactMap(\.server))]
    if sides.allSatisfy({ $0 == nil }) { return nil }
    if values.allSatisfy({ $0.server == nil }) { return sides[0].map { Figure.text($0.median) } }
    return sides.map { $0.map { Figure.text($0.median) } ?? "?" }.joined(separator: " + ")
  }
}
