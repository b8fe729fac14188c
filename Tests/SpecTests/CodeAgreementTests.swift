import NIOCore
import Testing

@testable import StreamMux

@Suite("The code agrees with the tables")
struct CodeAgreementTests {
  @Test("Error codes")
  func errorCodes() throws {
    let table = try ErrorCodesTable.load()
    #expect(ErrorCode.registry.map { Int($0.code.rawValue) } == table.map(\.value))
    #expect(ErrorCode.registry.map(\.name) == table.map(\.name))
  }

  @Test("Frame types, where they belong and how long they may be")
  func frameTypes() throws {
    let table = try FrameTypesTable.load().frameTypes
    #expect(FrameType.allCases.map { Int($0.rawValue) } == table.map(\.value))
    #expect(FrameType.allCases.map(\.name) == table.map(\.name))
    for (type, row) in zip(FrameType.allCases, table) {
      #expect(type.isOnStream == row.onStream, "\(row.name)")
      #expect(type.isHandshake == row.handshake, "\(row.name)")
      #expect(type.payloadLengths.lowerBound == row.leastLength, "\(row.name)")
      let greatest = row.greatestLength ?? ProtocolConstants.largestFramePayload
      #expect(type.payloadLengths.upperBound == greatest, "\(row.name)")
    }
  }

  @Test("What any type byte means", arguments: UInt8.min...UInt8.max)
  func meaning(byte: UInt8) throws {
    let table = try FrameTypesTable.load()
    let expected: FrameType.Meaning =
      if let type = FrameType(rawValue: byte) {
        .known(type)
      } else {
        switch table.ranges.first(where: { ($0.first...$0.last).contains(Int(byte)) })?.rule {
        case "negotiated": .needsNegotiation
        case "ignorable": .ignorable
        default: .unassigned
        }
      }
    #expect(FrameType.meaning(of: byte) == expected)
    #expect(table.frameTypes.contains { $0.value == Int(byte) } == (FrameType(rawValue: byte) != nil))
  }

  @Test("Flags of DATA")
  func flags() throws {
    let flags = try FrameTypesTable.load().flags
    let known: [(String, DataFlags)] = [("OPEN", .open), ("FIN", .finish), ("MORE", .more)]
    #expect(flags.map(\.name) == known.map(\.0))
    #expect(flags.map(\.bit) == known.map { Int($0.1.rawValue) })
    #expect(flags.reduce(0) { $0 | $1.bit } == Int(DataFlags.known.rawValue))
  }

  @Test("Limits on the wire")
  func wireLimits() throws {
    let defaults = MuxLimits.defaults
    let values: [String: Int] = [
      "maximumFramePayload": defaults.maximumFramePayload,
      "initialWindow": defaults.initialWindow,
      "initialElectionStreams": Int(defaults.streamCredit.election),
      "initialAppendStreams": Int(defaults.streamCredit.append),
      "initialSnapshotStreams": Int(defaults.streamCredit.snapshot),
      "handshakeBytes": ProtocolConstants.handshakeLimit,
      "handshakeSeconds": Int(defaults.handshakeTimeout.nanoseconds / 1_000_000_000),
      "helloBytes": ProtocolConstants.helloLimit,
      "proofBytes": ProtocolConstants.proofLimit,
      "identifierBytes": ProtocolConstants.identifierLimit,
      "textBytes": ProtocolConstants.textLimit,
      "ignorablePayload": ProtocolConstants.ignorableLimit,
    ]
    let table = try LimitsTable.load().wire
    for row in table {
      guard let value = values[row.name] else { continue }
      #expect(value == row.default, "\(row.name)")
    }
    let unknown = Set(table.map(\.name)).subtracting(values.keys)
    #expect(unknown == ["sentIgnorablePayload"], "compare these, too")
    let framePayload = try #require(table.first { $0.name == "maximumFramePayload" })
    #expect(framePayload.least == ProtocolConstants.leastFramePayload)
    #expect(framePayload.most == ProtocolConstants.largestFramePayload)
    let window = try #require(table.first { $0.name == "initialWindow" })
    #expect(window.least...window.most == ProtocolConstants.initialWindowRange)
  }

  @Test("Local bounds")
  func localLimits() throws {
    let limits = MuxLimits.defaults
    let liveness = LivenessLimits.defaults
    let scheduling = SchedulingLimits.defaults
    let values: [String: Int] = [
      "receiveBudget": limits.receiveBudget,
      "maximumAppendWindow": limits.maximumAppendWindow,
      "maximumSnapshotWindow": limits.maximumSnapshotWindow,
      "assemblyBudget": limits.assemblyBudget,
      "maximumPendingOpens": limits.maximumPendingOpens,
      "maximumControlFrames": limits.maximumControlFrames,
      "refusedStreams": limits.maximumControlFrames,
      "maximumWaitingPongs": limits.maximumWaitingPongs,
      "silenceBeforePing": Int(liveness.silenceBeforePing.nanoseconds / 1_000_000_000),
      "jitterPercent": liveness.jitterPercent,
      "measurementInterval": Int(KeepAlive.measurementInterval.nanoseconds / 1_000_000_000),
      "deadAfter": Int(liveness.deadAfter.nanoseconds / 1_000_000_000),
      "deadRoundTrips": liveness.deadRoundTrips,
      "drainPauseMilliseconds": Int(liveness.drainPause.nanoseconds / 1_000_000),
      "electionMessage": scheduling.electionMessage,
      "electionBurst": scheduling.electionBurst,
      "electionRate": scheduling.electionRate,
      "bulkFrame": scheduling.bulkFrame,
      "quantum": scheduling.quantum,
      "appendWeight": scheduling.appendWeight,
      "snapshotWeight": scheduling.snapshotWeight,
    ]
    let table = try LimitsTable.load().local
    for row in table {
      guard let value = values[row.name] else { continue }
      #expect(value == row.default, "\(row.name)")
    }
    // Numbers of the parts above the engine.
    #expect(
      Set(table.map(\.name)).subtracting(values.keys) == [
        "maximumMessageSize", "handshakes", "handshakesPerAddress", "connections", "waitingCalls",
        "unansweredRequestsPerStream", "handlersPerPeer", "handlersOfUnprovenPeers", "displacementsPerMinute",
        "logLineBurst", "classicConnections", "classicConnectionsPerAddress", "classicFirstRequest",
        "classicRequest", "classicLeastRate", "classicStall", "classicReceiveBudget",
      ])
  }

  @Test("Abuse budgets")
  func budgets() throws {
    let table = try LimitsTable.load().budgets
    #expect(Set(table.map(\.name)) == Set(AbuseBudget.allCases.map { "\($0)" }))
    for budget in AbuseBudget.allCases {
      let row = try #require(table.first { $0.name == "\(budget)" })
      #expect(AbuseLimits.defaults[budget].burst == row.burst, "\(budget)")
      #expect(AbuseLimits.defaults[budget].perSecond == row.perSecond, "\(budget)")
    }
  }

  @Test("Classes, encodings, methods and features of the registry")
  func registry() throws {
    let page = try SpecFolder.page("registry.md")
    for trafficClass in TrafficClass.allCases {
      #expect(
        page.rows(withColumns: "value", "name").contains {
          number($0["value"]) == Int(trafficClass.rawValue) && $0["name"] == "\(trafficClass)"
        })
    }
    let encodings = page.rows(withColumns: "value", "name", "for class")
    #expect(encodings.contains { $0["value"] == "0" && $0["name"] == "plain" })
    #expect(encodings.contains { $0["value"] == "1" && $0["name"] == "chunked" })
    #expect(StreamEncoding.plain.rawValue == 0 && StreamEncoding.chunked.rawValue == 1)
    let methods = page.rows(withColumns: "bit", "number in AUTH", "name")
    for method in AuthenticationMethod.allCases {
      #expect(methods.contains { number($0["number in AUTH"]) == Int(method.rawValue) })
    }
    #expect(Features.crc32.rawValue == 1)
  }
}
