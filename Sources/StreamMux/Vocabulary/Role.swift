/// Which end of the connection this is: the one that dialled or the one that accepted.
package enum Role: Hashable, Sendable {
  case dialler
  case acceptor

  /// The other end.
  package var peer: Role { self == .dialler ? .acceptor : .dialler }

  /// The first stream id of this end. The next one is always the previous one plus two.
  package var firstStreamID: UInt64 { self == .dialler ? 1 : 2 }

  /// Whether streams with this id are opened by this end. Id 0 is the connection and belongs to neither.
  package func opens(_ streamID: UInt64) -> Bool {
    streamID != 0 && (streamID & 1 == 1) == (self == .dialler)
  }
}
