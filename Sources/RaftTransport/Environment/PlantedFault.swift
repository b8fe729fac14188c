/// Faults that debug builds can have on purpose, one at a time: a test is worth something if it finds them.
///
/// Each stands for a mistake that would be easy to make; the place that has it asks for it by name.
package enum PlantedFault: String, CaseIterable, Sendable {
  /// A second connection of a pair is welcomed instead of refused.
  case keepsDuplicate
  /// A connection of an earlier start of a peer is welcomed though a later one is there.
  case acceptsStaleIncarnation
  /// A connection whose place another one takes is not closed.
  case neverDisplaces
  /// The outcome of a probe is not told.
  case probeNeverEnds
  /// A refusal in favour of another connection counts as a failure of the address.
  case takesDuplicateForFailure
  /// A call that waits for a connection is not told that it stands.
  case forgetsWaitingCalls
  /// A connection that ended stays the one for calls.
  case keepsRouteOfDead
  /// The timer of a call that waited for a connection goes on when the connection stands.
  case leavesCallTimer
  /// The timer of a snapshot goes on when it has ended.
  case leavesSnapshotTimer
  /// Any server will do for a call that names one.
  case ignoresServerID
  /// The last stream of a connection that ends is not told.
  case endForgetsStream
  /// A connection that ended still takes commands.
  case leavesMailboxOpen
  /// Silence of the peer is not looked for.
  case ignoresSilence
  /// The deadlines of calls are not looked at.
  case ignoresDeadlines
  /// A cancelled call goes on.
  case ignoresCancellation
  /// A batch of commands runs from its end.
  case reversesCommands
  /// A request whose stream broke was "certainly not delivered".
  case claimsNotDelivered
  /// A call is repeated when its connection was lost.
  case repeatsLostCalls
  /// A request comes to the consumer twice.
  case dispatchesTwice
  /// A stream that the peer reset is never given back, and its credit neither.
  case losesCreditAtReset
  /// What a handler took of a snapshot is not credited.
  case losesConsumption
  /// What complete requests took of a window is not credited.
  case losesRequestCredit
  /// An answer goes out once more in place of the one that waited behind it.
  case doublesAnswers
  /// A snapshot whose sender vanished ends as if it were whole.
  case endsCutSnapshot
  /// Frames carry no checksums.
  case dropsChecksums
}
