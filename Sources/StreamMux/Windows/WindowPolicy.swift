/// How large the receive window of a stream is.
///
/// The window is fixed today. Growth has its place here: the function sees the class, the window so far
/// and the path, and nothing else in the engine decides about window sizes.
package struct WindowPolicy: Hashable, Sendable {
  /// The window that HELLO promises for every stream, in bytes.
  package let initialWindow: UInt32

  package init(initialWindow: UInt32) {
    self.initialWindow = initialWindow
  }

  /// The window after bytes were consumed. It must never be smaller than `current`, because credit that
  /// was given cannot be taken back.
  package func nextWindow(current: UInt32, trafficClass: TrafficClass, path: PathModel) -> UInt32 {
    max(current, initialWindow)
  }
}
