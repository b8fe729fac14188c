import Foundation
import NIOCore
import Testing

@testable import StreamMux

extension PacingScenario: CustomTestStringConvertible {
  var testDescription: String { name }
}

@Suite("Bulk that is held back")
struct PacingTests {
  @Test(
    "the table of the specification",
    .enabled(if: ProcessInfo.processInfo.environment["RAFT_MUX_PACING_TABLE"] != nil))
  func table() throws {
    for path in PacingScenario.paths {
      for knowledge in [EnginesOnPath.Knowledge.unasked, .none, .figures] {
        let result = try path.run(knowledge, seed: 1)
        print("\(path.name) \(knowledge): \(result)")
      }
    }
  }

  @Test(
    "a trace", .enabled(if: ProcessInfo.processInfo.environment["RAFT_MUX_PACING_TRACE"] != nil))
  func trace() throws {
    let name = ProcessInfo.processInfo.environment["RAFT_MUX_PACING_TRACE"]
    for path in PacingScenario.paths where path.name == name { print(try path.run(.figures, seed: 1, trace: true)) }
  }
}
