import Histogram
import Synchronization

/// How the votes that one node asked of one peer went.
struct VoteFigures: Codable, Sendable, Equatable {
  var peer: String
  var asked = 0
  var answered = 0
  /// The latency below which half of the answers came; `nil` before the first answer.
  var medianNanoseconds: UInt64?
  /// The latency below which 99 of 100 answers came; `nil` before the first answer.
  var percentile99Nanoseconds: UInt64?
  /// The longest latency; `nil` before the first answer.
  var longestNanoseconds: UInt64?
  /// What the first vote without an answer failed with.
  var firstError: String?
}

/// Keeps count of the votes that a node asks for, and of the time to each answer.
final class VoteLatency: Sendable {
  private struct Record {
    var figures: VoteFigures
    // Up to a minute, to three digits: no call of the demo may take longer.
    var latencies = Histogram<UInt64>(
      highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
  }

  private let records = Mutex<[String: Record]>([:])

  private func change(_ peer: String, _ body: (inout Record) -> Void) {
    self.records.withLock { records in
      body(&records[peer, default: Record(figures: VoteFigures(peer: peer))])
    }
  }

  /// A vote is asked for now.
  func asked(of peer: String) {
    self.change(peer) { $0.figures.asked += 1 }
  }

  /// The answer came.
  func answered(by peer: String, after latency: Duration) {
    self.change(peer) { record in
      record.figures.answered += 1
      _ = record.latencies.record(UInt64(clamping: latency.wholeNanoseconds))
    }
  }

  /// The call ended without an answer.
  func failed(at peer: String, _ error: any Error) {
    self.change(peer) { record in
      record.figures.firstError = record.figures.firstError ?? "\(error)"
    }
  }

  /// The figures of all peers, ordered by their IDs.
  var figures: [VoteFigures] {
    self.records.withLock { records in
      records.values.map { record in
        var figures = record.figures
        if figures.answered > 0 {
          figures.medianNanoseconds = record.latencies.valueAtPercentile(50)
          figures.percentile99Nanoseconds = record.latencies.valueAtPercentile(99)
          figures.longestNanoseconds = record.latencies.max
        }
        return figures
      }
    }.sorted { $0.peer < $1.peer }
  }
}
