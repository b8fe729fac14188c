import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Draws lines in place on a terminal, each time over those of the last time.
final class Terminal: Sendable {
  private struct State {
    var drawnLines = 0
    var isCursorHidden = false
  }

  private let descriptor: Int32
  private let state = Mutex(State())

  /// - Parameter descriptor: Standard output or standard error.
  init(descriptor: Int32) {
    self.descriptor = descriptor
  }

  /// Whether there is a terminal that can move its cursor.
  var isInteractive: Bool {
    isatty(self.descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  /// Replaces the lines drawn last; longer ones are cut, as a wrapped line could not be found again.
  func draw(_ lines: [String]) {
    let width = self.width
    self.state.withLock { state in
      var text = state.isCursorHidden ? "" : "\u{1B}[?25l"
      if state.drawnLines > 0 { text += "\u{1B}[\(state.drawnLines)A" }
      // What is left of a longer picture goes, too.
      text += "\r\u{1B}[J"
      for line in lines { text += line.prefix(width) + "\n" }
      state.drawnLines = lines.count
      state.isCursorHidden = true
      self.write(text)
    }
  }

  /// Writes a line that stays.
  func print(_ line: String) {
    self.state.withLock { _ in self.write(line + "\n") }
  }

  /// Leaves the picture where it is and gives the cursor back.
  func restore() {
    self.state.withLock { state in
      if state.isCursorHidden { self.write("\u{1B}[?25h") }
      state.isCursorHidden = false
      state.drawnLines = 0
    }
  }

  private var width: Int {
    var size = winsize()
    // The call fills the structure and keeps no pointer to it.
    let result = unsafe ioctl(self.descriptor, UInt(TIOCGWINSZ), &size)
    return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  private func write(_ text: String) {
    try? FileHandle(fileDescriptor: self.descriptor, closeOnDealloc: false)
      .write(contentsOf: Data(text.utf8))
  }
}
