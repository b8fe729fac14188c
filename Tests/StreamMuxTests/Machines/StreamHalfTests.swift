import Foundation
import Testing

@testable import StreamMux

/// `Spec/tables/states.json`, which says the same as the code: this suite holds the two together.
struct StateTable: Decodable {
  struct Row: Decodable, CustomTestStringConvertible {
    let half: String
    let state: String
    let event: String
    let next: String
    let action: String

    var testDescription: String { "\(half) \(state) \(event)" }
  }

  let rows: [Row]

  static func load() throws -> StateTable {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    return try JSONDecoder().decode(
      StateTable.self, from: Data(contentsOf: root.appending(path: "Spec/tables/states.json")))
  }
}

@Suite("The halves of a stream follow the table")
struct StreamHalfTests {
  static let code = ErrorCode.notNeeded

  static let sendingStates: [String: SendingHalf] = [
    "unopened": .unopened, "ready": .ready, "finished": .finished, "reset": .reset(code),
  ]
  static let sendingEvents: [String: SendingHalf.Event] = [
    "openFramed": .openFramed, "finFramed": .finFramed, "reset": .reset(code),
    "stopReceived": .stopReceived(code), "rejected": .rejected(code),
  ]
  static let sendingActions: [String: SendingHalf.Action] = [
    "none": .none, "sendReset": .sendReset(code), "sendResetAndTellOwner": .sendResetAndTellOwner(code),
    "drop": .drop, "bug": .bug,
    // Found before a half is asked (`HostilePeerTests`): if it came to that, it would be our own mistake.
    "violation:protocolViolation": .bug,
  ]
  static let receivingStates: [String: ReceivingHalf] = [
    "open": .open, "stopping": .stopping(code), "finished": .finished, "reset": .reset(code),
    "rejected": .rejected(code),
  ]
  static let receivingEvents: [String: ReceivingHalf.Event] = [
    "data": .data, "fin": .fin, "resetReceived": .resetReceived(code), "stop": .stop(code),
    "rejected": .rejected(code),
  ]
  static let receivingActions: [String: ReceivingHalf.Action] = [
    "none": .none, "deliver": .deliver, "drop": .drop, "tellFinished": .tellFinished,
    "tellReset": .tellReset(code), "sendStop": .sendStop(code),
    "violation:streamState": .violation(.streamState),
  ]

  // R-STR-12, R-STR-13, R-STR-14, R-STR-15, R-STR-16, R-STR-19
  @Test("each row is what the code does")
  func rows() throws {
    for row in try StateTable.load().rows {
      switch row.half {
      case "sending":
        var half = try #require(Self.sendingStates[row.state], "\(row)")
        let event = try #require(Self.sendingEvents[row.event], "\(row)")
        #expect(half.handle(event) == Self.sendingActions[row.action], "\(row)")
        #expect(half == Self.sendingStates[row.next], "\(row)")
      case "receiving":
        var half = try #require(Self.receivingStates[row.state], "\(row)")
        let event = try #require(Self.receivingEvents[row.event], "\(row)")
        #expect(half.handle(event) == Self.receivingActions[row.action], "\(row)")
        #expect(half == Self.receivingStates[row.next], "\(row)")
      default:
        Issue.record("an unknown half: \(row)")
      }
    }
  }

  @Test("each state meets each event in exactly one row")
  func complete() throws {
    let rows = try StateTable.load().rows
    for (half, states, events) in [
      ("sending", Array(Self.sendingStates.keys), Array(Self.sendingEvents.keys)),
      ("receiving", Array(Self.receivingStates.keys), Array(Self.receivingEvents.keys)),
    ] {
      for state in states {
        for event in events {
          let count = rows.count { $0.half == half && $0.state == state && $0.event == event }
          #expect(count == 1, "\(half) \(state) \(event): \(count) rows")
        }
      }
    }
    #expect(rows.count == 4 * 5 + 5 * 5)
  }

  @Test("an ended half never begins again")
  func endIsFinal() throws {
    for row in try StateTable.load().rows {
      let endings = ["finished", "reset", "rejected"]
      if endings.contains(row.state) { #expect(row.next == row.state, "\(row)") }
    }
  }
}
