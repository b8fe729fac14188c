import NIOCore

/// Lets a task name an object that lives on an event loop and does not exist yet.
final class LoopHandle<Value>: Sendable {
  private let box: NIOLoopBoundBox<Value?>

  init(eventLoop: any EventLoop) {
    box = .makeEmptyBox(valueType: Value.self, eventLoop: eventLoop)
  }

  /// The object; on the event loop only.
  var value: Value? {
    get { box.value }
    set { box.value = newValue }
  }
}
