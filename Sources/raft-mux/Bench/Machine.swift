import Foundation

/// On what the figures were taken; without it they mean nothing.
struct Machine: Codable, Sendable {
  var processors: Int
  var processor: String
  var system: String
  var isDebugBuild: Bool

  static var current: Machine {
    #if DEBUG
      let isDebugBuild = true
    #else
      let isDebugBuild = false
    #endif
    return Machine(
      processors: ProcessInfo.processInfo.activeProcessorCount, processor: self.processorName,
      system: ProcessInfo.processInfo.operatingSystemVersionString, isDebugBuild: isDebugBuild)
  }

  var text: String {
    "\(self.processors) x \(self.processor), \(self.system)"
      + (self.isDebugBuild ? "; a DEBUG build, whose figures mean nothing" : "")
  }

  private static var processorName: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "processor"
  }
}
