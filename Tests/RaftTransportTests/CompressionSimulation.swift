@testable import RaftTransport

/// A snapshot on its way through the decision logic, in virtual time: a source that always has bytes, compressors that
/// work at once, the queue of the stream, buffers on the way, and a path.
///
/// The order of things is that of the compressor and the upload: chunks are decided on as far ahead as there are
/// compressors, given out in order, and added to the queue when there is room.
struct CompressionSimulation {
  enum Choice { case stored, zlib, automatic }

  /// What holds until some plain bytes were taken from the source.
  struct Stretch {
    var plainBytes: Double = .infinity
    /// Encoded by plain length.
    var ratio: Double
    /// Of one compressor, plain bytes per second.
    var compressorSpeed: Double
  }

  /// The path's rate from a time on.
  struct RateChange {
    var time: Double
    var bytesPerSecond: Double
  }

  var choice: Choice
  var size: Int
  var parallelism = 2
  var stretches: [Stretch]
  /// In order of time, the first one at 0.
  var rates: [RateChange]
  /// What the socket, the network and the window take before the path itself sets the pace, in bytes.
  var buffers = 384.0 * 1_024
  /// What making and handing over a chunk that is sent plain costs, in seconds per byte.
  var plainCost = 1 / 20e9

  private(set) var storedBytes = 0
  private(set) var compressedBytes = 0

  init(_ choice: Choice, size: Int, stretches: [Stretch], rates: [RateChange]) {
    self.choice = choice
    self.size = size
    self.stretches = stretches
    self.rates = rates
  }

  private struct Chunk {
    var rawLength: Int
    var encodedLength: Int
    var decision: AdaptiveCompression.Decision
    var ready: Double
    var seconds: Double
  }

  /// Bytes that the path has taken by a time, if it always had some, counted from another time.
  private func capacity(from start: Double, to end: Double) -> Double {
    var sum = 0.0
    for (index, change) in rates.enumerated() {
      let until = index + 1 < rates.count ? rates[index + 1].time : .infinity
      let overlap = min(end, until) - max(start, change.time)
      if overlap > 0 { sum += overlap * change.bytesPerSecond }
    }
    return sum
  }

  /// When the path will have taken so many bytes, counted from a time.
  private func time(toTake bytes: Double, from start: Double) -> Double {
    var left = bytes
    var now = start
    for (index, change) in rates.enumerated() {
      let until = index + 1 < rates.count ? rates[index + 1].time : .infinity
      guard until > now else { continue }
      let takes = (until - max(now, change.time)) * change.bytesPerSecond
      if takes >= left { return max(now, change.time) + left / change.bytesPerSecond }
      left -= takes
      now = until
    }
    return now
  }

  /// How long the snapshot takes, in seconds.
  mutating func run() -> Double {
    var adaptive = AdaptiveCompression(parallelism: parallelism)
    var pace = UploadPace()
    var now = 0.0
    var lanes = Array(repeating: 0.0, count: parallelism)
    var pending: [Chunk] = []
    var taken = 0
    var outstanding = 0.0
    var outstandingAt = 0.0
    var written = 0.0

    func queued() -> Double { max(0, outstanding - buffers) }
    func drain(to time: Double) {
      outstanding = max(0, outstanding - capacity(from: outstandingAt, to: time))
      outstandingAt = time
    }
    func look() {
      pace.observe(framed: UInt64(written - queued()), queued: Int(queued().rounded(.up)), now: now)
    }

    while true {
      while pending.count < parallelism, taken < size {
        let link = pace.linkRate
        let decision: AdaptiveCompression.Decision =
          switch choice {
          case .stored: .stored
          case .zlib: .zlib
          case .automatic: adaptive.decide(link: link, now: now)
          }
        let most = choice == .automatic ? adaptive.chunkLength(decision, link: link) : 262_144
        let length = min(most, size - taken)
        let stretch = stretch(at: taken)
        taken += length
        if decision == .stored {
          now += Double(length) * plainCost
          storedBytes += length
          pending.append(
            Chunk(rawLength: length, encodedLength: length + 9, decision: decision, ready: now, seconds: 0))
        } else {
          compressedBytes += length
          let lane = lanes.indices.min { lanes[$0] < lanes[$1] } ?? 0
          let ready = max(now, lanes[lane]) + Double(length) / stretch.compressorSpeed
          lanes[lane] = ready
          let shrinks = stretch.ratio < 1
          pending.append(
            Chunk(
              rawLength: length, encodedLength: (shrinks ? Int(Double(length) * stretch.ratio) : length) + 9,
              decision: decision, ready: ready, seconds: ready - now))
        }
      }
      guard !pending.isEmpty else { break }
      let chunk = pending.removeFirst()
      now = max(now, chunk.ready)
      if chunk.decision != .stored {
        adaptive.record(
          chunk.decision, rawLength: chunk.rawLength, encodedLength: chunk.encodedLength - 9,
          seconds: chunk.seconds)
      }
      drain(to: now)
      look()
      outstanding += Double(chunk.encodedLength)
      written += Double(chunk.encodedLength)
      if queued() >= Double(pace.highWater) {
        now = time(toTake: queued() - Double(pace.lowWater), from: now)
        drain(to: now)
        look()
      }
    }
    return time(toTake: outstanding, from: outstandingAt)
  }

  private func stretch(at plainBytes: Int) -> Stretch {
    var left = Double(plainBytes)
    for stretch in stretches {
      if left < stretch.plainBytes { return stretch }
      left -= stretch.plainBytes
    }
    return stretches[stretches.count - 1]
  }
}
