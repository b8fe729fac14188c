import Foundation

/// On what the figures were taken; without it they mean nothing.
struct Machine: Codable, Sendable {
  var processors: Int
  var processor: String
  var system: String
  /// Of TCP, in this network namespace; empty where the system does not show it.
  var congestionControl: String
  var isDebugBuild: Bool

  static var current: Machine {
    #if DEBUG
      let isDebugBuild = true
    #else
      let isDebugBuild = false
    #endif
    return Machine(
      processors: ProcessInfo.processInfo.activeProcessorCount, processor: processorName,
      system: ProcessInfo.processInfo.operatingSystemVersionString,
      congestionControl: CongestionControl.current ?? "", isDebugBuild: isDebugBuild)
  }

  var text: String {
    "\(processors) x \(processor), \(system)" + (congestionControl.isEmpty ? "" : ", \(congestionControl)")
      + (isDebugBuild ? "; a DEBUG build, whose figures mean nothing" : "")
  }

  private static var processorName: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "processor"
  }
}
