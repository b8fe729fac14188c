import Foundation

/// What the process holds behind a round, when nothing is under way.
struct SoakSample: Codable, Sendable, Equatable {
  var round: Int
  var residentBytes: UInt64
  var heapBytes: UInt64
  /// 0 where the system does not show them.
  var descriptors: Int
  var threads: Int
  /// Of all nodes, as they count them.
  var connections: Int
  var streams: Int
  var answers: UInt64
  var pipelines: UInt64

  init(round: Int, connections: Int, streams: Int, _ figures: SoakLedger.Figures) {
    self.round = round
    self.connections = connections
    self.streams = streams
    residentBytes = ProcessMemory.residentBytes
    heapBytes = ProcessMemory.heapBytes
    descriptors = OpenDescriptors.current()?.count ?? 0
    threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task"))?.count ?? 0
    answers = figures.answers
    pipelines = figures.pipelines
  }

  var line: String {
    let mebibyte = 1_048_576.0
    let resident = String(format: "%.1f", Double(residentBytes) / mebibyte)
    let heap = String(format: "%.1f", Double(heapBytes) / mebibyte)
    return """
      round \(round): resident \(resident) MiB, heap \(heap) MiB, \(descriptors) descriptors, \(threads) threads, \
      \(connections) connections, \(streams) streams, \
      \(pipelines) pipelines, \(answers) answers
      """
  }

  /// What is left or grew from round to round. The first round makes what is made once, so that it does not count.
  static func problems(_ samples: [SoakSample]) -> [String] {
    var problems = samples.filter { $0.connections + $0.streams > 0 }.map {
      "round \($0.round) left \($0.connections) connections and \($0.streams) streams"
    }
    guard samples.count >= 3, let last = samples.last else { return problems }
    let first = samples[1]
    // The heap may differ by what buffers happen to be kept for the next connection, not more.
    let allowed = first.heapBytes + first.heapBytes / 4 + 8_388_608
    if last.heapBytes > allowed {
      problems.append("the heap grew from \(first.heapBytes) to \(last.heapBytes) bytes")
    }
    if last.descriptors > first.descriptors {
      problems.append("descriptors grew from \(first.descriptors) to \(last.descriptors)")
    }
    // The allocator gives back what it likes, and so thirds of the run are compared, and not rounds.
    let third = samples.count / 3
    let middle = meanResidentBytes(samples[third..<samples.count - third])
    let end = meanResidentBytes(samples[(samples.count - third)...])
    if end > middle + middle / 4 + 33_554_432 {
      problems.append("resident memory grew from \(middle) to \(end) bytes")
    }
    return problems
  }

  private static func meanResidentBytes(_ samples: ArraySlice<SoakSample>) -> UInt64 {
    samples.reduce(0) { $0 + $1.residentBytes } / UInt64(max(1, samples.count))
  }
}
