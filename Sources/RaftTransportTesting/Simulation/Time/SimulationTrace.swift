internal import Logging

/// What happens in a simulation, in words.
final class SimulationTrace: @unchecked Sendable {
  // Confined to the simulation's thread.
  private let time: VirtualTime
  private let sink: ((String) -> Void)?

  /// - Parameter sink: Gets each line; without one nothing is put into words.
  init(time: VirtualTime, sink: ((String) -> Void)?) {
    self.time = time
    self.sink = sink
  }

  func note(_ text: () -> String) {
    guard let sink else { return }
    let microseconds = time.now / 1_000
    let fraction = String(microseconds % 1_000_000)
    let zeros = String(repeating: "0", count: 6 - fraction.count)
    sink("\(microseconds / 1_000_000).\(zeros)\(fraction)  \(text())")
  }

  /// A logger whose lines become lines of the trace.
  func logger(for server: String) -> Logger {
    Logger(label: server) { _ in
      guard self.sink != nil else { return SwiftLogNoOpLogHandler() }
      return Handler(server: server, trace: self)
    }
  }

  private struct Handler: LogHandler {
    let server: String
    let trace: SimulationTrace
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      trace.note {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let details = all.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "\(server) says: \(event.message) \(details.joined(separator: " "))"
      }
    }
  }
}
