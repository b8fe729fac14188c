/// How many streams of each class one end lets the other open.
package struct StreamCredit: Hashable, Sendable {
  package var election: UInt32
  package var append: UInt32
  package var snapshot: UInt32

  package init(election: UInt32, append: UInt32, snapshot: UInt32) {
    self.election = election
    self.append = append
    self.snapshot = snapshot
  }

  package static let defaults = StreamCredit(election: 64, append: 256, snapshot: 8)

  package subscript(trafficClass: TrafficClass) -> UInt32 {
    get {
      switch trafficClass {
      case .election: election
      case .append: append
      case .snapshot: snapshot
      }
    }
    set {
      switch trafficClass {
      case .election: election = newValue
      case .append: append = newValue
      case .snapshot: snapshot = newValue
      }
    }
  }
}
