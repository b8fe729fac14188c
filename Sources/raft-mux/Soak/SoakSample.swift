import Foundation

/// What the process holds behind a round, when nothing is under way.
struct SoakSample: Codable, Sendable, Equatable {
  var round: Int
  var residentBytes: UInt64
  var heapBytes: UInt64
  /// 0 where the system does not show them.
  var descriptors: Int
  var threads: Int
  var answers: UInt64
  var pipelines: UInt64

  init(round: Int, _ figures: SoakLedger.Figures) {
    self.round = round
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
      \(pipelines) pipelines, \(answers) answers
      """
  }

  /// What grew from round to round. The first round makes what is made once, so that it does not count.
  static func problems(_ samples: [SoakSample]) -> [String] {
    guard samples.count >= 3, let last = samples.last else { return [] }
    let first = samples[1]
    var problems: [String] = []
    // The heap may differ by what buffers happen to be kept for the next connection, not more.
    let allowed = first.heapBytes + first.heapBytes / 4 + 8_388_608
    if last.heapBytes > allowed {
      problems.append("the heap grew from \(first.heapBytes) to \(last.heapBytes) bytes")
    }
    if last.descriptors > first.descriptors {
      problems.append("descriptors grew from \(first.descriptors) to \(last.descriptors)")
    }
    if last.threads > first.threads + 4 {
      problems.append("threads grew from \(first.threads) to \(last.threads)")
    }
    return problems
  }
}
