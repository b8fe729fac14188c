#if Authentication
  import Logging
  import Synchronization

  /// Keeps what is logged, so that a test can ask for it.
  final class LogCapture: Sendable {
    /// One line: its level, its message and its metadata as text.
    struct Line: Sendable {
      let level: Logger.Level
      let text: String
    }

    private let lines = Mutex<[Line]>([])

    /// A logger whose lines come here.
    var logger: Logger {
      var logger = Logger(label: "captured") { _ in Handler(capture: self) }
      logger.logLevel = .trace
      return logger
    }

    var all: [Line] { lines.withLock { $0 } }

    /// Whether a line has all of the given words in it.
    func contains(_ words: String..., level: Logger.Level = .trace) -> Bool {
      all.contains { line in line.level >= level && words.allSatisfy { line.text.contains($0) } }
    }

    /// Waits for a line that has the words in it.
    func expect(_ words: String, level: Logger.Level = .trace) async throws {
      do {
        try await eventually("the log says '\(words)'") { contains(words, level: level) }
      } catch {
        throw NeverHappened(description: "the log says '\(words)': \(all.map(\.text))")
      }
    }

    private func add(_ line: Line) {
      lines.withLock { $0.append(line) }
    }

    private struct Handler: LogHandler {
      let capture: LogCapture
      var metadata: Logger.Metadata = [:]
      var metadataProvider: Logger.MetadataProvider?
      var logLevel = Logger.Level.trace

      init(capture: LogCapture) {
        self.capture = capture
      }

      subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
      }

      func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let text = "\(event.message) \(all.map { "\($0)=\($1)" }.sorted().joined(separator: " "))"
        capture.add(Line(level: event.level, text: text))
      }
    }
  }
#endif
