/// Decides, chunk by chunk, whether compressing is faster than sending plain.
///
/// With the compressor's speed C (plain bytes/s, all its threads together, as busy as the machine is), the rate of the
/// path R (bytes/s) and the ratio r (encoded by plain length), plain bytes reach the peer at R without compression and
/// at min(C, R/r) with it; the latter has to be better by 5 %.
///
/// C and r are measured on every chunk that is compressed, and on probes now and then while none is. R is seen while
/// the path is the limit. While it is not, because the compressor is slower than it, a few chunks are sent plain now
/// and then to see how fast the path takes them.
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
  /// Chunks between two probes, at least and at most (2 MiB and 16 GiB of full chunks).
  package static let probeInterval = 8...65_536
  /// Chunks between two probes while the path's rate or the compressor's speed is unknown.
  package static let blindProbeInterval = 64
  /// A probe may cost at most this part of the path's time.
  package static let probeShare = 0.01
  /// Looking at the path may take at most this part of the time.
  package static let linkProbeShare = 0.02
  /// The least time between two looks at the path, in seconds.
  package static let linkProbePause = 1.0
  /// Plain chunks of one look at the path, at most (8 MiB of full chunks): more than its buffers take at once.
  package static let linkProbeChunks = 32
  /// Plain bytes of a chunk while nothing is known of the path, and of a probe: little enough not to matter where the
  /// path is slow, or the compressor.
  package static let shortChunkLength = 64 * 1_024
  /// So many decisions in a row must find the path idle before it is looked at.
  package static let idleDecisionsOfLinkProbe = 4
  /// Weight of a new measurement while every chunk is measured.
  private static let weight = 0.25

  /// A look at the path that goes on.
  private struct LinkProbe: Equatable, Sendable {
    let start: Double
    let measurements: Int
    var chunks = 0
  }

  private let parallelism: Int
  /// Of one thread while `parallelism` of them are at work, plain bytes/s.
  private var threadSpeed: Double?
  private var ratio: Double?
  private var storedSinceProbe = 0
  /// Chunks that are still to be compressed for the probe that goes on, and those whose result is awaited.
  private var probesToCome = 0
  private var probesUnderWay = 0
  private var isCompressing = false
  private var linkProbe: LinkProbe?
  /// nil before the first decision: a stream's first bytes go into empty buffers, so that nothing is the limit.
  private var nextLinkProbe: Double?
  /// Decisions in a row at which the compressor had not filled the path.
  private var idleDecisions = 0

  /// - Parameter parallelism: chunks that are compressed at once: together they are that much faster.
  package init(parallelism: Int = 1) {
    precondition(parallelism >= 1)
    self.parallelism = parallelism
  }

  /// The same knowledge for another stream, none of whose chunks is under way.
  package func forNextStream(parallelism: Int) -> AdaptiveCompression {
    var next = AdaptiveCompression(parallelism: parallelism)
    next.threadSpeed = threadSpeed
    next.ratio = ratio
    next.isCompressing = isCompressing
    next.storedSinceProbe = storedSinceProbe
    return next
  }

  /// The most plain bytes that a chunk should have that is sent so.
  package func chunkLength(_ decision: Decision, link: LinkRate?) -> Int {
    switch decision {
    case .probe: Self.shortChunkLength
    case .stored: (link?.measurements ?? 0) == 0 ? Self.shortChunkLength : ChunkFormat.maximumRawLength
    case .zlib: ChunkFormat.maximumRawLength
    }
  }

  /// How to send the next chunk.
  ///
  /// - Parameters:
  ///   - link: what is known of the path; nil for nothing at all.
  ///   - now: the time, in seconds from any beginning.
  package mutating func decide(link: LinkRate?, now: Double) -> Decision {
    nextLinkProbe = nextLinkProbe ?? now + Self.linkProbePause
    updateLinkProbe(link, now: now)
    isCompressing = pays(link)
    if isCompressing {
      storedSinceProbe = 0
      probesToCome = 0
      return isLinkProbeGoingOn(link, now: now) ? .stored : .zlib
    }
    linkProbe = nil
    idleDecisions = 0
    startProbeIfDue(link)
    if probesToCome > 0 {
      probesToCome -= 1
      probesUnderWay += 1
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
  ///   - seconds: how long it took, from the order to the result.
  package mutating func record(_ decision: Decision, rawLength: Int, encodedLength: Int, seconds: Double) {
    precondition(rawLength > 0)
    guard decision != .stored else { return }
    let newRatio = min(Double(encodedLength) / Double(rawLength), 1)
    // A clock's tick is the least that can be told: no division by zero, no infinite speed.
    let newSpeed = Double(rawLength) / max(seconds, 1e-9)
    let isFirstOfProbe = decision == .probe && probesUnderWay + probesToCome == parallelism
    if decision == .probe { probesUnderWay = max(0, probesUnderWay - 1) }
    if !isFirstOfProbe, let ratio, let threadSpeed {
      // The chunks of a probe count alike.
      let weight = decision == .probe ? 1 / Double(parallelism - probesUnderWay - probesToCome) : Self.weight
      self.ratio = ratio + weight * (newRatio - ratio)
      self.threadSpeed = threadSpeed + weight * (newSpeed - threadSpeed)
    } else {
      // What was known before a probe is old, and says nothing of the data of now.
      ratio = newRatio
      threadSpeed = newSpeed
    }
  }

  private func pays(_ link: LinkRate?) -> Bool {
    guard let link, link.bytesPerSecond > 0, let threadSpeed, let ratio else { return false }
    // A path that never was the limit may be as fast as it likes.
    guard link.measurements > 0, link.isLimit || isCompressing else { return false }
    let rate = link.bytesPerSecond
    return min(threadSpeed * Double(parallelism), rate / max(ratio, 1e-6)) > Self.requiredGain * rate
  }

  // MARK: Probes of the compressor

  private mutating func startProbeIfDue(_ link: LinkRate?) {
    // One probe at a time is enough.
    guard probesToCome == 0, probesUnderWay == 0 else { return }
    // The first chunk goes ahead of the first probe, so that there is something to send meanwhile.
    let isDue = threadSpeed == nil ? storedSinceProbe >= 1 : storedSinceProbe >= interval(link)
    guard isDue else { return }
    storedSinceProbe = 0
    probesToCome = parallelism
  }

  /// Chunks between two probes, so that a probe's time stays a small part of theirs.
  private func interval(_ link: LinkRate?) -> Int {
    guard let rate = link?.bytesPerSecond, rate > 0, let threadSpeed else { return Self.blindProbeInterval }
    let fullChunks = Double(Self.shortChunkLength) / Double(ChunkFormat.maximumRawLength)
    let chunks = (fullChunks * rate / threadSpeed / Self.probeShare).rounded(.up)
    guard chunks < Double(Self.probeInterval.upperBound) else { return Self.probeInterval.upperBound }
    return max(Int(chunks), Self.probeInterval.lowerBound)
  }

  // MARK: Looks at the path

  private mutating func updateLinkProbe(_ link: LinkRate?, now: Double) {
    guard let probe = linkProbe else { return }
    let isMeasured = (link?.measurements ?? 0) > probe.measurements
    guard isMeasured || probe.chunks >= Self.linkProbeChunks else { return }
    linkProbe = nil
    nextLinkProbe = now + max(Self.linkProbePause, (now - probe.start) / Self.linkProbeShare)
  }

  /// Whether the next chunk goes plain to see what the path takes, because compression does not fill it.
  private mutating func isLinkProbeGoingOn(_ link: LinkRate?, now: Double) -> Bool {
    if linkProbe == nil {
      guard let link else { return false }
      idleDecisions = link.isLimit ? 0 : idleDecisions + 1
      guard idleDecisions >= Self.idleDecisionsOfLinkProbe, let nextLinkProbe, now >= nextLinkProbe else {
        return false
      }
      idleDecisions = 0
      linkProbe = LinkProbe(start: now, measurements: link.measurements)
    }
    linkProbe?.chunks += 1
    return true
  }
}
