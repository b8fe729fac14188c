import NIOCore

@testable import RaftWire

/// A message that a vector's value can be read into, independently of the code under test.
protocol VectorMessage: WireObject {
  init(vector: VectorValue) throws
  /// The same with random fields.
  static func random(using generator: inout SeededGenerator) -> Self
}

extension RPCHeader {
  init(vector: VectorValue) throws {
    self.init(
      protocolVersion: try vector.signed("ProtocolVersion"), id: try vector.bytes("ID"),
      address: try vector.bytes("Addr"))
  }
}

extension LogEntry: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      index: try vector.unsigned("Index"), term: try vector.unsigned("Term"),
      type: LogType(rawValue: UInt8(try vector.signed("Type"))), data: try vector.bytes("Data"),
      extensions: try vector.bytes("Extensions"), appendedAt: try vector.time("AppendedAt"))
  }

  static func random(using generator: inout SeededGenerator) -> LogEntry {
    LogEntry(
      index: generator.unsigned(), term: generator.unsigned(), type: LogType(rawValue: generator.next()),
      data: generator.bytes(), extensions: generator.bytes(), appendedAt: generator.time())
  }
}

extension AppendEntriesRequest: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      leader: try vector.bytes("Leader"),
      previousLogIndex: try vector.unsigned("PrevLogEntry"),
      previousLogTerm: try vector.unsigned("PrevLogTerm"),
      entries: try vector.entries("Entries"),
      leaderCommitIndex: try vector.unsigned("LeaderCommitIndex"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      leader: generator.bytes(),
      previousLogIndex: generator.unsigned(),
      previousLogTerm: generator.unsigned(),
      entries: generator.entries(),
      leaderCommitIndex: generator.unsigned())
  }
}

extension AppendEntriesResponse: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      lastLog: try vector.unsigned("LastLog"),
      success: try vector.boolean("Success"),
      noRetryBackoff: try vector.boolean("NoRetryBackoff"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      lastLog: generator.unsigned(),
      success: generator.boolean(),
      noRetryBackoff: generator.boolean())
  }
}

extension RequestVoteRequest: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      candidate: try vector.bytes("Candidate"),
      lastLogIndex: try vector.unsigned("LastLogIndex"),
      lastLogTerm: try vector.unsigned("LastLogTerm"),
      leadershipTransfer: try vector.boolean("LeadershipTransfer"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      candidate: generator.bytes(),
      lastLogIndex: generator.unsigned(),
      lastLogTerm: generator.unsigned(),
      leadershipTransfer: generator.boolean())
  }
}

extension RequestVoteResponse: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      peers: try vector.bytes("Peers"),
      granted: try vector.boolean("Granted"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      peers: generator.bytes(),
      granted: generator.boolean())
  }
}

extension RequestPreVoteRequest: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      lastLogIndex: try vector.unsigned("LastLogIndex"),
      lastLogTerm: try vector.unsigned("LastLogTerm"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      lastLogIndex: generator.unsigned(),
      lastLogTerm: generator.unsigned())
  }
}

extension RequestPreVoteResponse: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      granted: try vector.boolean("Granted"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      granted: generator.boolean())
  }
}

extension InstallSnapshotRequest: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      snapshotVersion: try vector.signed("SnapshotVersion"),
      term: try vector.unsigned("Term"),
      leader: try vector.bytes("Leader"),
      lastLogIndex: try vector.unsigned("LastLogIndex"),
      lastLogTerm: try vector.unsigned("LastLogTerm"),
      peers: try vector.bytes("Peers"),
      configuration: try vector.bytes("Configuration"),
      configurationIndex: try vector.unsigned("ConfigurationIndex"),
      size: try vector.signed("Size"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      snapshotVersion: generator.signed(),
      term: generator.unsigned(),
      leader: generator.bytes(),
      lastLogIndex: generator.unsigned(),
      lastLogTerm: generator.unsigned(),
      peers: generator.bytes(),
      configuration: generator.bytes(),
      configurationIndex: generator.unsigned(),
      size: generator.signed())
  }
}

extension InstallSnapshotResponse: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector),
      term: try vector.unsigned("Term"),
      success: try vector.boolean("Success"))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header(),
      term: generator.unsigned(),
      success: generator.boolean())
  }
}

extension TimeoutNowRequest: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header())
  }
}

extension TimeoutNowResponse: VectorMessage {
  init(vector: VectorValue) throws {
    self.init(
      header: try RPCHeader(vector: vector))
  }

  static func random(using generator: inout SeededGenerator) -> Self {
    Self(
      header: generator.header())
  }
}

/// Every type of message by its name in the vector files.
let messageTypes: [String: any VectorMessage.Type] = [
  "Log": LogEntry.self,
  "AppendEntriesRequest": AppendEntriesRequest.self,
  "AppendEntriesResponse": AppendEntriesResponse.self,
  "RequestVoteRequest": RequestVoteRequest.self,
  "RequestVoteResponse": RequestVoteResponse.self,
  "RequestPreVoteRequest": RequestPreVoteRequest.self,
  "RequestPreVoteResponse": RequestPreVoteResponse.self,
  "InstallSnapshotRequest": InstallSnapshotRequest.self,
  "InstallSnapshotResponse": InstallSnapshotResponse.self,
  "TimeoutNowRequest": TimeoutNowRequest.self,
  "TimeoutNowResponse": TimeoutNowResponse.self,
]

/// The responses among them.
let responseTypes: [String: any (VectorMessage & WireResponse).Type] = [
  "AppendEntriesResponse": AppendEntriesResponse.self,
  "RequestVoteResponse": RequestVoteResponse.self,
  "RequestPreVoteResponse": RequestPreVoteResponse.self,
  "InstallSnapshotResponse": InstallSnapshotResponse.self,
  "TimeoutNowResponse": TimeoutNowResponse.self,
]

func messageType(_ name: String) throws -> any VectorMessage.Type {
  guard let type = messageTypes[name] else { throw VectorValue.Unreadable(key: name) }
  return type
}

func responseType(_ name: String) throws -> any (VectorMessage & WireResponse).Type {
  guard let type = responseTypes[name] else { throw VectorValue.Unreadable(key: name) }
  return type
}
