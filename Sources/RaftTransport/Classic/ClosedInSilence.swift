/// The peer closed an RMUX connection without a byte, as servers do that take its preface for an unknown request: the
/// first half of the proof that it is an old one (R-CLS-20). Hosts that are overloaded do so, too.
struct ClosedInSilence: Error, CustomStringConvertible {
  var description: String { "it never sent a byte" }
}

extension TransportError {
  /// Whether the peer may be an old one, as far as this failure of an RMUX connection shows.
  var suggestsClassicPeer: Bool { underlying is ClosedInSilence }
}
