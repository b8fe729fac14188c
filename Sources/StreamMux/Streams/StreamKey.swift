/// Names a stream of one connection to its owner.
///
/// A slot of the stream table is used again after its stream is forgotten; the generation tells the streams
/// apart, so that a stale key is recognised and never names somebody else's stream.
package struct StreamKey: Hashable, Sendable {
  /// Small: streams that are over leave theirs to later ones.
  package let slot: UInt32
  let generation: UInt32

  package init(slot: UInt32, generation: UInt32) {
    self.slot = slot
    self.generation = generation
  }
}

extension StreamKey: CustomStringConvertible {
  package var description: String { "stream[\(slot).\(generation)]" }
}
