/// What a stream is for. It decides the stream's place in the scheduler, its stream credit and its memory.
///
/// The value is the class byte of a frame header. 0 there means the connection itself and is no class.
package enum TrafficClass: UInt8, CaseIterable, Hashable, Sendable {
  /// Votes, pre-votes, TimeoutNow and heartbeats: small, and ahead of everything but control frames.
  case election = 1
  /// AppendEntries, one at a time or in a pipeline.
  case append = 2
  /// InstallSnapshot.
  case snapshot = 3
}
