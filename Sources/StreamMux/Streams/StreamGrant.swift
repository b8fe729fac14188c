/// How many streams of one class one side may open over the connection's life, seen from the side that
/// grants it.
///
/// The number is cumulative, so a peer that opens and resets streams as fast as it can gains nothing: a
/// stream comes back only when it is forgotten here, and that takes the consumer's consent (R-FLW-19,
/// R-FLW-20, R-FLW-22, R-FLW-23).
package struct StreamGrant: Hashable, Sendable {
  package let initial: UInt32
  /// What the peer was told.
  package private(set) var advertised: UInt64
  /// Streams that the peer opened.
  package private(set) var opened: UInt64 = 0
  /// Streams that were forgotten.
  package private(set) var returned: UInt64 = 0

  package init(initial: UInt32) {
    self.initial = initial
    advertised = UInt64(initial)
  }

  /// The peer opens a stream. False: it had no credit for it.
  package mutating func open() -> Bool {
    guard opened < advertised else { return false }
    opened += 1
    return true
  }

  package mutating func giveBack() {
    precondition(returned < opened, "more streams forgotten than were opened")
    returned += 1
  }

  /// Whether a quarter of the initial credit, at least one stream, was used up and given back.
  package var isGrantDue: Bool {
    initial > 0 && UInt64(initial) + returned - advertised >= max(1, UInt64(initial) / 4)
  }

  /// The number to send now. The peer knows it from here on.
  package mutating func takeGrant() -> UInt64 {
    advertised = UInt64(initial) + returned
    return advertised
  }
}

/// The same from the side that opens (R-FLW-18, R-FLW-21).
package struct StreamAllowance: Hashable, Sendable {
  /// What the peer granted in all.
  package private(set) var granted: UInt64
  /// Streams that were admitted.
  package private(set) var used: UInt64 = 0

  package init(initial: UInt32) {
    granted = UInt64(initial)
  }

  package var isExhausted: Bool { used >= granted }

  /// Takes one stream. False: none is left.
  package mutating func take() -> Bool {
    guard !isExhausted else { return false }
    used += 1
    return true
  }

  /// A stream was cancelled before its OPEN was framed: the peer never counted it.
  package mutating func putBack() {
    precondition(used > 0)
    used -= 1
  }

  /// The peer's STREAMS. Returns whether it changed anything.
  package mutating func raise(to total: UInt64) -> Bool {
    guard total > granted else { return false }
    granted = total
    return true
  }
}

/// One value per traffic class, without a dictionary.
package struct PerClass<Value: Sendable>: Sendable {
  private var election: Value
  private var append: Value
  private var snapshot: Value

  package init(_ make: (TrafficClass) -> Value) {
    election = make(.election)
    append = make(.append)
    snapshot = make(.snapshot)
  }

  package subscript(trafficClass: TrafficClass) -> Value {
    get {
      switch trafficClass {
      case .election: election
      case .append: append
      case .snapshot: snapshot
      }
    }
    _modify {
      switch trafficClass {
      case .election: yield &election
      case .append: yield &append
      case .snapshot: yield &snapshot
      }
    }
  }
}

extension PerClass: Equatable where Value: Equatable {}
