import Foundation
import Logging

extension Logger {
  /// Swallows everything, unless `RAFT_MUX_TEST_LOG` asks for it.
  static let quiet: Logger = {
    guard wantsLog else { return Logger(label: "raft-mux-tests") { _ in SwiftLogNoOpLogHandler() } }
    var logger = Logger(label: "raft-mux-tests")
    logger.logLevel = .trace
    return logger
  }()

  private static let wantsLog = ProcessInfo.processInfo.environment["RAFT_MUX_TEST_LOG"] != nil
}
