import Foundation
import Synchronization

/// This process as the calling side of a measurement.
final class OwnProcess: Sendable {
  private let counter = Mutex<SystemCallCounter?>(nil)

  /// Begins or ends counting system calls and allocations.
  func count(_ isOn: Bool) throws {
    let new = isOn ? try SystemCallCounter(processID: ProcessInfo.processInfo.processIdentifier) : nil
    counter.withLock { $0 = new }
    Allocations.count(isOn)
  }

  var usage: PeerLines.ProcessUsage {
    var usage = PeerLines.ProcessUsage.current
    usage.systemCalls = counter.withLock { $0?.count }
    return usage
  }
}
