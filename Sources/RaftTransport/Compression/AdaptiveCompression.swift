/// Decides, chunk by chunk, whether compressing is faster than sending plain.
///
/// With the compressor's speed C (plain bytes/s), the rate of the path R (bytes/s) and the ratio r (encoded
/// by plain length), plain bytes reach the peer at R without compression and at min(C, R/r) with it; the
/// latter has to be better by 5 %.
///
/// A value without a clock: what was measured is passed in, so the same calls give the same decisions.
package struct AdaptiveCompression: Equatable, Sendable {
  package enum Decision: Equatable, Sendable {
    case stored
    case zlib
    /// Compress this one to learn how it goes.
    case probe
  }

  /// What compression must gain.
  package static let requiredGain = 1.05
  /// Chunks between two probes, at least and at most (2 MiB and 1 GiB of full chunks).
  package static let probeInterval = 8...4096
  /// Chunks between two probes while the path's rate or the compressor's speed is unknown.
  package static let blindProbeInterval = 64
  /// A probe may cost at most this part of the path's time.
  package static let probeShare = 0.01
  /// Weight of a new measurement while every chunk is measured.
  private static let weight = 0.25

  private let parallelism: Double
  /// Of one thread, plain bytes/s.
  private var threadSpeed: Double?
  private var ratio: Double?
  private var storedSinceProbe = 0
  private var isProbing = false

  /// - Parameter parallelism: chunks that are compressed at once: together they are that much faster.
  package init(parallelism: Int = 1) {
    precondition(parallelism >= 1)
    self.parallelism = Double(parallelism)
  }

  /// How to send the next chunk.
  ///
  /// - Parameter linkRate: bytes/s that the path takes while there is always something to send; nil while
  ///   that is unknown. A rate that was held down by the compressor itself would mislead.
  package mutating func decide(linkRate: Double?) -> Decision {
    if pays(linkRate: linkRate) {
      storedSinceProbe = 0
      return .zlib
    }
    // The very first chunk is a probe; and one probe at a time is enough.
    let isDue = threadSpeed == nil || storedSinceProbe >= interval(linkRate: linkRate)
    if isDue, !isProbing {
      isProbing = true
      storedSinceProbe = 0
      return .probe
    }
    storedSinceProbe += 1
    return .stored
  }

  /// What compressing a chunk for `.zlib` or `.probe` gave.
  ///
  /// - Parameters:
  ///   - rawLength: plain bytes.
  ///   - encodedLength: compressed bytes; the plain length if the chunk did not shrink.
  ///   - seconds: how long it took.
  package mutating func record(_ decision: Decision, rawLength: Int, encodedLength: Int, seconds: Double) {
    precondition(rawLength > 0)
    guard decision != .stored else { return }
    let newRatio = min(Double(encodedLength) / Double(rawLength), 1)
    // A clock's tick is the least that can be told: no division by zero, no infinite speed.
    let newSpeed = Double(rawLength) / max(seconds, 1e-9)
    if decision == .probe { isProbing = false }
    if decision == .zlib, let ratio, let threadSpeed {
      self.ratio = ratio + Self.weight * (newRatio - ratio)
      self.threadSpeed = threadSpeed + Self.weight * (newSpeed - threadSpeed)
    } else {
      // What was known before a probe is old, and says nothing of the data of now.
      ratio = newRatio
      threadSpeed = newSpeed
    }
  }

  private func pays(linkRate: Double?) -> Bool {
    guard let linkRate, linkRate > 0, let threadSpeed, let ratio else { return false }
    return min(threadSpeed * parallelism, linkRate / max(ratio, 1e-6)) > Self.requiredGain * linkRate
  }

  /// Chunks between two probes, so that a probe's time stays a small part of theirs.
  private func interval(linkRate: Double?) -> Int {
    guard let linkRate, linkRate > 0, let threadSpeed else { return Self.blindProbeInterval }
    let chunks = (linkRate / threadSpeed / Self.probeShare).rounded(.up)
    guard chunks < Double(Self.probeInterval.upperBound) else { return Self.probeInterval.upperBound }
    return max(Int(chunks), Self.probeInterval.lowerBound)
  }
}
