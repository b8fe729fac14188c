import Logging
import NIOCore
import StreamMux
import Synchronization

/// The log lines that peers can cause, so many of each kind and no more (R-LIM-14): a peer must not be able to fill the
/// log. Lines below `info` are not counted, since who asks for these wants all of them.
final class PeerLog: Sendable {
  /// What a line is about.
  enum Subject: Int, CaseIterable {
    case connectionEnd
    case refusal
    case turnedAway
    case unreadableRequest
    case displacement
    case acceptFailure
    case plaintext
  }

  /// Lines of one kind that may come at once, and that come back with each second.
  static let burst = 32
  static let perSecond = 1

  private struct Allowance {
    var bucket: TokenBucket
    /// Lines that were left out since the last one that was not.
    var heldBack = 0
  }

  private let allowances: Mutex<[Allowance]>
  private let counters: EventCounters

  init(counters: EventCounters, now: NIODeadline = .now()) {
    self.counters = counters
    allowances = Mutex(
      Subject.allCases.map { _ in
        Allowance(bucket: TokenBucket(burst: Self.burst, perSecond: Self.perSecond, now: now))
      })
  }

  /// Logs a line unless there were too many of its kind; the next one that is logged says how many were left out.
  func log(
    _ subject: Subject, _ level: Logger.Level, _ message: Logger.Message,
    metadata: @autoclosure () -> Logger.Metadata = [:], to logger: Logger, now: NIODeadline = .now()
  ) {
    guard logger.logLevel <= level else { return }
    guard level >= .info else { return logger.log(level: level, message, metadata: metadata()) }
    let heldBack: Int? = allowances.withLock { allowances in
      guard allowances[subject.rawValue].bucket.take(now: now) else {
        allowances[subject.rawValue].heldBack += 1
        return nil
      }
      defer { allowances[subject.rawValue].heldBack = 0 }
      return allowances[subject.rawValue].heldBack
    }
    guard let heldBack else { return counters.add(\.logLinesHeldBack) }
    var metadata = metadata()
    if heldBack > 0 { metadata["left_out_before"] = "\(heldBack)" }
    logger.log(level: level, message, metadata: metadata)
  }
}
